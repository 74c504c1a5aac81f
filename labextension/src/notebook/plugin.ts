import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import {
  EditorExtensionRegistry,
  IEditorExtensionRegistry
} from '@jupyterlab/codemirror';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { hpoIcon } from '../marks/icon';
import { CommandIDs, IHpoLab } from '../tokens';
import { Cells } from './cells';
import { NotebookCommands } from './commands';
import { tuneMarks } from './marks';

export const notebook: JupyterFrontEndPlugin<void> = {
  id: 'hpo-lab:notebook',
  description: 'Tunes cells of notebooks: marks, forms and an example.',
  autoStart: true,
  requires: [IHpoLab, INotebookTracker],
  optional: [ITranslator, IEditorExtensionRegistry, ICommandPalette, ILauncher],
  activate: (
    app: JupyterFrontEnd,
    hpoLab: IHpoLab,
    tracker: INotebookTracker,
    translator: ITranslator | null,
    editors: IEditorExtensionRegistry | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null
  ) => {
    const trans = (translator ?? nullTranslator).load('hpo_lab');
    const { commands } = app;
    const cells = new Cells(hpoLab.experiments.client);
    const notebooks = new NotebookCommands(
      app,
      tracker,
      cells,
      hpoLab.preferences,
      trans
    );

    // A click of the right button makes no cell active and leaves the cursor where it is.
    const placeOf = ({ isContextMenu }: ReadonlyPartialJSONObject) =>
      isContextMenu
        ? app.contextMenuHitTest(({ classList }) =>
            ['cm-line', 'jp-CodeCell'].some(name => classList.contains(name))
          )
        : undefined;
    const describedBy = {
      args: {
        type: 'object',
        properties: {
          isContextMenu: {
            type: 'boolean',
            description: trans.__('Take what was clicked in place of the active cell')
          }
        }
      }
    } as const;
    commands.addCommand(CommandIDs.tuneValue, {
      label: trans.__('Tune This Value…'),
      caption: trans.__('Say how the value at the cursor may vary'),
      icon: hpoIcon,
      describedBy,
      isEnabled: args => notebooks.isAtValue(placeOf(args)),
      execute: args => notebooks.tuneValue(placeOf(args))
    });
    commands.addCommand(CommandIDs.tuneCell, {
      label: trans.__('Tune This Cell…'),
      caption: trans.__('Say what to optimize, how and how long, and run it'),
      icon: hpoIcon,
      describedBy,
      isEnabled: args => notebooks.hasCode(placeOf(args)),
      execute: args => notebooks.tuneCell(placeOf(args))
    });
    commands.addCommand(CommandIDs.newNotebook, {
      label: args =>
        args.isLauncher ? trans.__('Tuning') : trans.__('New Notebook to Tune'),
      caption: trans.__('A new notebook with an example of a tuned cell'),
      icon: hpoIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            cwd: {
              type: 'string',
              description: trans.__('The folder of the notebook')
            }
          }
        }
      },
      execute: args =>
        notebooks.newNotebook(typeof args.cwd === 'string' ? args.cwd : '')
    });
    const category = trans.__('Hyperparameter Tuning');
    for (const command of [
      CommandIDs.tuneValue,
      CommandIDs.tuneCell,
      CommandIDs.newNotebook
    ]) {
      palette?.addItem({ command, category });
    }
    // It stands beside other files to make, since it is no kernel.
    launcher?.add({
      command: CommandIDs.newNotebook,
      args: { isLauncher: true },
      rank: 1
    });

    editors?.addExtension({
      name: 'hpo-lab:marks',
      factory: ({ inline, model }) =>
        inline
          ? EditorExtensionRegistry.createImmutableExtension(
              tuneMarks(cells, trans, {
                isPython: () => model.mimeType.includes('python'),
                open: (line, node) => void notebooks.tuneLine(line, node)
              })
            )
          : null
    });
  }
};
