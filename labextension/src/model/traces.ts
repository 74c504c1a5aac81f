import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';
import type { Client } from '../api/client';
import type { Answer, Glance } from '../api/types';

/** The way to the best in a few steps. */
export type Trace = Answer<'/experiments/{uid}/trace'>;

const AT_A_TIME = 3;
const MOST = 1000;
/** Milliseconds between two questions for the front of one experiment. */
const FRONT_EVERY = 5_000;

interface IKept {
  trace?: Trace;
  key: string;
  asked: number;
}

/**
 * The small curves of experiments: asked for where one is seen, and again where the best is
 * another one.
 */
export class Traces implements IDisposable {
  constructor(private readonly _client: Client) {}

  /** A curve has come. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** That of *glance* as it is known; an outdated or missing one is asked for. */
  of(glance: Glance): Trace | undefined {
    if (!glance.best) {
      return undefined;
    }
    const kept = this._kept.get(glance.uid);
    const key = keyOf(glance);
    const isSoon = glance.best.values && kept && Date.now() - kept.asked < FRONT_EVERY;
    if (!kept || (kept.key !== key && (!isSoon || glance.isOver))) {
      this._kept.set(glance.uid, { trace: kept?.trace, key, asked: Date.now() });
      this._waiting.set(glance.uid, key);
      // Not within a drawing of the list.
      queueMicrotask(() => this._next());
    }
    return kept?.trace;
  }

  dispose(): void {
    this._isDisposed = true;
    this._waiting.clear();
    Signal.clearData(this);
  }

  private _next(): void {
    // What was seen last is seen now.
    const last = [...this._waiting].pop();
    if (!last || this._asking >= AT_A_TIME || this._isDisposed) {
      return;
    }
    const [uid, key] = last;
    this._waiting.delete(uid);
    this._asking += 1;
    void this._ask(uid, key).finally(() => {
      this._asking -= 1;
      this._next();
    });
    this._next();
  }

  private async _ask(uid: string, key: string): Promise<void> {
    try {
      const trace = await this._client.ask<Trace>(`/experiments/${uid}/trace`);
      this._kept.set(uid, { trace, key, asked: Date.now() });
      if (this._kept.size > MOST) {
        this._kept.delete(this._kept.keys().next().value as string);
      }
      if (!this._isDisposed) {
        this._changed.emit();
      }
    } catch {
      // The list goes without; the model of the experiments tells what is the matter.
    }
  }

  private _asking = 0;
  private _isDisposed = false;
  private readonly _kept = new Map<string, IKept>();
  private readonly _waiting = new Map<string, string>();
  private readonly _changed = new Signal<this, void>(this);
}

/** Two of the same key have the same curve, but for its length. */
function keyOf(glance: Glance): string {
  return glance.best?.values
    ? String(glance.revision)
    : `${glance.best?.trial} ${glance.best?.value}`;
}
