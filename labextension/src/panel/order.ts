import type { Glance } from '../api/types';
import type { Sort } from '../model/preferences';
import { completed, whereText } from '../format/words';

/** What a group of the list is made of. */
export interface IGroup {
  kind: 'running' | 'ended' | 'all';
  glances: readonly Glance[];
}

/** Whether every word of *text* is in the name, the notebook or the place. */
export function matches(glance: Glance, text: string): boolean {
  const all = [glance.title, glance.project, whereText(glance), glance.place]
    .join(' ')
    .toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every(word => all.includes(word));
}

/** The experiments in an order; those that are alike in it with the newest first. */
export function sorted(glances: readonly Glance[], sort: Sort): readonly Glance[] {
  if (sort === 'newest') {
    return glances;
  }
  const compare: (one: Glance, other: Glance) => number =
    sort === 'name'
      ? (one, other) =>
          one.title.localeCompare(other.title, undefined, { numeric: true })
      : (one, other) => progress(other) - progress(one);
  return [...glances].sort(compare);
}

/** The share of the trials that have ended. */
function progress(glance: Glance): number {
  const most = glance.maxTrialCount;
  return typeof most === 'number' && most > 0 ? completed(glance) / most : 0;
}

/** The groups of the list, those that run first; groups without experiments are left out. */
export function grouped(glances: readonly Glance[], isGrouped: boolean): IGroup[] {
  const groups: IGroup[] = isGrouped
    ? [
        { kind: 'running', glances: glances.filter(each => !each.isOver) },
        { kind: 'ended', glances: glances.filter(each => each.isOver) }
      ]
    : [{ kind: 'all', glances }];
  return groups.filter(each => each.glances.length);
}
