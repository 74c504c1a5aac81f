import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';
import { Offline, Refusal, type Client } from '../api/client';
import type { Answer, Experiment, Trial } from '../api/types';
import type { ExperimentsModel, IChangeEvent, ITrouble } from './experiments';

const AT_MOST_EVERY = 1000;
const RETRY = 5000;
const LATEST_RETRY = 60_000;
const PAGE = 1000;

/**
 * One experiment with its trials, kept up to date while somebody looks.
 *
 * Trials come in pages, and later those that changed. Events of the shared model say when to ask.
 */
export class ExperimentModel implements IDisposable {
  constructor(
    readonly uid: string,
    readonly shared: ExperimentsModel,
    private readonly _page = PAGE
  ) {
    this.client = shared.client;
  }

  readonly client: Client;

  /** The experiment as it was last; undefined before the first answer. */
  get experiment(): Experiment | undefined {
    return this._experiment;
  }

  /** When `experiment` was asked for, in milliseconds since the epoch. */
  get asOf(): number {
    return this._asOf;
  }

  /** The trials by number. */
  get trials(): ReadonlyMap<number, Trial> {
    return this._trials;
  }

  /** Counts the changes of the trials. */
  get version(): number {
    return this._version;
  }

  /** Whether all pages of the trials have come once. */
  get isComplete(): boolean {
    return this._since > 0;
  }

  /** Why it is not up to date, and when it is tried again. */
  get trouble(): ITrouble | null {
    return this._trouble;
  }

  /** It is there no more. */
  get isDeleted(): boolean {
    return this._isDeleted;
  }

  /** Anything has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Whether it is before somebody's eyes; if not, nothing should be asked of it. */
  get isSeen(): boolean {
    return this._lookers > 0 && !document.hidden;
  }

  /** `isSeen` has changed. */
  get seen(): ISignal<this, boolean> {
    return this._seen;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Keep it up to date until what is returned is disposed. */
  look(): IDisposable {
    this._lookers += 1;
    if (this._lookers === 1) {
      this._looking = this.shared.look();
      this.shared.told.connect(this._onTold, this);
      this.shared.changed.connect(this._onListed, this);
      document.addEventListener('visibilitychange', this._onVisibility);
      this._schedule(0);
      this._seen.emit(this.isSeen);
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
  refresh(): Promise<void> {
    window.clearTimeout(this._timer);
    this._timer = 0;
    this._isLate = false;
    if (this._asking) {
      this._isDue = true;
      return this._asking;
    }
    this._asking = this._fetch().finally(() => {
      this._asking = undefined;
      if (this._isDue) {
        this._isDue = false;
        this._schedule(AT_MOST_EVERY);
      }
    });
    return this._asking;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._lookers = 0;
    this._stop();
    Signal.clearData(this);
  }

  private _leave(): void {
    this._lookers -= 1;
    if (this._lookers === 0 && !this._isDisposed) {
      this._stop();
      this._seen.emit(false);
    }
  }

  private readonly _onVisibility = (): void => {
    if (!document.hidden && this._isLate) {
      void this.refresh();
    }
    this._seen.emit(this.isSeen);
  };

  private _stop(): void {
    window.clearTimeout(this._timer);
    this._timer = 0;
    this._isDue = false;
    this._isLate = false;
    document.removeEventListener('visibilitychange', this._onVisibility);
    this._looking?.dispose();
    this._looking = undefined;
    this.shared.told.disconnect(this._onTold, this);
    this.shared.changed.disconnect(this._onListed, this);
  }

  private _onTold(_: ExperimentsModel, event: IChangeEvent): void {
    if (event.deleted.includes(this.uid)) {
      this._wasDeleted();
    } else if (event.changed.some(each => each.uid === this.uid)) {
      this._schedule(AT_MOST_EVERY);
    }
  }

  /** The list may know what no event told. */
  private _onListed(): void {
    const { trouble, all } = this.shared;
    const own = this._experiment;
    if (trouble?.isOffline) {
      this._trouble = { ...trouble, since: this._asOf };
      this._changed.emit();
    } else if (this._trouble) {
      this._schedule(0);
    } else if (own) {
      const glance = all?.find(each => each.uid === this.uid);
      const isOther =
        glance !== undefined &&
        (glance.state !== own.state ||
          JSON.stringify(glance.trials) !== JSON.stringify(own.trials));
      if (isOther) {
        this._schedule(AT_MOST_EVERY);
      }
    }
  }

  private _schedule(delay: number): void {
    if (!this._lookers || this._isDeleted) {
      return;
    }
    if (this._asking) {
      this._isDue = true;
    } else if (!this._timer || !delay) {
      this._wait(Math.max(0, Math.min(delay, this._asOf + delay - Date.now())));
    }
  }

  /** Ask after a time; where the page is hidden then, when it is seen again. */
  private _wait(delay: number): void {
    window.clearTimeout(this._timer);
    this._timer = window.setTimeout(() => {
      this._timer = 0;
      this._isLate = document.hidden;
      if (!document.hidden) {
        void this.refresh();
      }
    }, delay);
  }

  private _wasDeleted(): void {
    this._isDeleted = true;
    this._changed.emit();
  }

  private async _fetch(): Promise<void> {
    try {
      await Promise.all([this._fetchExperiment(), this._fetchTrials()]);
      this._trouble = null;
      this._failures = 0;
    } catch (error) {
      this._failed(error as Error);
    }
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private async _fetchExperiment(): Promise<void> {
    const asked = Date.now();
    const experiment = await this.client.ask<Experiment>(`/experiments/${this.uid}`);
    const isFirst = this._experiment === undefined;
    this._experiment = experiment;
    this._asOf = asked;
    // The head need not wait for very many trials.
    if (isFirst && !this._isDisposed) {
      this._changed.emit();
    }
  }

  private _failed(error: Error): void {
    if (error instanceof Refusal && error.status === 404 && error.isAnswered) {
      this._isDeleted = true;
      return;
    }
    const wait = Math.min(LATEST_RETRY, RETRY * 2 ** this._failures);
    this._failures += 1;
    this._trouble = {
      error,
      isOffline: error instanceof Offline,
      since: this._asOf,
      next: Date.now() + wait
    };
    if (this._lookers) {
      this._wait(wait);
    }
  }

  private async _fetchTrials(): Promise<void> {
    const since = this._since;
    let after = -1;
    let next: number | undefined;
    for (let more = true; more && !this._isDisposed;) {
      const page = await this.client.ask<Answer<'/experiments/{uid}/trials'>>(
        `/experiments/${this.uid}/trials`,
        { query: { since, after, limit: this._page } }
      );
      next ??= page.revision;
      for (const trial of page.trials) {
        this._trials.set(trial.number, trial);
        after = trial.number;
      }
      more = page.more && page.trials.length > 0;
      if (page.trials.length) {
        this._version += 1;
        if (more) {
          this._changed.emit();
        }
      }
    }
    this._since = next ?? since;
  }

  private _experiment: Experiment | undefined;
  private _asOf = 0;
  private readonly _trials = new Map<number, Trial>();
  private _version = 0;
  private _since = 0;
  private _trouble: ITrouble | null = null;
  private _failures = 0;
  private _isDeleted = false;
  private _lookers = 0;
  private _looking: IDisposable | undefined;
  private _timer = 0;
  private _asking: Promise<void> | undefined;
  private _isDue = false;
  private _isLate = false;
  private _isDisposed = false;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _seen = new Signal<this, boolean>(this);
}
