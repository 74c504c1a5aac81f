import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { LOAD } from './example';

const LOADS = /^\s*%(?:re)?load_ext\s+hpo_lab\b/m;

/** Whether a cell of a notebook loads hpo_lab. */
export function isLoading(panel: NotebookPanel): boolean {
  const { cells } = panel.context.model.sharedModel;
  return cells.some(each => LOADS.test(each.getSource()));
}

/**
 * Put *sources* into new cells below the active cell of a notebook, and show it.
 *
 * A cell that is blank is used. A notebook that does not load hpo_lab gets a cell before them that
 * does, where a magic of hpo_lab is among them.
 */
export async function insertCells(
  app: JupyterFrontEnd,
  panel: NotebookPanel,
  sources: readonly string[]
): Promise<void> {
  await panel.context.ready;
  await panel.revealed;
  app.shell.activateById(panel.id);
  const { NotebookActions } = await import('@jupyterlab/notebook');
  const notebook = panel.content;
  const isMagic = sources.some(each => each.startsWith('%%tune'));
  const isLoaded = !isMagic || sources.includes(LOAD) || isLoading(panel);
  for (const source of isLoaded ? sources : [LOAD, ...sources]) {
    const isBlank = !notebook.activeCell?.model.sharedModel.getSource().trim();
    if (!isBlank || notebook.activeCell?.model.type !== 'code') {
      NotebookActions.insertBelow(notebook);
    }
    notebook.activeCell?.model.sharedModel.setSource(source);
  }
  notebook.mode = 'edit';
}

/** A new notebook of the default kernel with *sources*; nothing where no notebooks can be made. */
export async function newNotebook(
  app: JupyterFrontEnd,
  sources: readonly string[],
  cwd?: string
): Promise<void> {
  const { commands, serviceManager } = app;
  if (commands.hasCommand('notebook:create-new')) {
    await serviceManager.kernelspecs.ready;
    const kernelName = serviceManager.kernelspecs.specs?.default;
    const panel = await commands.execute('notebook:create-new', { cwd, kernelName });
    await insertCells(app, panel, sources);
  }
}
