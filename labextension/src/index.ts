import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { model } from './model/plugin';
import { experiment } from './experiment/plugin';
import { panel } from './panel/plugin';

export { IHpoLab } from './tokens';

const plugins: JupyterFrontEndPlugin<unknown>[] = [model, panel, experiment];

export default plugins;
