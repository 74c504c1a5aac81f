import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  ICommandPalette,
  InputDialog,
  MainAreaWidget,
  Notification,
  showErrorMessage,
  WidgetTracker
} from '@jupyterlab/apputils';
import { INotebookTracker, type NotebookWidgetFactory } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { Answer } from '../api/types';
import { reasonOf } from '../notices/reason';
import { hpoIcon } from '../marks/icon';
import { addressOf, uidIn, withoutUid } from './address';
import { categoryOf, CommandIDs, IHpoLab } from '../tokens';
import { choices } from './choose';
import { addCommands, download } from './commands';
import { modelOf } from './notebook';
import type { ExperimentView } from './widget';

/** Whether the factory has what a notebook needs that is only read; that of JupyterLab has. */
function isWhole(factory: unknown): factory is NotebookWidgetFactory {
  const { rendermime, contentFactory } = (factory ??
    {}) as Partial<NotebookWidgetFactory>;
  return Boolean(rendermime && contentFactory);
}

type View = MainAreaWidget<ExperimentView>;

export const experiment: JupyterFrontEndPlugin<void> = {
  id: 'hpo-lab:experiment',
  description:
    'One experiment of hpo_lab in the main area, and what can be done with it.',
  autoStart: true,
  requires: [IHpoLab],
  optional: [
    ITranslator,
    ILayoutRestorer,
    ICommandPalette,
    INotebookTracker,
    ILabShell
  ],
  activate: (
    app: JupyterFrontEnd,
    hpoLab: IHpoLab,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    notebooks: INotebookTracker | null,
    labShell: ILabShell | null
  ) => {
    const trans = (translator ?? nullTranslator).load('hpo_lab');
    const { commands, shell } = app;
    const { client } = hpoLab.experiments;
    const tracker = new WidgetTracker<View>({ namespace: 'hpo-lab-experiment' });
    const find = (uid: string) => tracker.find(each => each.content.uid === uid);

    const openFile = (path: string) =>
      void commands.execute('docmanager:open', { path });

    const openNotebook = async (uid: string, trial: number, served: string | null) => {
      const path = `/experiments/${uid}/trials/${trial}/notebook`;
      const factory = app.docRegistry.getWidgetFactory('Notebook');
      if (served) {
        openFile(served);
      } else if (!isWhole(factory)) {
        download(client.url(path));
      } else {
        const id = `hpo-lab-notebook-${uid}-${trial}`;
        for (const each of shell.widgets('main')) {
          if (each.id === id) {
            shell.activateById(id);
            return;
          }
        }
        const { rendermime, contentFactory, mimeTypeService } = factory;
        const content = contentFactory.createNotebook({
          rendermime: rendermime.clone(),
          contentFactory,
          mimeTypeService,
          editorConfig: {
            code: { readOnly: true },
            markdown: { readOnly: true },
            raw: { readOnly: true }
          }
        });
        content.model = await modelOf(await client.ask(path));
        const widget = new MainAreaWidget({ content });
        widget.toolbar.hide();
        widget.id = id;
        widget.title.label = trans.__('Trial %1, executed', trial);
        widget.title.icon = hpoIcon;
        widget.title.closable = true;
        shell.add(widget, 'main');
        shell.activateById(id);
      }
    };

    const make = async (uid: string): Promise<View> => {
      const [{ ExperimentModel }, { ExperimentView }] = await Promise.all([
        import('../model/experiment'),
        import('./widget')
      ]);
      const model = new ExperimentModel(uid, hpoLab.experiments);
      const content = new ExperimentView({
        model,
        commands,
        trans,
        openFile,
        openNotebook: (trial, served) => void openNotebook(uid, trial, served)
      });
      const widget = new MainAreaWidget({ content });
      widget.id = `hpo-lab-experiment-${uid}`;
      widget.title.icon = hpoIcon;
      widget.title.closable = true;
      widget.toolbar.hide();
      void tracker.add(widget);
      return widget;
    };

    const opening = new Map<string, Promise<View>>();
    /** The view of an experiment, which is open once. */
    const open = async (uid: string): Promise<View> => {
      const there = find(uid);
      if (there) {
        return there;
      }
      const made = opening.get(uid) ?? make(uid).finally(() => opening.delete(uid));
      opening.set(uid, made);
      return made;
    };

    const choose = async (): Promise<string | undefined> => {
      const { experiments: all } =
        await client.ask<Answer<'/experiments'>>('/experiments');
      const items = choices(all, trans);
      if (!items.length) {
        Notification.info(trans.__('There is no experiment yet.'), { autoClose: 4000 });
        return undefined;
      }
      const answer = await InputDialog.getItem({
        title: trans.__('Open an experiment'),
        items
      });
      return answer.button.accept && answer.value
        ? all[items.indexOf(answer.value)]?.uid
        : undefined;
    };

    const chooseOrSay = async (): Promise<string | undefined> => {
      try {
        return await choose();
      } catch (error) {
        await showErrorMessage(
          trans.__('No experiment can be opened'),
          reasonOf(error, trans)
        );
        return undefined;
      }
    };

    commands.addCommand(CommandIDs.open, {
      label: args =>
        args.uid ? trans.__('Open Experiment') : trans.__('Open Experiment…'),
      caption: trans.__('Show an experiment in the main area'),
      icon: hpoIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            uid: { type: 'string', description: trans.__('By default a list is shown') }
          }
        }
      },
      execute: async args => {
        const uid = typeof args.uid === 'string' ? args.uid : await chooseOrSay();
        if (!uid) {
          return;
        }
        if (!labShell) {
          // The main area of Notebook 7 is for its notebook alone.
          window.open(addressOf(uid), '_blank');
          return;
        }
        const widget = await open(uid);
        if (!widget.isAttached) {
          shell.add(widget, 'main');
        }
        shell.activateById(widget.id);
      }
    });
    palette?.addItem({
      command: CommandIDs.open,
      category: categoryOf(trans)
    });

    addCommands({
      app,
      hpoLab,
      trans,
      palette,
      notebooks,
      current: () => {
        const widget = tracker.currentWidget;
        return widget?.isVisible ? widget.content.uid : undefined;
      },
      shown: uid => find(uid)?.content.model.experiment,
      acted: (uid, isDeleted) => {
        const widget = find(uid);
        if (isDeleted) {
          widget?.dispose();
        } else {
          void widget?.content.model.refresh();
        }
        void hpoLab.experiments.refresh();
      }
    });
    const wanted = uidIn(window.location.href);
    if (labShell && wanted) {
      void app.restored.then(() => {
        window.history.replaceState(null, '', withoutUid(window.location.href));
        return commands.execute(CommandIDs.open, { uid: wanted });
      });
    }
    if (restorer) {
      void restorer.restore(tracker, {
        command: CommandIDs.open,
        args: ({ content }) => ({ uid: content.uid }),
        name: ({ content }) => content.uid
      });
    }
  }
};
