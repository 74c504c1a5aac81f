import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import type { Glance } from '../api/types';
import { metricNumber } from '../format/numbers';
import { hasNoResult } from '../format/words';
import type { ExperimentsModel } from '../model/experiments';
import type { Preferences } from '../model/preferences';

/** Milliseconds for which good news stay. */
const STAY = 10_000;

/** Tells when an experiment that was seen running ends, or reaches its goal; each once. */
export class Notifier implements IDisposable {
  constructor(
    private readonly _model: ExperimentsModel,
    private readonly _preferences: Preferences,
    private readonly _open: (uid: string) => void,
    private readonly _trans: TranslationBundle
  ) {
    _model.changed.connect(this._look, this);
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._model.changed.disconnect(this._look, this);
    }
  }

  private _look(): void {
    if (this._model.trouble || !this._model.all) {
      return;
    }
    const before = this._running;
    this._running = new Map();
    for (const glance of this._model.all) {
      const old = before.get(glance.uid);
      if (!glance.isOver) {
        this._running.set(glance.uid, glance);
      }
      if (old && this._preferences.current.notify) {
        if (glance.isOver) {
          this._tellEnd(glance);
        } else if (reaches(glance) && !reaches(old)) {
          this._tell(
            'success',
            glance,
            this._trans.__('%1 reached its goal', glance.title)
          );
        }
      }
    }
  }

  private _tellEnd(glance: Glance): void {
    const trans = this._trans;
    const { message, state, title } = glance;
    if (state === 'Failed') {
      this._tell('error', glance, trans.__('%1 failed', title), message);
    } else if (state === 'Interrupted') {
      this._tell('warning', glance, trans.__('%1 was interrupted', title), message);
    } else if (state === 'Stopped') {
      this._tell('info', glance, trans.__('%1 was stopped', title));
    } else if (hasNoResult(glance)) {
      this._tell('warning', glance, trans.__('%1 finished without a result', title));
    } else if (reaches(glance)) {
      this._tell('success', glance, trans.__('%1 reached its goal', title));
    } else {
      this._tell('success', glance, trans.__('%1 finished', title));
    }
  }

  private _tell(
    type: 'error' | 'info' | 'success' | 'warning',
    { best, objective, uid }: Glance,
    what: string,
    why = ''
  ): void {
    const won = best ? `${objective.metric} ${metricNumber(best.value)}` : '';
    const more = why || won;
    Notification.emit(more ? `${what}: ${more}` : `${what}.`, type, {
      autoClose: type === 'error' || type === 'warning' ? false : STAY,
      actions: [{ label: this._trans.__('Open'), callback: () => this._open(uid) }]
    });
  }

  private _isDisposed = false;
  private _running = new Map<string, Glance>();
}

/** Whether the best is as good as was asked for. */
function reaches(glance: Glance): boolean {
  const { best, objective } = glance;
  if (!best || typeof objective.goal !== 'number') {
    return false;
  }
  return objective.type === 'maximize'
    ? best.value >= objective.goal
    : best.value <= objective.goal;
}
