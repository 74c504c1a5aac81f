import type { TranslationBundle } from '@jupyterlab/translation';
import type { ExperimentState, Glance, Objective, TrialState } from '../api/types';
import { duration } from '../format/numbers';
import { hasNoResult } from '../marks/mark';

const SETTING_UP = 'TrialsSetUpRunning';

/** The state of an experiment in words. */
export function stateInWords(glance: Glance, trans: TranslationBundle): string {
  if (hasNoResult(glance)) {
    return trans.__('Finished, no result');
  }
  if (glance.state === 'Running' && glance.reason === SETTING_UP) {
    return trans.__('Setting up');
  }
  const words: Record<ExperimentState, string> = {
    Created: trans.__('Created'),
    Running: trans.__('Running'),
    Restarting: trans.__('Running'),
    Succeeded: trans.__('Finished'),
    Failed: trans.__('Failed'),
    Stopped: trans.__('Stopped'),
    Interrupted: trans.__('Interrupted')
  };
  return words[glance.state];
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

/** How many trials have ended. */
export function endedTrials(glance: Glance): number {
  return FINAL.reduce((sum, state) => sum + (glance.trials[state] ?? 0), 0);
}

/** `38 of 40 trials`. */
export function trialsDone(glance: Glance, trans: TranslationBundle): string {
  const ended = endedTrials(glance);
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

/** `about 2 min left`; empty where it cannot be known. */
export function timeLeft(glance: Glance, trans: TranslationBundle, later = 0): string {
  if (glance.secondsLeft === undefined || glance.isOver) {
    return '';
  }
  const left = Math.max(0, glance.secondsLeft - later);
  const step = left < 60 ? 5 : left < 600 ? 10 : 60;
  const rounded = Math.max(step, Math.ceil(left / step) * step);
  const text = rounded < 10 ? `${rounded} s` : duration(rounded);
  return trans.__('about %1 left', text.replace(/ 0 (s|min)$/, ''));
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
