import type { TranslationBundle } from '@jupyterlab/translation';
import type { Client } from '../api/client';
import type { Experiment, Parameter, Value } from '../api/types';
import { number } from '../format/numbers';
import { spaceOf } from '../format/scale';
import { rangeInWords } from './parameters';
import { askWith, FormModel, typed, type IField } from '../forms/form';

/** A form with a field for each parameter, as in *values*. */
export function pointForm(
  experiment: Experiment,
  values: Readonly<Record<string, Value>>,
  trans: TranslationBundle
): FormModel {
  const fields = experiment.parameters.map((parameter): IField => {
    const { list } = spaceOf(parameter);
    return {
      name: parameter.name,
      label: parameter.name,
      hint: list ? trans.__('one of %1', list.length) : rangeInWords(parameter, trans),
      isCode: true,
      choices: list?.map(each => exact(each))
    };
  });
  const presets = Object.entries(values).map(([name, value]) => [name, exact(value)]);
  return new FormModel(fields, Object.fromEntries(presets));
}

/** A value with all its digits. */
function exact(value: Value): string {
  return number(typeof value === 'number' ? String(value) : value, true);
}

/** The point that a person has written; what is empty is drawn. */
export function pointOf(
  model: FormModel,
  parameters: readonly Parameter[]
): Record<string, Value> {
  const point: Record<string, Value> = {};
  for (const parameter of parameters) {
    const text = (model.values[parameter.name] ?? '').trim();
    if (text) {
      const { list } = spaceOf(parameter);
      point[parameter.name] = list?.find(each => exact(each) === text) ?? typed(text);
    }
  }
  return point;
}

/** Asks for a point that is tried next; what the server says of it when it was accepted. */
export async function askForPoint(
  experiment: Experiment,
  client: Client,
  trans: TranslationBundle
): Promise<string | null> {
  const values = experiment.best?.parameters ?? experiment.written;
  const model = pointForm(experiment, values, trans);
  let outlook: string | null = null;
  await askWith({
    title: trans.__('Try a point of %1', experiment.title),
    accept: trans.__('Try'),
    model,
    intro: experiment.best
      ? trans.__('The values of the best trial. What is left empty is drawn.')
      : trans.__('What is left empty is drawn.'),
    trans,
    isReady: true,
    send: async () => {
      const answer = await client.ask<{ outlook: string }>(
        `/experiments/${experiment.uid}/points`,
        { method: 'POST', body: { points: [pointOf(model, experiment.parameters)] } }
      );
      outlook = answer.outlook;
    }
  });
  return outlook;
}
