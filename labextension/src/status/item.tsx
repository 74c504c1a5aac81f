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

export interface IRunningProps {
  model: ExperimentsModel;
  /** Shows the experiments. */
  show: () => void;
  trans: TranslationBundle;
}

/** `3 trials running`, or what the trouble is; a click shows the experiments. */
export function Running(props: IRunningProps): JSX.Element {
  const { model, show, trans } = props;
  const { experiments, trials } = running(model.all ?? []);
  const { trouble } = model;
  const text = trials
    ? trans._n('%1 trial running', '%1 trials running', trials)
    : trans._n('%1 experiment running', '%1 experiments running', experiments.length);
  const names = experiments.map(each => each.title).join('\n');
  // Pressed, the panel says what the matter is and what can be done.
  const title = !trouble
    ? names
    : trouble.isOffline
      ? trans.__('No connection to the server.')
      : trans.__('The server does not say how it is: %1', trouble.error.message);
  return (
    <button
      type="button"
      className={trouble ? 'quiet jp-mod-stale' : 'quiet'}
      title={title}
      onClick={show}
    >
      <Mark name="running" size={12} />
      {text}
    </button>
  );
}

/** What runs, in the status bar. */
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
    return <Running model={this._model} show={this._show} trans={this._trans} />;
  }

  private _draw(): void {
    this.update();
  }
}
