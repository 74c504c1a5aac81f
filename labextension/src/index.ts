import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { model } from './model/plugin';
import { notebook } from './notebook/plugin';
import { panel } from './panel/plugin';
import { renderer } from './renderer/plugin';

export { IHpoLab } from './tokens';

const plugins: JupyterFrontEndPlugin<unknown>[] = [model, panel, renderer, notebook];

export default plugins;
