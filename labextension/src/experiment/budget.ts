import type { TranslationBundle } from '@jupyterlab/translation';
import { Refusal, type Client } from '../api/client';
import type { Experiment } from '../api/types';
import { duration, number } from '../format/numbers';
import { askWith, FormModel, typed } from '../forms/form';

/** A form of the budgets of an experiment, as they are. */
export function budgetForm(
  experiment: Experiment,
  trans: TranslationBundle
): FormModel {
  const { trials, parallel, timeout, goal } = experiment.budgets;
  const text = (value: number | null) => (value === null ? '' : number(value, true));
  const most = experiment.objective.type === 'maximize';
  const spent = trans.__('Running time in all, such as 10m or 2h');
  return new FormModel(
    [
      {
        name: 'trials',
        label: trans.__('Trials'),
        hint: trans.__('Number of trials in all')
      },
      {
        name: 'parallel',
        label: trans.__('Parallel'),
        hint: trans.__('Number of trials that run side by side')
      },
      {
        name: 'timeout',
        label: trans.__('Timeout'),
        hint:
          timeout === null ? spent : trans.__('%1; now %2', spent, duration(timeout))
      },
      {
        name: 'goal',
        label: trans.__('Goal'),
        hint: most
          ? trans.__('Ends when %1 is at least this', experiment.objective.metric)
          : trans.__('Ends when %1 is at most this', experiment.objective.metric)
      }
    ],
    {
      trials: text(trials),
      parallel: text(parallel),
      timeout: text(timeout),
      goal: text(goal)
    }
  );
}

/** What to send: the budgets that a person has changed; refuses where one was emptied. */
export function budgetsOf(
  model: FormModel,
  trans: TranslationBundle
): Record<string, number | string> {
  const { edited, values } = model;
  const emptied = edited.filter(({ name }) => !values[name].trim());
  if (emptied.length) {
    const message = trans.__('A budget can be changed, but not be taken away.');
    const problems = emptied.map(({ name }) => ({ where: name, message }));
    throw new Refusal(400, message, problems);
  }
  return Object.fromEntries(edited.map(({ name }) => [name, typed(values[name])]));
}

/** Asks for new budgets and continues the experiment; true when it was continued. */
export function askForBudgets(
  experiment: Experiment,
  client: Client,
  trans: TranslationBundle
): Promise<boolean> {
  const model = budgetForm(experiment, trans);
  const { isOver, state, title, uid } = experiment;
  return askWith({
    title:
      isOver && state !== 'Succeeded'
        ? trans.__('Resume %1', title)
        : trans.__('Raise the budget of %1', title),
    accept: isOver ? trans.__('Resume') : trans.__('Raise'),
    model,
    intro: isOver
      ? trans.__('It goes on where it ended. What has run counts in all budgets.')
      : undefined,
    trans,
    isReady: isOver,
    send: async () =>
      client.ask(`/experiments/${uid}/resume`, {
        method: 'POST',
        body: budgetsOf(model, trans)
      })
  });
}
