import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { model } from './model/plugin';
import { experiment } from './experiment/plugin';
import { panel } from './panel/plugin';
import { status } from './status/plugin';

export { IHpoLab } from './tokens';

const plugins: JupyterFrontEndPlugin<unknown>[] = [model, panel, status, experiment];

export default plugins;
