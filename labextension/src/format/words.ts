import type { TranslationBundle } from '@jupyterlab/translation';
import type { Glance, TrialState } from '../api/types';
import type { MarkName } from '../marks/mark';
import { duration, metricNumber } from './numbers';

/*
 * Words for what an experiment is, as `hpo_lab/dashboard/words.py` and `marks.py` say them.
 */

/** The states in which a trial counts as done. */
const ENDED: readonly TrialState[] = [
  'Succeeded',
  'EarlyStopped',
  'Failed',
  'MetricsUnavailable',
  'Killed'
];

/** Whether a trial has ended. */
export function isFinal(state: TrialState): boolean {
  return ENDED.includes(state);
}

/** Whether it is over without a value in any trial, whatever its record says. */
export function hasNoResult(glance: Glance): boolean {
  return glance.state === 'Succeeded' && glance.best === null && !glance.text;
}

/** The trials of one kind: `{mark: 'early', count: 3, words: '3 stopped early'}`. */
export interface ITally {
  mark: MarkName;
  count: number;
  words: string;
}

/** How many trials there are of each kind, without those of which there are none. */
export function tally(glance: Glance, trans: TranslationBundle): ITally[] {
  const waits = glance.setUpSeconds !== undefined;
  const kinds: [MarkName, TrialState[], (count: number) => string][] = [
    ['succeeded', ['Succeeded'], count => trans.__('%1 succeeded', count)],
    ['early', ['EarlyStopped'], count => trans.__('%1 stopped early', count)],
    ['failed', ['Failed', 'MetricsUnavailable'], count => trans.__('%1 failed', count)],
    ['killed', ['Killed'], count => trans.__('%1 killed', count)],
    waits
      ? ['created', ['Running'], count => trans.__('%1 waiting', count)]
      : ['running', ['Running'], count => trans.__('%1 running', count)]
  ];
  if (glance.isOver) {
    kinds.push([
      'created',
      ['Created'],
      count => trans.__('%1 waiting for resume', count)
    ]);
  }
  return kinds.flatMap(([mark, states, words]) => {
    const count = states.reduce((sum, each) => sum + (glance.trials[each] ?? 0), 0);
    return count ? [{ mark, count, words: words(count) }] : [];
  });
}

/** The same in words: `33 succeeded, 3 stopped early, 2 failed`. */
export function tallyInWords(glance: Glance, trans: TranslationBundle): string {
  return tally(glance, trans)
    .map(({ words }) => words)
    .join(', ');
}

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

/** The state of a trial in words. */
export function trialInWords(state: TrialState, trans: TranslationBundle): string {
  const words: Record<TrialState, string> = {
    Created: trans.__('Created'),
    Running: trans.__('Running'),
    Succeeded: trans.__('Succeeded'),
    EarlyStopped: trans.__('Early stopped'),
    Failed: trans.__('Failed'),
    MetricsUnavailable: trans.__('No metric'),
    Killed: trans.__('Killed')
  };
  return words[state];
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

/** The same in full: `38 of 40 trials`, `all 40 trials`. */
export function trialsDone(glance: Glance, trans: TranslationBundle): string {
  const done = completed(glance);
  const most = glance.maxTrialCount;
  if (typeof most !== 'number') {
    return howFar(glance, trans);
  }
  return done === most && done > 1
    ? trans.__('all %1 trials', done)
    : trans._n('%2 of %1 trial', '%2 of %1 trials', most, done);
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

/** A message as a sentence: with a capital, and a full stop. */
export function sentence(message: string): string {
  const text = capital(message);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** A text with its first letter in upper case. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
