import { showErrorMessage } from '@jupyterlab/apputils';
import type { Cell } from '@jupyterlab/cells';
import { CodeMirrorEditor } from '@jupyterlab/codemirror';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import type { Tunable } from '../api/types';
import type { Preferences } from '../model/preferences';
import { askWith } from './dialog';
import { rewrite } from './edit';
import { exampleNotebook, LOAD } from './example';
import { LineForm } from './lineForm';
import { ValueForm } from './valueForm';
import type { Cells } from './cells';

/** An assignment of a literal as far as it can be told without Python; the server tells for sure. */
const ASSIGNS =
  /^[A-Za-z_]\w*\s*(?::[^=]+)?=(?!=)\s*(?:[-+.\d("']|[rbf]?["']|True\b|False\b|None\b)/;
const LOADS = /^\s*%(?:re)?load_ext\s+hpo_lab\b/m;

/** What the commands of notebooks do. */
export class NotebookCommands {
  constructor(
    private readonly _commands: CommandRegistry,
    private readonly _tracker: INotebookTracker,
    private readonly _cells: Cells,
    private readonly _preferences: Preferences,
    private readonly _trans: TranslationBundle
  ) {}

  /** Whether the active cell holds code. */
  get hasCode(): boolean {
    return this._cell !== undefined;
  }

  /** Whether a line, by default that of the cursor, seems to assign a literal. */
  isAtValue(line?: Element): boolean {
    const { editor } = this._cell ?? {};
    const text = line?.textContent ?? editor?.getLine(editor.getCursorPosition().line);
    return ASSIGNS.test(text ?? '');
  }

  /** Ask how the value on a line, by default that of the cursor, may vary, and write it. */
  async tuneValue(line?: Element): Promise<void> {
    const editor = this._cell?.editor;
    if (line && editor instanceof CodeMirrorEditor) {
      const place = editor.editor.posAtDOM(line);
      await this.tuneLine(editor.state.doc.lineAt(place).number);
    } else {
      await this.tuneLine((editor?.getCursorPosition().line ?? 0) + 1);
    }
  }

  /** The same for the line of a number, counted from 1, of the active cell. */
  async tuneLine(at: number): Promise<void> {
    const cell = this._cell;
    const trans = this._trans;
    if (!cell) {
      return;
    }
    const source = cell.model.sharedModel.getSource();
    await this._saying(async () => {
      const read = await this._cells.read(source);
      const value = read.values.find(each => each.first <= at && at <= each.last);
      if (!value) {
        const wrong = read.problems.find(each =>
          each.message.includes('no valid Python')
        );
        const message = trans.__(
          'A value can be tuned where a cell assigns a number, a text, True, False or None to one name, on lines of its own at the left margin.'
        );
        throw new Error(wrong ? wrong.message : message);
      }
      await this._askForValue(cell, source, value);
    });
  }

  private async _askForValue(
    cell: Cell,
    source: string,
    value: Tunable
  ): Promise<void> {
    const trans = this._trans;
    const remove = value.annotation ? [trans.__('Do not tune it')] : [];
    const done = await askWith<string>(
      trans.__('Tune %1', value.name),
      trans.__('Cancel'),
      [...remove, trans.__('Write')],
      props =>
        React.createElement(ValueForm, {
          ...props,
          cells: this._cells,
          source,
          value,
          trans
        })
    );
    if (done) {
      const isRemoved = remove.includes(done.button);
      const after = isRemoved
        ? (await this._cells.annotated(source, value.last, '')).source
        : done.value;
      this._write(cell, source, after);
    }
  }

  /** Ask what to optimise and how, and write the `%%tune` line of the active cell. */
  async tuneCell(): Promise<void> {
    const cell = this._cell;
    const panel = this._tracker.currentWidget;
    const trans = this._trans;
    if (!cell || !panel) {
      return;
    }
    const source = cell.model.sharedModel.getSource();
    const run = trans.__('Write and run');
    await this._saying(async () => {
      const [read, options] = await Promise.all([
        this._cells.read(source),
        this._cells.options(),
        // Refused here where nothing can be written: below another magic, on a torn line.
        this._cells.withLine(source, '', {})
      ]);
      const done = await askWith<string>(
        trans.__('Tune this cell'),
        trans.__('Cancel'),
        [trans.__('Write'), run],
        props =>
          React.createElement(LineForm, {
            ...props,
            cells: this._cells,
            source,
            cell: read,
            options,
            store: this._preferences.current.store,
            trans
          })
      );
      if (done && this._write(cell, source, done.value) && done.button === run) {
        await this._run(panel, cell);
      }
    });
  }

  /** A new notebook with an example that can be run at once. */
  async newNotebook(cwd: string): Promise<void> {
    const panel = await this._commands.execute('notebook:create-new', {
      cwd,
      kernelName: 'python3'
    });
    const { context } = panel as NotebookPanel;
    await context.ready;
    const { sharedModel } = context.model;
    const [first, ...others] = exampleNotebook(this._preferences.current.store);
    // A new notebook has a cell already.
    rewrite(sharedModel.getCell(0), first);
    sharedModel.insertCells(
      1,
      others.map(source => ({ cell_type: 'code', source }))
    );
    (panel as NotebookPanel).content.activeCellIndex = others.length;
  }

  private get _cell(): Cell | undefined {
    const cell = this._tracker.activeCell;
    return cell?.model.type === 'code' ? cell : undefined;
  }

  /** Write, unless somebody else has changed the cell meanwhile. */
  private _write(cell: Cell, before: string, after: string): boolean {
    if (cell.isDisposed || cell.model.sharedModel.getSource() !== before) {
      throw new Error(
        this._trans.__(
          'The cell was changed meanwhile; nothing was written. Try again.'
        )
      );
    }
    rewrite(cell.model.sharedModel, after);
    return true;
  }

  /** Run the cell, and above it what has not run yet. */
  private async _run(panel: NotebookPanel, cell: Cell): Promise<void> {
    const { content, context } = panel;
    const { sharedModel } = context.model;
    if (!sharedModel.cells.some(each => LOADS.test(each.getSource()))) {
      sharedModel.insertCell(0, { cell_type: 'code', source: LOAD });
    }
    const above = content.widgets.slice(0, content.widgets.indexOf(cell));
    const isBehind = above.some(
      ({ model }) =>
        model.type === 'code' &&
        model.sharedModel.getSource().trim() &&
        model.sharedModel.toJSON().execution_count === null
    );
    content.activeCellIndex = above.length;
    if (isBehind) {
      await this._commands.execute('notebook:run-all-above');
    }
    await this._commands.execute('notebook:run-cell');
  }

  private async _saying(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      await showErrorMessage(
        this._trans.__('It cannot be tuned'),
        (error as Error).message
      );
    }
  }
}
