import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import type { Glance } from '../api/types';
import { metricNumber } from '../format/numbers';
import { hasNoResult } from '../marks/mark';
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
          this._tell('success', glance, this._trans.__('reached its goal'));
        }
      }
    }
  }

  private _tellEnd(glance: Glance): void {
    const trans = this._trans;
    if (glance.state === 'Failed') {
      this._tell('error', glance, trans.__('failed'), glance.message);
    } else if (glance.state === 'Interrupted') {
      this._tell('warning', glance, trans.__('was interrupted'), glance.message);
    } else if (glance.state === 'Stopped') {
      this._tell('info', glance, trans.__('was stopped'));
    } else if (hasNoResult(glance)) {
      this._tell('warning', glance, trans.__('finished without a result'));
    } else {
      const what = reaches(glance)
        ? trans.__('reached its goal')
        : trans.__('finished');
      this._tell('success', glance, what);
    }
  }

  private _tell(
    type: 'error' | 'info' | 'success' | 'warning',
    glance: Glance,
    what: string,
    why = ''
  ): void {
    const { best, objective, title, uid } = glance;
    const won = best
      ? this._trans.__('%1 %2', objective.metric, metricNumber(best.value))
      : '';
    const more = why || won;
    const message = more
      ? this._trans.__('%1 %2: %3', title, what, more)
      : this._trans.__('%1 %2.', title, what);
    Notification.emit(message, type, {
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
