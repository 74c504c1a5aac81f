import type { TranslationBundle } from '@jupyterlab/translation';
import type { Experiment, Parameter, Trial, Value } from '../../api/types';
import { objectives } from '../view';

/** So many parameters have columns where all have. */
export const MOST = 6;
/** How many have columns where not all have. */
export const FIRST = 4;

/** A column of the table of trials. */
export interface IColumn {
  key: string;
  kind: 'trial' | 'state' | 'objective' | 'parameter' | 'time';
  title: string;
  /** Its width in pixels. */
  width: number;
  /** Larger values are better. */
  isMaximized?: boolean;
  parameter?: Parameter;
}

/** The columns: trial, state, objectives, the *shown* parameters, time. */
export function columnsOf(
  experiment: Experiment,
  shown: ReadonlySet<string>,
  trans: TranslationBundle
): IColumn[] {
  const width = (title: string, least: number) =>
    Math.min(240, Math.max(least, 34 + 7.2 * title.length));
  return [
    { key: 'trial', kind: 'trial', title: trans.__('Trial'), width: 84 },
    { key: 'state', kind: 'state', title: trans.__('State'), width: 138 },
    ...objectives(experiment).map(({ metric, type }): IColumn => ({
      key: `objective ${metric}`,
      kind: 'objective',
      title: metric,
      width: width(metric, 96),
      isMaximized: type === 'maximize'
    })),
    ...experiment.parameters
      .filter(({ name }) => shown.has(name))
      .map((parameter): IColumn => ({
        key: `parameter ${parameter.name}`,
        kind: 'parameter',
        title: parameter.name,
        width: width(parameter.name, 96),
        parameter
      })),
    { key: 'time', kind: 'time', title: trans.__('Time'), width: 92 }
  ];
}

/** The parameters that have columns before a person chooses: those whose values differ most. */
export function firstParameters(
  parameters: readonly Parameter[],
  trials: Iterable<Trial>
): Set<string> {
  if (parameters.length <= MOST) {
    return new Set(parameters.map(each => each.name));
  }
  const values = new Map(
    parameters.map(each => [each.name, new Set<Value | undefined>()])
  );
  for (const trial of trials) {
    for (const [name, seen] of values) {
      seen.add(trial.parameters[name]);
    }
  }
  const isSame = (name: string) => (values.get(name)?.size ?? 0) <= 1;
  const preferred = parameters
    .map(each => each.name)
    .sort((a, b) => Number(isSame(a)) - Number(isSame(b)));
  return new Set(preferred.slice(0, FIRST));
}

/** How long a trial has run, in seconds; null before its end. */
export function secondsOf(trial: Trial): number | null {
  const { started, ended } = trial;
  return started === null || ended === null ? null : Math.max(0, ended - started);
}

/** What the rows are arranged by. */
export function valueOf(trial: Trial, column: IColumn): Value | null {
  switch (column.kind) {
    case 'trial':
      return trial.number;
    case 'state':
      return trial.state;
    case 'objective':
      return trial.values[column.title] ?? null;
    case 'parameter':
      return trial.parameters[column.title] ?? null;
    case 'time':
      return secondsOf(trial);
  }
}
