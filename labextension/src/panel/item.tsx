import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { Glance } from '../api/types';
import { duration, metricNumber } from '../format/numbers';
import {
  ago,
  arrow,
  bestText,
  clock,
  hasNoResult,
  howFar,
  stateWord,
  tallyInWords,
  timeLeft,
  whereText
} from '../format/words';
import { Bar } from '../marks/bar';
import { experimentMark, Mark } from '../marks/mark';
import type { Trace } from '../model/traces';
import { Sparkline } from './sparkline';

export interface IItemProps {
  glance: Glance;
  trace: Trace | undefined;
  /** The list is not up to date since then, in milliseconds since the epoch; 0 where it is. */
  stale: number;
  /** In seconds since the epoch. */
  now: number;
  trans: TranslationBundle;
}

/** One experiment in the list: state, name, curve, best; how far; when, where. */
export function Item(props: IItemProps): JSX.Element {
  const { glance, trace, stale, trans } = props;
  const isFront = Boolean(trace?.front) && glance.isOver;
  const front = trace?.front ? trans.__('%1 on the front', trace.front) : '';
  const when = whenText(props);
  return (
    <>
      <div className="jp-HpoItem-row">
        <Mark name={isFront ? 'front' : experimentMark(glance)} />
        <span className="jp-HpoItem-name">{glance.title}</span>
        {trace?.steps.length ? (
          <Sparkline trace={trace} isOver={glance.isOver || stale > 0} />
        ) : null}
        {hasNoResult(glance) ? (
          <span className="q xs">{trans.__('no result')}</span>
        ) : null}
      </div>
      <div className="jp-HpoItem-row second">
        <span className="jp-HpoItem-cut">{stateText(glance, front, trans)}</span>
        {glance.best && !trace?.front ? (
          <span className="jp-HpoItem-best">
            {/* From right to left: where there is no room, the name is left out. */}
            <span>
              {arrow(glance)} <b>{metricNumber(glance.best.value)}</b>
            </span>
            <span className="jp-HpoItem-cut metric">{glance.objective.metric}</span>
          </span>
        ) : null}
      </div>
      {glance.isOver ? null : <Bar glance={glance} trans={trans} />}
      <div className="jp-HpoItem-row third q xs">
        <span className="jp-HpoItem-cut when">{when}</span>
        <span className="jp-HpoItem-cut">{whereText(glance)}</span>
      </div>
    </>
  );
}

function stateText(glance: Glance, front: string, trans: TranslationBundle): string {
  const word = stateWord(glance, trans);
  const far = howFar(glance, trans);
  if (!glance.isOver) {
    const isUnderWay = glance.state !== 'Created' && glance.setUpSeconds === undefined;
    return isUnderWay ? [far, front].filter(Boolean).join(', ') : word;
  }
  if (front) {
    return `${word}, ${front}`;
  }
  return glance.state === 'Succeeded' ? word : `${word}, ${far}`;
}

function whenText(props: IItemProps): string {
  const { glance, stale, now, trans } = props;
  if (glance.isOver) {
    return ago(glance.ended ?? glance.created, now, trans);
  }
  if (stale) {
    return trans.__('last seen %1', clock(stale));
  }
  if (glance.setUpSeconds !== undefined) {
    return trans.__('for %1', duration(Math.round(glance.setUpSeconds)));
  }
  return timeLeft(glance, trans);
}

/** What a screen reader says of an experiment. */
export function itemLabel(props: Omit<IItemProps, 'trace'>): string {
  const { glance, trans } = props;
  return [
    glance.title,
    stateWord(glance, trans),
    howFar(glance, trans),
    tallyInWords(glance, trans),
    bestText(glance),
    whenText({ ...props, trace: undefined }),
    whereText(glance)
  ]
    .filter(Boolean)
    .join(', ');
}

/** What the pointer is told: the whole name, what happened, where it belongs. */
export function itemTip(glance: Glance, trans: TranslationBundle): string {
  const message =
    glance.isOver || glance.setUpSeconds !== undefined ? glance.message : '';
  const folder = glance.project ? trans.__('Folder: %1', glance.project) : '';
  return [
    glance.title,
    [stateWord(glance, trans), tallyInWords(glance, trans)].filter(Boolean).join(', '),
    message,
    folder,
    trans.__('Store: %1', glance.store)
  ]
    .filter(Boolean)
    .join('\n');
}
