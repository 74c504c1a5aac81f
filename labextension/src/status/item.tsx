import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';
import type { Glance } from '../api/types';
import { Mark } from '../marks/mark';
import type { ExperimentsModel } from '../model/experiments';

/** How many trials run, and of how many experiments. */
export function running(all: readonly Glance[]): {
  trials: number;
  experiments: readonly Glance[];
} {
  const experiments = all.filter(each => !each.isOver);
  const trials = experiments.reduce((sum, each) => sum + (each.trials.Running ?? 0), 0);
  return { trials, experiments };
}

/** `3 trials running` in the status bar; a click shows the experiments. */
export class StatusItem extends ReactWidget {
  constructor(
    private readonly _model: ExperimentsModel,
    private readonly _show: () => void,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('hpo');
    this.addClass('jp-HpoStatus');
    _model.changed.connect(this._draw, this);
  }

  dispose(): void {
    if (!this.isDisposed) {
      this._model.changed.disconnect(this._draw, this);
      super.dispose();
    }
  }

  protected render(): JSX.Element {
    const trans = this._trans;
    const { experiments, trials } = running(this._model.all ?? []);
    const isStale = this._model.trouble !== null;
    const text = trials
      ? trans._n('%1 trial running', '%1 trials running', trials)
      : trans._n('%1 experiment running', '%1 experiments running', experiments.length);
    const names = experiments.map(each => each.title).join('\n');
    return (
      <button
        type="button"
        className="quiet"
        title={isStale ? trans.__('No connection to the server.') : names}
        disabled={isStale}
        onClick={this._show}
      >
        <Mark name="running" size={12} />
        {text}
      </button>
    );
  }

  private _draw(): void {
    this.update();
  }
}
