import type { TranslationBundle } from '@jupyterlab/translation';
import type { Glance } from '../api/types';

/** What experiments are called in a list to choose from: each its own, in the same order. */
export function choices(all: readonly Glance[], trans: TranslationBundle): string[] {
  return all.map(glance => {
    const alike = all.filter(each => each.title === glance.title);
    const parts = (['project', 'store'] as const)
      .filter(part => alike.some(each => each[part] !== glance[part]))
      .map(part => glance[part]);
    const isStillAlike = (each: Glance) =>
      each !== glance && each.project === glance.project && each.store === glance.store;
    if (alike.some(isStillAlike)) {
      parts.push(glance.uid.slice(0, 8));
    }
    const where = parts.filter(Boolean).join(', ');
    return where ? trans.__('%1 (%2)', glance.title, where) : glance.title;
  });
}
