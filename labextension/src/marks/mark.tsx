import * as React from 'react';
import type { ExperimentState, Glance, TrialState } from '../api/types';
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

/** Whether it is over without a value in any trial, whatever its record says. */
export function hasNoResult(glance: Glance): boolean {
  return glance.state === 'Succeeded' && glance.best === null && !glance.text;
}

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
