import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { Glance } from '../api/types';
import { completed, tally } from '../format/words';
import { Mark } from './mark';

/** How many trials there are of each kind, of how many there will be; *hasKey* says it in words. */
export function Bar(props: {
  glance: Glance;
  hasKey?: boolean;
  trans: TranslationBundle;
}): JSX.Element {
  const { glance, hasKey = false, trans } = props;
  const counts = tally(glance, trans);
  const recorded = counts.reduce((sum, { count }) => sum + count, 0);
  const total = Math.max(glance.maxTrialCount ?? 0, recorded, 1);
  const rest = total - recorded;
  const key = [...counts];
  if (rest && !glance.isOver) {
    key.push({ mark: 'created', count: rest, words: trans.__('%1 to go', rest) });
  }
  const words = key.map(each => each.words).join(', ') || trans.__('No trial yet');
  const said = hasKey
    ? {
        role: 'progressbar',
        'aria-valuemin': 0,
        'aria-valuemax': total,
        'aria-valuenow': completed(glance),
        'aria-label': words
      }
    : { 'aria-hidden': true };
  return (
    <>
      <div className="hpo-bar" {...said}>
        {counts.map(({ mark, count }) => (
          <i
            key={mark}
            className={mark}
            style={{ width: `${(100 * count) / total}%` }}
          />
        ))}
      </div>
      {hasKey ? (
        <div className="hpo-key">
          {key.map(each => (
            <span key={each.words}>
              <Mark name={each.mark} size={12} />
              {each.words}
            </span>
          ))}
        </div>
      ) : null}
    </>
  );
}
