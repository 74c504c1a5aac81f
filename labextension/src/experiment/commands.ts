import type { JupyterFrontEnd } from '@jupyterlab/application';
import {
  Clipboard,
  Dialog,
  Notification,
  showDialog,
  type ICommandPalette
} from '@jupyterlab/apputils';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { reasonOf } from '../notices/reason';
import type { Experiment, Glance } from '../api/types';
import { completed } from '../format/words';
import { insertCells } from '../notebook/insert';
import { categoryOf, CommandIDs, type IHpoLab } from '../tokens';
import { askForBudgets } from './budget';
import { askForPoint } from './point';

export interface ICommandsOptions {
  app: JupyterFrontEnd;
  hpoLab: IHpoLab;
  trans: TranslationBundle;
  palette: ICommandPalette | null;
  notebooks: INotebookTracker | null;
  /** The experiment that the current view shows. */
  current: () => string | undefined;
  /** What an open view knows of an experiment. */
  shown: (uid: string) => Glance | undefined;
  /** An experiment was acted on; open views of it are refreshed, or closed. */
  acted: (uid: string, isDeleted: boolean) => void;
}

interface IAction {
  id: string;
  label: string | ((glance: Glance | undefined) => string);
  caption: string | (() => string);
  isEnabled?: (glance: Glance) => boolean;
  execute: (
    experiment: Experiment,
    args: ReadonlyPartialJSONObject
  ) => Promise<unknown>;
}

/** Adds what can be done with an experiment, `{uid}`, by default with that of the current view. */
export function addCommands(options: ICommandsOptions): void {
  const { app, hpoLab, trans, palette } = options;
  const { client, all } = {
    client: hpoLab.experiments.client,
    all: hpoLab.experiments
  };
  const uidOf = (args: ReadonlyPartialJSONObject) =>
    typeof args.uid === 'string' && args.uid ? args.uid : options.current();
  const glanceOf = (args: ReadonlyPartialJSONObject) => {
    const uid = uidOf(args);
    if (!uid) {
      return undefined;
    }
    return options.shown(uid) ?? all.all?.find(each => each.uid === uid);
  };
  const category = categoryOf(trans);

  for (const action of actions(options)) {
    app.commands.addCommand(action.id, {
      label: args =>
        typeof action.label === 'string' ? action.label : action.label(glanceOf(args)),
      caption: () =>
        typeof action.caption === 'string' ? action.caption : action.caption(),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            uid: {
              type: 'string',
              description: trans.__(
                'The experiment; by default that of the current view'
              )
            },
            trial: {
              type: 'number',
              description: trans.__('Whose values; by default those of the best trial')
            }
          }
        }
      },
      isEnabled: args => {
        const glance = glanceOf(args);
        if (!glance) {
          return Boolean(uidOf(args));
        }
        return action.isEnabled?.(glance) ?? true;
      },
      execute: async args => {
        const uid = uidOf(args);
        if (!uid) {
          return;
        }
        try {
          const experiment = await client.ask<Experiment>(`/experiments/${uid}`);
          await action.execute(experiment, args);
        } catch (error) {
          Notification.error(reasonOf(error, trans), { autoClose: 8000 });
        }
      }
    });
    palette?.addItem({ command: action.id, category });
  }
}

