import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

const LOAD = '%load_ext hpo_lab';

/**
 * Put *code* into a new cell of the current notebook, else of a new one.
 *
 * A notebook that does not load hpo_lab gets a cell before it that does.
 */
export async function insertCell(
  app: JupyterFrontEnd,
  tracker: INotebookTracker | null,
  code: string
): Promise<void> {
  const panel = tracker?.currentWidget ?? (await newNotebook(app));
  if (!panel) {
    return;
  }
  await panel.context.ready;
  await panel.revealed;
  app.shell.activateById(panel.id);
  const { NotebookActions } = await import('@jupyterlab/notebook');
  const notebook = panel.content;
  const isLoaded = notebook.widgets.some(cell =>
    /load_ext\s+hpo_lab/.test(cell.model.sharedModel.getSource())
  );
  for (const source of isLoaded ? [code] : [LOAD, code]) {
    const isBlank = !notebook.activeCell?.model.sharedModel.getSource().trim();
    if (!isBlank || notebook.activeCell?.model.type !== 'code') {
      NotebookActions.insertBelow(notebook);
    }
    notebook.activeCell?.model.sharedModel.setSource(source);
  }
  notebook.mode = 'edit';
}

async function newNotebook(app: JupyterFrontEnd): Promise<NotebookPanel | undefined> {
  const { commands, serviceManager } = app;
  if (!commands.hasCommand('notebook:create-new')) {
    return undefined;
  }
  await serviceManager.kernelspecs.ready;
  const kernelName = serviceManager.kernelspecs.specs?.default;
  return commands.execute('notebook:create-new', { kernelName });
}
