import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { IHpoLab } from '../tokens';
import { rendererFactory } from './renderer';

export const renderer: JupyterFrontEndPlugin<void> = {
  id: 'hpo-lab:renderer',
  description: 'The output of tuned cells, which goes on without their kernel.',
  autoStart: true,
  requires: [IHpoLab, IRenderMimeRegistry],
  activate: (_: JupyterFrontEnd, hpoLab: IHpoLab, registry: IRenderMimeRegistry) => {
    registry.addFactory(rendererFactory(hpoLab.experiments));
  }
};
