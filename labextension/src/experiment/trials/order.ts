import type { Experiment, Trial, Value } from '../../api/types';
import { isWritten, objectives } from '../view';
import { isFinal } from '../../format/words';
import { valueOf, type IColumn } from './columns';

/** By which column rows are arranged, and which end is first. */
export interface IOrder {
  key: string;
  isDescending: boolean;
}

/** The order after a press on the head of *column*: its better end, the other, none. */
export function pressed(order: IOrder | null, column: IColumn): IOrder | null {
  const first = Boolean(column.isMaximized);
  if (order?.key !== column.key) {
    return { key: column.key, isDescending: first };
  }
  return order.isDescending === first
    ? { key: column.key, isDescending: !first }
    : null;
}

/** The trials best first, then those that run, then others, and the cell as written last. */
export function ranked(experiment: Experiment, trials: Iterable<Trial>): Trial[] {
  const [{ metric, type }] = objectives(experiment);
  const sign = type === 'maximize' ? -1 : 1;
  const best = experiment.best?.trial;
  const group = (trial: Trial): number => {
    if (trial.number === best) {
      return 0;
    }
    if (isWritten(experiment, trial)) {
      return 4;
    }
    if (!isFinal(trial.state)) {
      return 1;
    }
    return trial.values[metric] === undefined ? 3 : 2;
  };
  const rows = [...trials].map(trial => ({ trial, group: group(trial) }));
  rows.sort((a, b) => {
    if (a.group !== b.group) {
      return a.group - b.group;
    }
    const own = sign * (a.trial.values[metric] ?? 0);
    const other = sign * (b.trial.values[metric] ?? 0);
    return a.group === 2 && own !== other
      ? own - other
      : b.trial.number - a.trial.number;
  });
  return rows.map(each => each.trial);
}

/** The *trials* by a column; those without a value are last in any order. */
export function arranged(
  trials: readonly Trial[],
  column: IColumn,
  isDescending: boolean
): Trial[] {
  const valued: { trial: Trial; value: Value }[] = [];
  const empty: Trial[] = [];
  for (const trial of trials) {
    const value = valueOf(trial, column);
    if (value === null || value === '') {
      empty.push(trial);
    } else {
      valued.push({ trial, value });
    }
  }
  const sign = isDescending ? -1 : 1;
  // Trials with the same value stay in the order that they have.
  valued.sort((a, b) => sign * compared(a.value, b.value));
  return [...valued.map(each => each.trial), ...empty];
}

function compared(first: Value, second: Value): number {
  if (typeof first === 'number' && typeof second === 'number') {
    return first - second;
  }
  if (typeof first === 'number' || typeof second === 'number') {
    return typeof first === 'number' ? -1 : 1;
  }
  return String(first).localeCompare(String(second));
}
