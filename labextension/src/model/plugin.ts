import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Client } from '../api/client';
import { IHpoLab, SETTINGS } from '../tokens';
import { ExperimentsModel } from './experiments';
import { Preferences } from './preferences';

export const model: JupyterFrontEndPlugin<IHpoLab> = {
  id: 'hpo-lab:experiments',
  description: 'The experiments of hpo_lab, shared by the parts of the extension.',
  autoStart: true,
  provides: IHpoLab,
  optional: [ISettingRegistry],
  activate: (app: JupyterFrontEnd, registry: ISettingRegistry | null): IHpoLab => {
    const { events, serverSettings } = app.serviceManager;
    const experiments = new ExperimentsModel(events, new Client(serverSettings));
    const preferences = new Preferences();
    preferences.changed.connect(() => {
      experiments.every = preferences.current.refreshSeconds * 1000;
    });
    void registry?.load(SETTINGS).then(
      settings => preferences.follow(settings),
      // Without settings everything is as by default.
      () => undefined
    );
    return { experiments, preferences };
  }
};
