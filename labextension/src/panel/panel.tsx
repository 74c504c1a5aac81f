import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { IDisposable } from '@lumino/disposable';
import type { Message } from '@lumino/messaging';
import * as React from 'react';
import type { ExperimentsModel } from '../model/experiments';
import { ExperimentList } from './list';

/** The panel in the side bar: the experiments, those that run first. */
export class ExperimentsPanel extends ReactWidget {
  constructor(
    private readonly _model: ExperimentsModel,
    private readonly _open: (uid: string) => void,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('hpo');
    this.addClass('jp-HpoPanel');
  }

  protected render(): JSX.Element {
    return (
      <UseSignal signal={this._model.changed}>
        {() => (
          <ExperimentList model={this._model} open={this._open} trans={this._trans} />
        )}
      </UseSignal>
    );
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._looking ??= this._model.look();
  }

  protected onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._looking?.dispose();
    this._looking = undefined;
  }

  dispose(): void {
    this._looking?.dispose();
    super.dispose();
  }

  private _looking: IDisposable | undefined;
}
