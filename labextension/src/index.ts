import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { experiment } from './experiment/plugin';
import { model } from './model/plugin';
import { notebook } from './notebook/plugin';
import { panel } from './panel/plugin';
import { renderer } from './renderer/plugin';
import { status } from './status/plugin';

export { IHpoLab } from './tokens';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  model,
  panel,
  status,
  experiment,
  renderer,
  notebook
];

export default plugins;