function actions(options: ICommandsOptions): IAction[] {
  const { app, hpoLab, trans, notebooks, acted } = options;
  const { client } = hpoLab.experiments;
  const post = (uid: string, what: string, body?: unknown) =>
    client.ask(`/experiments/${uid}/${what}`, { method: 'POST', body });
  const code = async (experiment: Experiment, trial: unknown) => {
    const number = typeof trial === 'number' ? trial : experiment.best?.trial;
    const path = `/experiments/${experiment.uid}/trials/${number}/code`;
    return (await client.ask<{ code: string }>(path)).code;
  };
  const hasBest = (glance: Glance) => glance.best !== null;

  return [
    {
      id: CommandIDs.stop,
      label: trans.__('Stop Experiment…'),
      caption: trans.__('It can be resumed; interrupted trials run again'),
      isEnabled: glance => !glance.isOver,
      execute: async ({ uid, title, trials }) => {
        const confirmed = await confirm(
          trans.__('Stop %1?', title),
          trials.Running
            ? trans._n(
                '%1 trial is interrupted, and runs again when the experiment is resumed.',
                '%1 trials are interrupted, and run again when the experiment is resumed.',
                trials.Running
              )
            : trans.__('No trial is begun any more; it can be resumed.'),
          trans.__('Stop'),
          trans
        );
        if (confirmed) {
          await post(uid, 'stop');
          acted(uid, false);
        }
      }
    },
    {
      id: CommandIDs.resume,
      label: glance =>
        glance?.isOver && glance.state !== 'Succeeded'
          ? trans.__('Resume Experiment…')
          : trans.__('Raise Budget of Experiment…'),
      caption: trans.__('Continue it, with more trials or time'),
      execute: async experiment => {
        if (await askForBudgets(experiment, client, trans)) {
          acted(experiment.uid, false);
        }
      }
    },
    {
      id: CommandIDs.enqueue,
      label: trans.__('Try a Point…'),
      caption: trans.__('Have values of yours tried in the next trial'),
      execute: async experiment => {
        const outlook = await askForPoint(experiment, client, trans);
        if (outlook !== null) {
          Notification.success(trans.__('The point was accepted: %1', outlook), {
            autoClose: 6000
          });
          acted(experiment.uid, false);
        }
      }
    },
    {
      id: CommandIDs.insertBest,
      label: trans.__('Insert Best Values'),
      caption: () =>
        notebooks?.currentWidget
          ? trans.__('Below the active cell of %1', notebooks.currentWidget.title.label)
          : trans.__('Open a notebook first; they are put below its active cell'),
      isEnabled: glance => hasBest(glance) && Boolean(notebooks?.currentWidget),
      execute: async (experiment, { trial }) => {
        const panel = notebooks?.currentWidget;
        if (panel) {
          await insertCells(app, panel, [await code(experiment, trial)]);
        }
      }
    },
    {
      id: CommandIDs.copyBest,
      label: trans.__('Copy Best Values as Code'),
      caption: trans.__('Assignments to be put into a cell'),
      isEnabled: hasBest,
      execute: async (experiment, { trial }) => {
        Clipboard.copyToSystem(await code(experiment, trial));
        Notification.success(trans.__('The values are in the clipboard.'), {
          autoClose: 3000
        });
      }
    },
    {
      id: CommandIDs.exportReport,
      label: trans.__('Export Report'),
      caption: trans.__('Save a page with everything, to be sent to others'),
      execute: async ({ uid }) => download(client.url(`/experiments/${uid}/report`))
    },
    {
      id: CommandIDs.runAgain,
      label: trans.__('Run Again…'),
      caption: trans.__('Delete what is recorded, and run its file anew'),
      execute: async experiment => {
        const path = experiment.notebook?.served;
        if (!path) {
          Notification.info(
            trans.__(
              'Which file %1 was begun by is not known to the server. Run its cell again with --fresh.',
              experiment.title
            ),
            { autoClose: 8000 }
          );
          return;
        }
        const confirmed = await confirm(
          trans.__('Run %1 again?', experiment.title),
          trans.__('%1 is run anew. %2', path, lost(experiment, trans)),
          trans.__('Run again'),
          trans
        );
        if (confirmed) {
          const { cell, store, uid } = experiment;
          const begun = await client.ask<{ uid: string }>('/experiments', {
            method: 'POST',
            body: { path, fresh: true, store, ...(cell ? { cell } : {}) }
          });
          acted(uid, begun.uid !== uid);
          await app.commands.execute(CommandIDs.open, { uid: begun.uid });
        }
      }
    },
    {
      id: CommandIDs.delete,
      label: trans.__('Delete Experiment…'),
      caption: trans.__('With its trials and their files'),
      execute: async experiment => {
        const { uid, title } = experiment;
        const confirmed = await confirm(
          trans.__('Delete %1?', title),
          lost(experiment, trans),
          trans.__('Delete'),
          trans
        );
        if (confirmed) {
          await client.ask(`/experiments/${uid}`, { method: 'DELETE' });
          acted(uid, true);
        }
      }
    }
  ];
}

/** What is lost where an experiment is deleted. */
function lost(experiment: Experiment, trans: TranslationBundle): string {
  const ended = completed(experiment);
  const what = trans._n(
    'Its %1 trial is lost, with notebook, log and kept files. This cannot be undone.',
    'Its %1 trials are lost, with their notebooks, logs and kept files. This cannot be undone.',
    ended
  );
  return experiment.isOver ? what : trans.__('It runs, and is stopped first. %1', what);
}

async function confirm(
  title: string,
  body: string,
  label: string,
  trans: TranslationBundle
): Promise<boolean> {
  const answer = await showDialog({
    title,
    body,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.warnButton({ label })
    ],
    defaultButton: 0
  });
  return answer.button.accept;
}

/** Has the browser save the file at an address of the server. */
export function download(address: string): void {
  const link = document.createElement('a');
  link.href = address;
  link.download = '';
  document.body.appendChild(link);
  link.click();
  link.remove();
}
