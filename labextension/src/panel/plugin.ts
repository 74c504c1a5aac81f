import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { hpoIcon } from '../marks/icon';
import { CommandIDs, IHpoLab } from '../tokens';
import { ExperimentsPanel } from './panel';

export const panel: JupyterFrontEndPlugin<void> = {
  id: 'hpo-lab:panel',
  description: 'The experiments of hpo_lab in the side bar.',
  autoStart: true,
  requires: [IHpoLab],
  optional: [ITranslator, ILayoutRestorer, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    hpoLab: IHpoLab,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null
  ) => {
    const trans = (translator ?? nullTranslator).load('hpo_lab');
    const { commands, shell } = app;
    const open = (uid: string) => void commands.execute(CommandIDs.open, { uid });
    const widget = new ExperimentsPanel(hpoLab.experiments, open, trans);
    widget.id = 'hpo-lab-panel';
    widget.title.icon = hpoIcon;
    widget.title.caption = trans.__('Experiments of hpo_lab');
    shell.add(widget, 'left', { rank: 600, type: 'hpo_lab' });
    restorer?.add(widget, widget.id);

    const category = trans.__('Hyperparameter Tuning');
    commands.addCommand(CommandIDs.showPanel, {
      label: trans.__('Show Experiments'),
      caption: trans.__('Show the experiments of hpo_lab in the side bar'),
      icon: hpoIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => {
        shell.activateById(widget.id);
        widget.node.querySelector<HTMLElement>('input, button')?.focus();
      }
    });
    commands.addCommand(CommandIDs.refresh, {
      label: trans.__('Refresh Experiments'),
      caption: trans.__('Ask the server for its experiments now'),
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => hpoLab.experiments.refresh()
    });
    for (const command of [CommandIDs.showPanel, CommandIDs.refresh]) {
      palette?.addItem({ command, category });
    }
  }
};
