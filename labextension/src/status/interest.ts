import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { IDisposable } from '@lumino/disposable';
import type { Cell } from '@jupyterlab/cells';
import type { ExperimentsModel } from '../model/experiments';
import { EXPERIMENT } from '../tokens';

const TUNED = /^\s*%%tune\b/;

/**
 * Begins to look at experiments when there is a reason to: the panel was shown, a cell with
 * `%%tune` was run, or a notebook with its output is open. Before, nothing is asked.
 */
export class Interest implements IDisposable {
  constructor(
    private readonly _model: ExperimentsModel,
    notebooks: INotebookTracker | null
  ) {
    // It changes when the panel, or another view, looks.
    _model.changed.connect(this._begin, this);
    notebooks?.widgetAdded.connect(this._onNotebook, this);
    notebooks?.forEach(panel => this._onNotebook(notebooks, panel));
    this._notebooks = notebooks;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Whether anybody wants to know; without that nothing is asked. */
  get isWanted(): boolean {
    return this._isWanted;
  }
  set isWanted(isWanted: boolean) {
    this._isWanted = isWanted;
    this._settle();
  }

  /** A cell was run. */
  onExecuted(_: unknown, { cell }: { cell: Cell }): void {
    if (cell.model.type === 'code' && TUNED.test(cell.model.sharedModel.getSource())) {
      this._begin();
    }
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._model.changed.disconnect(this._begin, this);
      this._notebooks?.widgetAdded.disconnect(this._onNotebook, this);
      this._looking?.dispose();
    }
  }

  private _onNotebook(_: unknown, panel: NotebookPanel): void {
    void panel.context.ready.then(() => {
      if (!panel.isDisposed && holdsExperiment(panel)) {
        this._begin();
      }
    });
  }

  private _begin(): void {
    this._hasReason = true;
    this._settle();
  }

  private _settle(): void {
    if (this._hasReason && this._isWanted && !this._isDisposed) {
      this._looking ??= this._model.look(false);
    } else {
      this._looking?.dispose();
      this._looking = undefined;
    }
  }

  private _hasReason = false;
  private _isWanted = true;
  private _isDisposed = false;
  private _looking: IDisposable | undefined;
  private readonly _notebooks: INotebookTracker | null;
}

/** Whether a cell that is tuned has an output, or an output shows an experiment. */
function holdsExperiment(panel: NotebookPanel): boolean {
  return panel.context.model.sharedModel.cells.some(cell => {
    const outputs = 'getOutputs' in cell ? cell.getOutputs() : [];
    const isTuned = outputs.length > 0 && TUNED.test(cell.getSource());
    return isTuned || outputs.some(each => EXPERIMENT in ((each.data as object) ?? {}));
  });
}
