import type { TranslationBundle } from '@jupyterlab/translation';
import type { Glance } from '../api/types';
import { hasNoResult } from '../marks/mark';
import { duration, metricNumber } from './numbers';

/*
 * Words for what an experiment is, as `hpo_lab/dashboard/words.py` and `marks.py` say them.
 */

/** The states in which a trial counts as done. */
const ENDED = ['Succeeded', 'EarlyStopped', 'Failed', 'MetricsUnavailable', 'Killed'];

/** The state of an experiment in words. */
export function stateWord(glance: Glance, trans: TranslationBundle): string {
  if (glance.setUpSeconds !== undefined) {
    return trans.__('Setting up');
  }
  if (hasNoResult(glance)) {
    return trans.__('Finished, no result');
  }
  switch (glance.state) {
    case 'Created':
      return trans.__('Starting');
    case 'Succeeded':
      return trans.__('Finished');
    case 'Failed':
      return trans.__('Failed');
    case 'Stopped':
      return trans.__('Stopped');
    case 'Interrupted':
      return trans.__('Interrupted');
    default:
      return trans.__('Running');
  }
}

/** How many trials have ended. */
export function completed(glance: Glance): number {
  return ENDED.reduce((sum, state) => sum + (glance.trials[state] ?? 0), 0);
}

/** `38 of 40`, or `38 trials` where their number has no end. */
export function howFar(glance: Glance, trans: TranslationBundle): string {
  const done = completed(glance);
  const most = glance.maxTrialCount;
  return typeof most === 'number'
    ? trans.__('%1 of %2', done, most)
    : trans._n('%1 trial', '%1 trials', done);
}

/** `about 8 s left`; empty where it cannot be known. */
export function timeLeft(glance: Glance, trans: TranslationBundle): string {
  const left = glance.secondsLeft;
  if (left === undefined) {
    return '';
  }
  const step = left < 60 ? 5 : left < 600 ? 10 : 60;
  const rounded = Math.max(step, Math.ceil(left / step) * step);
  const text = rounded >= 10 ? duration(rounded) : `${rounded} s`;
  return trans.__('about %1 left', text.replace(/ 0 s$| 0 min$/, ''));
}

/** How long since something happened: `just now`, `13 min ago`, `yesterday`, `24 Nov`. */
export function ago(time: number, now: number, trans: TranslationBundle): string {
  const seconds = now - time;
  if (seconds < 5) {
    return trans.__('just now');
  }
  if (seconds < 60) {
    return trans.__('%1 s ago', Math.floor(seconds));
  }
  if (seconds < 3600) {
    return trans.__('%1 min ago', Math.floor(seconds / 60));
  }
  if (seconds < 86_400) {
    return trans.__('%1 h ago', Math.floor(seconds / 3600));
  }
  const days = Math.floor(seconds / 86_400);
  if (days === 1) {
    return trans.__('yesterday');
  }
  if (days < 7) {
    return trans.__('%1 days ago', days);
  }
  const date = new Date(time * 1000);
  const isThisYear = date.getFullYear() === new Date(now * 1000).getFullYear();
  const year = isThisYear ? undefined : 'numeric';
  return date.toLocaleDateString(undefined, { day: 'numeric', month: 'short', year });
}

/** `11:42` of a time in milliseconds since the epoch. */
export function clock(time: number): string {
  return new Date(time).toLocaleTimeString(undefined, {
    hour: '2-digit',
    minute: '2-digit'
  });
}

/** `accuracy ↑ 0.9644`: the objective with the direction of the better, and the best so far. */
export function bestText(glance: Glance): string {
  const { best, objective } = glance;
  return best ? `${objective.metric} ${arrow(glance)} ${metricNumber(best.value)}` : '';
}

/** Where better values are. */
export function arrow(glance: Glance): string {
  return glance.objective.type === 'maximize' ? '↑' : '↓';
}

/** The notebook, or the place where it is not this machine; else the folder. */
export function whereText(glance: Glance): string {
  const place = glance.place && glance.place !== 'local' ? glance.place : '';
  const file = glance.file ?? '';
  const folder = glance.project?.split('/').pop() ?? '';
  return [file, place].filter(Boolean).join(', ') || folder;
}
