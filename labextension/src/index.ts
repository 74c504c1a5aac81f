import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { model } from './model/plugin';
import { panel } from './panel/plugin';
import { renderer } from './renderer/plugin';

export { IHpoLab } from './tokens';

const plugins: JupyterFrontEndPlugin<unknown>[] = [model, panel, renderer];

export default plugins;
