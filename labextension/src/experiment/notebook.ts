import type { INotebookModel } from '@jupyterlab/notebook';

/** Makes a model of the notebook that a trial has executed. */
export async function modelOf(content: unknown): Promise<INotebookModel> {
  const { NotebookModel } = await import('@jupyterlab/notebook');
  const model = new NotebookModel();
  model.fromJSON(content as Parameters<typeof model.fromJSON>[0]);
  model.readOnly = true;
  return model;
}
