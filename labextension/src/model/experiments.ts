import type { Event } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { Signal, type ISignal } from '@lumino/signaling';
import { Client, Offline } from '../api/client';
import type { Answer, Glance } from '../api/types';

/** The schema of the events that tell of changes. */
export const CHANGED = 'https://events.hpolab.dev/experiments-changed/v1';

/** An experiment that an event says has changed. */
export interface IChange {
  uid: string;
  revision: number;
  state: string;
}

/** What an event says. */
export interface IChangeEvent {
  store: string;
  changed: IChange[];
  deleted: string[];
}

/** Why the list is not up to date. */
export interface ITrouble {
  error: Error;
  isOffline: boolean;
  /** When the list was up to date last, in milliseconds since the epoch; 0 for never. */
  since: number;
  /** When it is tried again. */
  next: number;
}

const EVERY = 30_000;
const AFTER_A_CHANGE = 400;

/**
 * The experiments that the server shows, kept up to date while somebody looks.
 *
 * Nothing is asked before `look` is called first. Events tell of changes; the poll is for what
 * they miss, and keeps the server watching its stores.
 */
export class ExperimentsModel implements IDisposable {
  constructor(
    events: Event.IManager,
    readonly client = new Client()
  ) {
    this._events = events;
    this._poll = new Poll({
      name: 'hpo-lab:experiments',
      auto: false,
      factory: () => this._fetch(),
      frequency: { interval: EVERY, backoff: true, max: 300_000 },
      standby: () => (this._lookers ? 'when-hidden' : true)
    });
  }

  /** The experiments in the order of the server, the newest first; undefined before the first answer. */
  get all(): readonly Glance[] | undefined {
    return this._all;
  }

  /** The stores that do not answer, and why. */
  get silent(): Answer<'/experiments'>['silent'] {
    return this._silent;
  }

  get trouble(): ITrouble | null {
    return this._trouble;
  }

  /** The list or the trouble with it has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** What events say, as it comes. */
  get told(): ISignal<this, IChangeEvent> {
    return this._told;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Keep the list up to date until what is returned is disposed. */
  look(): IDisposable {
    this._lookers += 1;
    if (this._lookers === 1) {
      this._events.stream.connect(this._onEvent, this);
      void this._poll.start();
      void this._poll.refresh();
    }
    let isDisposed = false;
    return {
      get isDisposed() {
        return isDisposed;
      },
      dispose: () => {
        if (!isDisposed) {
          isDisposed = true;
          this._leave();
        }
      }
    };
  }

  /** Ask now. */
  async refresh(): Promise<void> {
    await this._poll.refresh();
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    window.clearTimeout(this._soon);
    this._poll.dispose();
    Signal.clearData(this);
  }

  private _leave(): void {
    this._lookers -= 1;
    if (this._lookers === 0 && !this._isDisposed) {
      this._events.stream.disconnect(this._onEvent, this);
      void this._poll.stop();
    }
  }

  private async _fetch(): Promise<void> {
    try {
      const answer = await this.client.ask<Answer<'/experiments'>>('/experiments');
      this._all = answer.experiments;
      this._silent = answer.silent;
      this._trouble = null;
      this._since = Date.now();
    } catch (error) {
      this._trouble = {
        error: error as Error,
        isOffline: error instanceof Offline,
        since: this._since,
        next: Date.now() + this._poll.state.interval
      };
      this._changed.emit();
      // The poll asks less often after a failure.
      throw error;
    }
    this._changed.emit();
  }

  private _onEvent(_: Event.IManager, event: Event.Emission): void {
    if (event.schema_id !== CHANGED) {
      return;
    }
    this._told.emit(event as unknown as IChangeEvent);
    // A list for many changes.
    if (!this._soon) {
      this._soon = window.setTimeout(() => {
        this._soon = 0;
        void this.refresh();
      }, AFTER_A_CHANGE);
    }
  }

  private _all: Glance[] | undefined;
  private _silent: Answer<'/experiments'>['silent'] = [];
  private _trouble: ITrouble | null = null;
  private _since = 0;
  private _soon = 0;
  private _lookers = 0;
  private _isDisposed = false;
  private readonly _events: Event.IManager;
  private readonly _poll: Poll;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _told = new Signal<this, IChangeEvent>(this);
}
