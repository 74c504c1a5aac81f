import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { IDisposable } from '@lumino/disposable';
import type { Message } from '@lumino/messaging';
import * as React from 'react';
import { Traces } from '../model/traces';
import type { IHpoLab } from '../tokens';
import { PanelView } from './view';

/** What the panel does beyond itself. */
export interface IActions {
  /** Open an experiment in the main area. */
  open: (uid: string) => void;
  /** Put code into a new cell. */
  insert: (code: string) => void;
}

/** The panel in the side bar: the experiments, those that run first. */
export class ExperimentsPanel extends ReactWidget {
  constructor(
    private readonly _hpoLab: IHpoLab,
    private readonly _actions: IActions,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('hpo');
    this.addClass('jp-HpoPanel');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', _trans.__('Experiments of hpo_lab'));
    this._traces = new Traces(_hpoLab.experiments.client);
    _hpoLab.experiments.changed.connect(this._draw, this);
    _hpoLab.preferences.changed.connect(this._draw, this);
    this._traces.changed.connect(this._draw, this);
  }

  /** The experiment that is open in the main area. */
  get current(): string | undefined {
    return this._current;
  }
  set current(uid: string | undefined) {
    if (uid !== this._current) {
      this._current = uid;
      this._active = uid ?? this._active;
      this._draw();
    }
  }

  /** The experiment that keys and the context menu are about. */
  get active(): string | undefined {
    return this._active;
  }

  protected render(): JSX.Element {
    return (
      <PanelView
        model={this._hpoLab.experiments}
        preferences={this._hpoLab.preferences}
        traces={this._traces}
        current={this._current}
        active={this._active}
        setActive={uid => {
          this._active = uid;
          this._draw();
        }}
        trans={this._trans}
        {...this._actions}
      />
    );
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._looking ??= this._hpoLab.experiments.look();
    // Nothing was drawn while it was hidden, and what it looks at may be there already.
    this.update();
  }

  protected onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._looking?.dispose();
    this._looking = undefined;
  }

  /** Give the focus to the filter, else to the first button, when they are drawn. */
  async focus(): Promise<void> {
    await this.renderPromise;
    const first = ['input', '.jp-HpoList', 'button']
      .map(selector => this.node.querySelector<HTMLElement>(selector))
      .find(Boolean);
    first?.focus();
  }

  dispose(): void {
    if (!this.isDisposed) {
      this._looking?.dispose();
      this._hpoLab.experiments.changed.disconnect(this._draw, this);
      this._hpoLab.preferences.changed.disconnect(this._draw, this);
      this._traces.changed.disconnect(this._draw, this);
      this._traces.dispose();
      super.dispose();
    }
  }

  private _draw(): void {
    if (this.isVisible) {
      this.update();
    }
  }

  private _looking: IDisposable | undefined;
  private _current: string | undefined;
  private _active: string | undefined;
  private readonly _traces: Traces;
}
