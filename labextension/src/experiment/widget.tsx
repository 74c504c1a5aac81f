import { ReactWidget } from '@jupyterlab/ui-components';
import type { IDisposable } from '@lumino/disposable';
import type { Message } from '@lumino/messaging';
import * as React from 'react';
import type { ExperimentModel } from '../model/experiment';
import { Page } from './page';
import type { IView } from './view';

/** One experiment in the main area; nothing is asked while it is hidden. */
export class ExperimentView extends ReactWidget {
  constructor(private readonly _view: IView) {
    super();
    this.addClass('hpo');
    this.addClass('jp-HpoExperiment');
    this.node.setAttribute('role', 'region');
    this.node.tabIndex = -1;
    this._view.model.changed.connect(this._name, this);
    this._name();
  }

  get model(): ExperimentModel {
    return this._view.model;
  }

  get uid(): string {
    return this.model.uid;
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._leave();
    super.dispose();
    this.model.dispose();
  }

  protected render(): JSX.Element {
    return <Page view={this._view} />;
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    if (this.isVisible) {
      this._look();
    }
  }

  protected onBeforeDetach(message: Message): void {
    this._leave();
    super.onBeforeDetach(message);
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._look();
  }

  protected onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._leave();
  }

  protected onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    const tab = this.node.querySelector<HTMLElement>('[role=tab][aria-selected=true]');
    (tab ?? this.node).focus();
  }

  private _look(): void {
    this._looking ??= this.model.look();
  }

  private _leave(): void {
    this._looking?.dispose();
    this._looking = undefined;
  }

  private _name(): void {
    const { trans } = this._view;
    const { experiment } = this.model;
    this.title.label = experiment?.title ?? trans.__('Experiment');
    this.node.setAttribute(
      'aria-label',
      trans.__('Experiment %1', experiment?.title ?? '')
    );
  }

  private _looking: IDisposable | undefined;
}
