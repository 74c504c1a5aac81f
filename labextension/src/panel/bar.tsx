import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { Glance } from '../api/types';

const PARTS: readonly [string, readonly string[]][] = [
  ['succeeded', ['Succeeded']],
  ['early', ['EarlyStopped']],
  ['failed', ['Failed', 'MetricsUnavailable']],
  ['killed', ['Killed']],
  ['running', ['Running']]
];

/** How many trials there are of each kind, of how many there will be. */
export function Bar(props: { glance: Glance }): JSX.Element {
  const { glance } = props;
  const counts = PARTS.map(
    ([name, states]) =>
      [
        name,
        states.reduce((sum, state) => sum + (glance.trials[state] ?? 0), 0)
      ] as const
  );
  const sum = counts.reduce((all, [, count]) => all + count, 0);
  const total = Math.max(glance.maxTrialCount ?? 0, sum, 1);
  const waits = glance.setUpSeconds !== undefined;
  return (
    <div className="hpo-bar" aria-hidden="true">
      {counts.map(([name, count]) =>
        count ? (
          <i
            key={name}
            className={waits && name === 'running' ? 'created' : name}
            style={{ width: `${(100 * count) / total}%` }}
          />
        ) : null
      )}
    </div>
  );
}

/** The same in words: `33 succeeded, 3 stopped early, 2 failed`. */
export function barWords(glance: Glance, trans: TranslationBundle): string {
  const words: Record<string, (count: number) => string> = {
    succeeded: count => trans.__('%1 succeeded', count),
    early: count => trans.__('%1 stopped early', count),
    failed: count => trans.__('%1 failed', count),
    killed: count => trans.__('%1 killed', count),
    running: count =>
      glance.setUpSeconds === undefined
        ? trans.__('%1 running', count)
        : trans.__('%1 waiting', count)
  };
  return PARTS.map(([name, states]) => {
    const count = states.reduce((sum, state) => sum + (glance.trials[state] ?? 0), 0);
    return count ? words[name](count) : '';
  })
    .filter(Boolean)
    .join(', ');
}
