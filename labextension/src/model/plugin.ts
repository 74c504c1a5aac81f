import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IHpoLab } from '../tokens';
import { Client } from '../api/client';
import { ExperimentsModel } from './experiments';

export const model: JupyterFrontEndPlugin<IHpoLab> = {
  id: 'hpo-lab:experiments',
  description: 'The experiments of hpo_lab, shared by the parts of the extension.',
  autoStart: true,
  provides: IHpoLab,
  activate: (app: JupyterFrontEnd): IHpoLab => {
    const { events, serverSettings } = app.serviceManager;
    return { experiments: new ExperimentsModel(events, new Client(serverSettings)) };
  }
};
