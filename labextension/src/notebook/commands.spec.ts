import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { Cell } from '@jupyterlab/cells';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import type { Preferences } from '../model/preferences';
import { Cells } from './cells';
import { NotebookCommands } from './commands';

const trans = nullTranslator.load('hpo_lab');

/** What the commands need of a cell. */
function cell(source: string, fields: object = {}): Cell {
  return {
    node: document.createElement('div'),
    readOnly: false,
    editor: { getCursorPosition: () => ({ line: 0 }), getLine: () => source },
    model: {
      type: 'code',
      getMetadata: () => undefined,
      sharedModel: { getSource: () => source }
    },
    ...fields
  } as unknown as Cell;
}

let model: { defaultKernelLanguage: string; readOnly: boolean };
let panel: NotebookPanel;
let cells: Cells;
let notebooks: NotebookCommands;

function open(...widgets: Cell[]): void {
  const node = document.createElement('div');
  node.append(...widgets.map(each => each.node));
  model = { defaultKernelLanguage: 'python', readOnly: false };
  const content = { node, widgets, activeCellIndex: 0, deselectAll: () => undefined };
  panel = { content, context: { model } } as unknown as NotebookPanel;
  const tracker = {
    currentWidget: panel,
    find: (is: (each: NotebookPanel) => boolean) => [panel].find(is)
  } as unknown as INotebookTracker;
  cells = { read: jest.fn(() => new Promise(() => undefined)) } as unknown as Cells;
  notebooks = new NotebookCommands(
    { commands: new CommandRegistry() } as unknown as JupyterFrontEnd,
    tracker,
    cells,
    {} as Preferences,
    trans
  );
}

it('is about the cell that was clicked, and makes it active', () => {
  const other = cell('lr = 0.1');
  open(cell('print()'), other);
  expect(notebooks.isAtValue()).toBe(false);
  expect(notebooks.isAtValue(other.node)).toBe(true);
  void notebooks.tuneValue(other.node);
  expect(panel.content.activeCellIndex).toBe(1);
  expect(cells.read).toHaveBeenCalledWith('lr = 0.1');
});

it.each([
  ['of a magic', cell('%%time\nlr = 0.1')],
  ['of a shell', cell('\n%%bash\nlr=0.1')],
  ['that may not be edited', cell('lr = 0.1', { readOnly: true })]
])('offers nothing in a cell %s', (_, each) => {
  open(each);
  expect(notebooks.isTunable()).toBe(false);
  expect(notebooks.isAtValue()).toBe(false);
});

it('offers nothing in a notebook that is read-only or not in Python', () => {
  open(cell('%%tune maximize x\nlr = 0.1'));
  expect(notebooks.isTunable()).toBe(true);
  model.defaultKernelLanguage = 'R';
  expect(notebooks.isTunable()).toBe(false);
  model.defaultKernelLanguage = '';
  expect(notebooks.isTunable()).toBe(true);
  model.readOnly = true;
  expect(notebooks.isTunable()).toBe(false);
});
