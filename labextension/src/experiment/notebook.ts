import type { INotebookModel, NotebookPanel } from '@jupyterlab/notebook';

/** Puts a cell with *source* below the active cell of a notebook. */
export async function insertCell(panel: NotebookPanel, source: string): Promise<void> {
  const { NotebookActions } = await import('@jupyterlab/notebook');
  await panel.context.ready;
  NotebookActions.insertBelow(panel.content);
  panel.content.activeCell?.model.sharedModel.setSource(source);
}

/** Makes a model of the notebook that a trial has executed. */
export async function modelOf(content: unknown): Promise<INotebookModel> {
  const { NotebookModel } = await import('@jupyterlab/notebook');
  const model = new NotebookModel();
  model.fromJSON(content as Parameters<typeof model.fromJSON>[0]);
  model.readOnly = true;
  return model;
}
