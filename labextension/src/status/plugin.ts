import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, NotebookActions } from '@jupyterlab/notebook';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import { CommandIDs, IHpoLab } from '../tokens';
import { Interest } from './interest';
import { running, StatusItem } from './item';
import { Notifier } from './notifier';

export const status: JupyterFrontEndPlugin<void> = {
  id: 'hpo-lab:status',
  description: 'Running trials in the status bar, and notifications of what has ended.',
  autoStart: true,
  requires: [IHpoLab],
  optional: [ITranslator, IStatusBar, INotebookTracker],
  activate: (
    app: JupyterFrontEnd,
    hpoLab: IHpoLab,
    translator: ITranslator | null,
    statusBar: IStatusBar | null,
    notebooks: INotebookTracker | null
  ) => {
    const trans = (translator ?? nullTranslator).load('hpo_lab');
    const { experiments, preferences } = hpoLab;
    const execute = (command: string, args = {}) => {
      if (app.commands.hasCommand(command)) {
        void app.commands.execute(command, args);
      }
    };

    const interest = new Interest(experiments, notebooks);
    NotebookActions.executed.connect(interest.onExecuted, interest);
    new Notifier(
      experiments,
      preferences,
      uid => execute(CommandIDs.open, { uid }),
      trans
    );

    const toggled = new Signal<object, void>({});
    const emit = () => toggled.emit();
    experiments.changed.connect(emit);
    preferences.changed.connect(() => {
      const { notify, showInStatusBar } = preferences.current;
      interest.isWanted = notify || showInStatusBar;
      emit();
    });
    statusBar?.registerStatusItem('hpo-lab:running', {
      item: new StatusItem(experiments, () => execute(CommandIDs.showPanel), trans),
      align: 'left',
      rank: 10,
      isActive: () =>
        preferences.current.showInStatusBar &&
        running(experiments.all ?? []).experiments.length > 0,
      activeStateChanged: toggled
    });
  }
};
