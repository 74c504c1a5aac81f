import type { TranslationBundle } from '@jupyterlab/translation';
import type { Glance, Objective } from '../api/types';
import { duration } from '../format/numbers';
import { timeLeft } from '../format/words';

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
