import type { Event } from '@jupyterlab/services';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
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

/** Milliseconds between two questions for all experiments, for what events miss. */
export const EVERY = 30_000;
/** The server watches its stores for three minutes after a question. */
export const SELDOM = 120_000;
const FIRST_RETRY = 2_000;
const LAST_RETRY = 60_000;
const AFTER_A_CHANGE = 300;
const BETWEEN_CHANGES = 1_000;
const MOST_AT_ONCE = 100;

type Listing = Answer<'/experiments'>;

/**
 * The experiments that the server shows, kept up to date while somebody looks.
 *
 * Nothing is asked before `look` is called first. Events tell what changed, and of that alone is
 * asked; now and then all are asked for, which also keeps the server watching its stores. Nothing
 * is asked while the page is hidden.
 */
export class ExperimentsModel implements IDisposable {
  constructor(
    events: Event.IManager,
    readonly client = new Client()
  ) {
    this._events = events;
  }

  /** The experiments, the newest first; undefined before the first answer. */
  get all(): readonly Glance[] | undefined {
    return this._all;
  }

  /** The experiment *uid*, where the list has it. */
  get(uid: string): Glance | undefined {
    return this._all?.find(each => each.uid === uid);
  }

  /** The stores that do not answer, and why; their experiments stay in the list as they were. */
  get silent(): Listing['silent'] {
    return this._silent;
  }

  get trouble(): ITrouble | null {
    return this._trouble;
  }

  /** The version of hpo_lab at the server, and its stores; undefined before the first answer. */
  get about(): Answer<'/'> | undefined {
    return this._about;
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

  /** Milliseconds between two questions for all experiments while the list is seen. */
  get every(): number {
    return this._every;
  }
  set every(every: number) {
    if (every !== this._every) {
      this._every = every;
      if (this._lookers.size && !this._trouble) {
        this._schedule(this._interval());
      }
    }
  }

  /**
   * Keep the list up to date until what is returned is disposed.
   *
   * @param isSeen Whether the list is before somebody's eyes; else events are enough.
   */
  look(isSeen = true): IDisposable {
    const looker = { isSeen };
    this._lookers.add(looker);
    if (this._lookers.size === 1) {
      this._events.stream.connect(this._onEvent, this);
      document.addEventListener('visibilitychange', this._onVisibility);
      void this.refresh();
    } else if (!this._trouble) {
      const left = this._since + this._interval() - Date.now();
      this._schedule(Math.max(0, left));
    }
    return new DisposableDelegate(() => this._leave(looker));
  }

  /** Ask for all experiments now. */
  async refresh(): Promise<void> {
    if (this._isDisposed) {
      return;
    }
    window.clearTimeout(this._timer);
    this._asking ??= this._ask().finally(() => {
      this._asking = undefined;
      if (this._lookers.size && !this._isDisposed) {
        const { next = 0 } = this._trouble ?? {};
        this._schedule(this._trouble ? next - Date.now() : this._interval());
      }
    });
    await this._asking;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    for (const looker of [...this._lookers]) {
      this._leave(looker);
    }
    Signal.clearData(this);
  }

  private _leave(looker: ILooker): void {
    if (this._lookers.delete(looker) && !this._lookers.size) {
      this._events.stream.disconnect(this._onEvent, this);
      document.removeEventListener('visibilitychange', this._onVisibility);
      window.clearTimeout(this._timer);
      window.clearTimeout(this._soon);
      this._soon = 0;
      this._changes.clear();
    }
  }

  private _interval(): number {
    return [...this._lookers].some(each => each.isSeen)
      ? this._every
      : Math.max(SELDOM, this._every);
  }

  private _schedule(delay: number): void {
    window.clearTimeout(this._timer);
    this._timer = window.setTimeout(
      () => {
        // It is asked for when the page is seen again.
        this._isDue = document.hidden;
        if (!document.hidden) {
          void this.refresh();
        }
      },
      Math.max(0, delay)
    );
  }

  private readonly _onVisibility = (): void => {
    if (!document.hidden && this._isDue) {
      this._isDue = false;
      void this.refresh();
    } else if (!document.hidden && this._changes.size) {
      this._askSoon();
    }
  };

  private async _ask(): Promise<void> {
    this._changes.clear();
    try {
      const answer = await this.client.ask<Listing>('/experiments');
      const silent = new Set(answer.silent.map(each => each.store));
      const last = (this._all ?? []).filter(each => silent.has(each.store));
      this._show([...answer.experiments, ...last], answer.silent);
      if (!this._about || this._trouble) {
        this._about = await this.client.ask<Answer<'/'>>('/');
      }
      this._since = Date.now();
      this._retry = 0;
      this._trouble = null;
    } catch (error) {
      this._fail(error as Error);
    }
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private _fail(error: Error): void {
    this._retry = Math.min(LAST_RETRY, this._retry ? this._retry * 2 : FIRST_RETRY);
    this._trouble = {
      error,
      isOffline: error instanceof Offline,
      since: this._since,
      next: Date.now() + this._retry
    };
  }

  private _show(experiments: readonly Glance[], silent: Listing['silent']): void {
    this._all = [...experiments].sort((one, other) => other.created - one.created);
    this._silent = silent;
  }

  private _onEvent(_: Event.IManager, event: Event.Emission): void {
    if (event.schema_id !== CHANGED) {
      return;
    }
    const change = event as unknown as IChangeEvent;
    for (const { uid } of change.changed) {
      this._changes.add(uid);
    }
    if (this._all && change.deleted.length) {
      this._all = this._all.filter(each => !change.deleted.includes(each.uid));
      this._changed.emit();
    }
    this._told.emit(change);
    this._askSoon();
  }

  /** Ask once for many changes, and at most once a second. */
  private _askSoon(): void {
    if (this._soon || !this._changes.size || document.hidden) {
      return;
    }
    const delay = Math.max(AFTER_A_CHANGE, this._last + BETWEEN_CHANGES - Date.now());
    this._soon = window.setTimeout(() => {
      this._soon = 0;
      void this._askForChanges();
    }, delay);
  }

  private async _askForChanges(): Promise<void> {
    const uids = [...this._changes];
    if (!this._all || this._trouble || this._asking || uids.length > MOST_AT_ONCE) {
      return this.refresh();
    }
    this._changes.clear();
    this._last = Date.now();
    try {
      const answer = await this.client.ask<Listing>('/experiments', {
        query: { uid: uids }
      });
      if (this._isDisposed) {
        return;
      }
      const silent = new Set(answer.silent.map(each => each.store));
      const others = this._all.filter(
        each => !uids.includes(each.uid) || silent.has(each.store)
      );
      this._show([...answer.experiments, ...others], answer.silent);
      this._changed.emit();
    } catch {
      // All are asked for, which tells what is the matter.
      await this.refresh();
    }
  }

  private _all: Glance[] | undefined;
  private _silent: Listing['silent'] = [];
  private _trouble: ITrouble | null = null;
  private _about: Answer<'/'> | undefined;
  private _asking: Promise<void> | undefined;
  private _every = EVERY;
  private _retry = 0;
  private _since = 0;
  private _last = 0;
  private _soon = 0;
  private _timer = 0;
  private _isDue = false;
  private _isDisposed = false;
  private readonly _lookers = new Set<ILooker>();
  private readonly _changes = new Set<string>();
  private readonly _events: Event.IManager;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _told = new Signal<this, IChangeEvent>(this);
}

interface ILooker {
  readonly isSeen: boolean;
}
