import type { TranslationBundle } from '@jupyterlab/translation';
import type { Glance, Objective, TrialState } from '../api/types';
import { duration } from '../format/numbers';
import { completed, timeLeft } from '../format/words';

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

const FINAL: readonly TrialState[] = [
  'Succeeded',
  'EarlyStopped',
  'Failed',
  'MetricsUnavailable',
  'Killed'
];

/** Whether a trial has ended. */
export function isFinal(state: TrialState): boolean {
  return FINAL.includes(state);
}

/** `38 of 40 trials`. */
export function trialsDone(glance: Glance, trans: TranslationBundle): string {
  const ended = completed(glance);
  const most = glance.maxTrialCount;
  if (most === null || most === undefined) {
    return trans._n('%1 trial', '%1 trials', ended);
  }
  if (ended === most && ended > 1) {
    return trans.__('all %1 trials', ended);
  }
  return trans._n('%2 of %1 trial', '%2 of %1 trials', most, ended);
}

/** How long it has run, coarse enough to change seldom. */
export function timeUsed(glance: Glance, later = 0): string {
  let seconds = Math.floor((glance.elapsedSeconds ?? 0) + (glance.isOver ? 0 : later));
  if (seconds >= 60 && !glance.isOver) {
    seconds -= seconds % 10;
  }
  return seconds < 60 ? `${seconds} s` : duration(seconds);
}

/** `about 2 min left`, *later* seconds after the answer; empty where it cannot be known. */
export function timeLeftLater(
  glance: Glance,
  trans: TranslationBundle,
  later: number
): string {
  const { secondsLeft, isOver } = glance;
  return secondsLeft === undefined || isOver
    ? ''
    : timeLeft({ ...glance, secondsLeft: Math.max(0, secondsLeft - later) }, trans);
}

/** Which values are better, and the goal. */
export function objectiveInWords(
  objective: Objective,
  trans: TranslationBundle
): string {
  const direction =
    objective.type === 'maximize'
      ? trans.__('higher is better')
      : trans.__('lower is better');
  const goal = objective.goal ?? null;
  return goal === null
    ? trans.__('%1, %2', objective.metric, direction)
    : trans.__('%1, %2, goal %3', objective.metric, direction, goal);
}

/** A place for a person. */
export function placeInWords(place: string, trans: TranslationBundle): string {
  return !place || place === 'local' ? trans.__('on this machine') : place;
}
