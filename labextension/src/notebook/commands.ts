import type { JupyterFrontEnd } from '@jupyterlab/application';
import { showErrorMessage } from '@jupyterlab/apputils';
import type { Cell } from '@jupyterlab/cells';
import { CodeMirrorEditor } from '@jupyterlab/codemirror';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { Tunable } from '../api/types';
import type { Preferences } from '../model/preferences';
import { FormDialog } from '../forms/dialog';
import { reasonOf } from '../notices/reason';
import { rewrite } from './edit';
import { exampleNotebook, LOAD } from './example';
import { isLoading, newNotebook } from './insert';
import { LineForm } from './lineForm';
import { ValueForm } from './valueForm';
import { hindrance, type IPlace } from './tunable';
import type { Cells } from './cells';

/** An assignment of a literal as far as it can be told without Python; the server tells for sure. */
const ASSIGNS =
  /^[A-Za-z_]\w*\s*(?::[^=]+)?=(?!=)\s*(?:[-+.\d("']|[rbf]?["']|True\b|False\b|None\b)/;

/** What the commands of notebooks do. */
export class NotebookCommands {
  constructor(
    private readonly _app: JupyterFrontEnd,
    private readonly _tracker: INotebookTracker,
    private readonly _cells: Cells,
    private readonly _preferences: Preferences,
    private readonly _trans: TranslationBundle
  ) {}

  /** Whether the cell around *node*, by default the active one, can be tuned. */
  isTunable(node?: Element): boolean {
    const place = this._at(node);
    return place !== undefined && !hindrance(place, this._trans);
  }

  /** Whether the line *node*, by default that of the cursor, seems to assign a literal. */
  isAtValue(node?: Element): boolean {
    const place = this._at(node);
    return (
      place !== undefined &&
      !hindrance(place, this._trans) &&
      ASSIGNS.test(lineTextOf(place, node))
    );
  }

  /** Ask how the value on the line *node*, by default that of the cursor, may vary, and write it. */
  async tuneValue(node?: Element): Promise<void> {
    const place = this._at(node);
    if (place) {
      await this.tuneLine(lineNumberOf(place, node), node);
    }
  }

  /** The same for the line of a number, counted from 1, of the cell around *node*. */
  async tuneLine(at: number, node?: Element): Promise<void> {
    const place = this._at(node);
    const trans = this._trans;
    if (!place) {
      return;
    }
    activate(place);
    const { cell } = place;
    const source = cell.model.sharedModel.getSource();
    await this._saying(place, async () => {
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
      await this._askForValue(place, source, value);
    });
  }

  private async _askForValue(
    place: IPlace,
    source: string,
    value: Tunable
  ): Promise<void> {
    const trans = this._trans;
    const remove = value.annotation ? [trans.__('Do not tune it')] : [];
    const done = await this._askFor(
      trans.__('Tune %1 in cell %2, line %3', value.name, place.index + 1, value.first),
      [...remove, trans.__('Write')],
      ValueForm,
      { cells: this._cells, source, value, trans }
    );
    if (done) {
      const isRemoved = remove.includes(done.button);
      const after = isRemoved
        ? (await this._cells.annotated(source, value.last, '')).source
        : done.source;
      this._write(place, source, after);
    }
  }

  /** Ask what to optimise and how, and write the `%%tune` line of the cell around *node*, by default the active one. */
  async tuneCell(node?: Element): Promise<void> {
    const place = this._at(node);
    const trans = this._trans;
    if (!place) {
      return;
    }
    activate(place);
    const { cell, index, panel } = place;
    const source = cell.model.sharedModel.getSource();
    const run = trans.__('Write and run');
    await this._saying(place, async () => {
      const [read, options] = await Promise.all([
        this._cells.read(source),
        this._cells.options(),
        // Refused here where nothing can be written: below another magic, on a torn line.
        this._cells.withLine(source, '', {})
      ]);
      const { store } = this._preferences.current;
      const done = await this._askFor(
        trans.__('Tune cell %1', index + 1),
        [trans.__('Write'), run],
        LineForm,
        { cells: this._cells, source, cell: read, options, store, trans }
      );
      if (done && this._write(place, source, done.source) && done.button === run) {
        await this._run(panel, cell);
      }
    });
  }

  /** A new notebook with an example that can be run at once. */
  newNotebook(cwd: string): Promise<void> {
    const { store } = this._preferences.current;
    return newNotebook(this._app, exampleNotebook(store), cwd);
  }

  /** The cell around *node*, by default the active one, where it holds code. */
  private _at(node?: Element): IPlace | undefined {
    const panel = node
      ? this._tracker.find(({ content }) => content.node.contains(node))
      : this._tracker.currentWidget;
    const { activeCellIndex = -1, widgets = [] } = panel?.content ?? {};
    const index = node
      ? widgets.findIndex(each => each.node.contains(node))
      : activeCellIndex;
    const cell = widgets[index];
    return panel && cell?.model.type === 'code' ? { panel, cell, index } : undefined;
  }

  /** The source with what a form was filled in with; its buttons wait until nothing is wrong. */
  private async _askFor<P extends { onChange: (source?: string) => void }>(
    title: string,
    accept: string[],
    form: React.FunctionComponent<P>,
    props: Omit<P, 'onChange'>
  ): Promise<{ source: string; button: string } | undefined> {
    let source: string | undefined;
    const onChange = (now?: string) => {
      source = now;
      dialog.isReady = now !== undefined;
    };
    const body = React.createElement(form, { ...props, onChange } as P);
    const dialog = new FormDialog({ title, accept, body, trans: this._trans });
    dialog.isReady = false;
    const button = await dialog.ask();
    return button === undefined ? undefined : { source: source!, button };
  }

  /** Write, unless somebody else has changed the cell meanwhile. */
  private _write(place: IPlace, before: string, after: string): boolean {
    const { cell } = place;
    if (cell.isDisposed || cell.model.sharedModel.getSource() !== before) {
      throw new Error(
        this._trans.__(
          'The cell was changed meanwhile; nothing was written. Try again.'
        )
      );
    }
    const message = hindrance(place, this._trans);
    if (message) {
      throw new Error(message);
    }
    rewrite(cell.model.sharedModel, after);
    return true;
  }

  /** Run the cell, and above it what has not run yet. */
  private async _run(panel: NotebookPanel, cell: Cell): Promise<void> {
    const { content, context } = panel;
    const { sharedModel } = context.model;
    if (!isLoading(panel)) {
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
      await this._app.commands.execute('notebook:run-all-above');
    }
    await this._app.commands.execute('notebook:run-cell');
  }

  private async _saying(place: IPlace, work: () => Promise<void>): Promise<void> {
    try {
      const message = hindrance(place, this._trans);
      if (message) {
        throw new Error(message);
      }
      await work();
    } catch (error) {
      await showErrorMessage(
        this._trans.__('It cannot be tuned'),
        reasonOf(error, this._trans)
      );
    }
  }
}

function activate({ panel, index }: IPlace): void {
  panel.content.deselectAll();
  panel.content.activeCellIndex = index;
}

/** The number, counted from 1, of the line that *node* draws, else of that of the cursor. */
function lineNumberOf({ cell: { editor } }: IPlace, node?: Element): number {
  if (editor instanceof CodeMirrorEditor && node?.classList.contains('cm-line')) {
    return editor.state.doc.lineAt(editor.editor.posAtDOM(node)).number;
  }
  return (editor?.getCursorPosition().line ?? 0) + 1;
}

function lineTextOf(place: IPlace, node?: Element): string {
  return place.cell.editor?.getLine(lineNumberOf(place, node) - 1) ?? '';
}
