import * as React from 'react';
import type { ExperimentState, Glance, TrialState } from '../api/types';
import { hasNoResult } from '../format/words';
import shapes from './shapes.json';

export type MarkName = keyof typeof shapes;

const EXPERIMENTS: Record<ExperimentState, MarkName> = {
  Created: 'created',
  Running: 'running',
  Restarting: 'running',
  Succeeded: 'succeeded',
  Failed: 'failed',
  Stopped: 'stopped',
  Interrupted: 'stopped'
};

const TRIALS: Record<TrialState, MarkName> = {
  Created: 'created',
  Running: 'running',
  Succeeded: 'succeeded',
  EarlyStopped: 'early',
  Failed: 'failed',
  MetricsUnavailable: 'failed',
  Killed: 'killed'
};

export function experimentMark(glance: Glance): MarkName {
  return hasNoResult(glance) ? 'failed' : EXPERIMENTS[glance.state];
}

export function trialMark(state: TrialState): MarkName {
  return TRIALS[state];
}

/** The shape of a state; a word stands beside it. */
export function Mark(props: { name: MarkName; size?: number }): JSX.Element {
  const { name, size = 14 } = props;
  return (
    <svg
      className={`hpo-mark ${name}`}
      viewBox="0 0 14 14"
      width={size}
      height={size}
      aria-hidden="true"
      dangerouslySetInnerHTML={{ __html: shapes[name] }}
    />
  );
}
