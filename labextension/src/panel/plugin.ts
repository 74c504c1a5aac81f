import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin,
  type LabShell
} from '@jupyterlab/application';
import { Clipboard, ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { Widget } from '@lumino/widgets';
import { hpoIcon } from '../marks/icon';
import { insertCells, newNotebook } from '../notebook/insert';
import { CommandIDs, IHpoLab } from '../tokens';
import { addContextMenu } from './menu';
import { ExperimentsPanel } from './panel';

export const panel: JupyterFrontEndPlugin<void> = {
  id: 'hpo-lab:panel',
  description: 'The experiments of hpo_lab in the side bar.',
  autoStart: true,
  requires: [IHpoLab],
  optional: [ITranslator, ILayoutRestorer, ICommandPalette, INotebookTracker],
  activate: (
    app: JupyterFrontEnd,
    hpoLab: IHpoLab,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    notebooks: INotebookTracker | null
  ) => {
    const trans = (translator ?? nullTranslator).load('hpo_lab');
    const { commands, shell } = app;
    const widget = new ExperimentsPanel(
      hpoLab,
      {
        open: uid => {
          if (commands.hasCommand(CommandIDs.open)) {
            void commands.execute(CommandIDs.open, { uid });
          }
        },
        insert: code => {
          const panel = notebooks?.currentWidget;
          void (panel ? insertCells(app, panel, [code]) : newNotebook(app, [code]));
        },
        copy: text => Clipboard.copyToSystem(text)
      },
      trans
    );
    widget.id = 'hpo-lab-panel';
    widget.title.icon = hpoIcon;
    widget.title.caption = trans.__('Experiments of hpo_lab');
    shell.add(widget, 'left', { rank: 600, type: 'hpo_lab' });
    restorer?.add(widget, widget.id);
    addContextMenu(app, widget);
    // Notebook 7 has no such signal of its own type, but the same one.
    (shell as LabShell).currentChanged?.connect(() => {
      const shown = uidOf(shell.currentWidget);
      const { current } = widget;
      // Another part of the window may have the focus while the view stays open.
      const isOpen = [...shell.widgets('main')].some(each => uidOf(each) === current);
      widget.current = shown ?? (isOpen ? current : undefined);
    });

    const category = trans.__('Hyperparameter Tuning');
    commands.addCommand(CommandIDs.showPanel, {
      label: trans.__('Show Experiments'),
      caption: trans.__('Show the experiments of hpo_lab in the side bar'),
      icon: hpoIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => {
        shell.activateById(widget.id);
        return widget.focus();
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

/** The experiment that a widget of the main area shows; its id says which. */
function uidOf(widget: Widget | null): string | undefined {
  return /^hpo-lab.*\b([0-9a-f]{32})$/.exec(widget?.id ?? '')?.[1];
}
