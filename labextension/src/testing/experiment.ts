import type { Experiment, Trial } from '../api/types';

/** A finished experiment with two parameters, whose best trial is 2. */
export function experiment(more: Partial<Experiment> = {}): Experiment {
  return {
    uid: 'a'.repeat(32),
    name: 'digits',
    namespace: 'default',
    title: 'digits',
    store: 'store',
    state: 'Succeeded',
    isOver: true,
    objective: { type: 'maximize', metric: 'accuracy', goal: null },
    algorithm: 'tpe',
    trials: { Succeeded: 3, Failed: 1 },
    maxTrialCount: 4,
    best: { trial: 2, value: 0.9644, parameters: { lr: 0.001312, units: 512 } },
    asWritten: 0.3383,
    elapsedSeconds: 121,
    file: 'digits.ipynb',
    cell: null,
    created: 1000,
    ended: 1121,
    notebook: { path: '/root/digits.ipynb', served: 'digits.ipynb' },
    place: 'local',
    revision: 9,
    parameters: [
      {
        name: 'lr',
        parameterType: 'double',
        feasibleSpace: { min: 0.0001, max: 0.1, distribution: 'logUniform' }
      },
      {
        name: 'units',
        parameterType: 'int',
        feasibleSpace: { min: 16, max: 512 }
      },
      {
        name: 'opt',
        parameterType: 'categorical',
        feasibleSpace: { list: ['adam', 'sgd'] }
      }
    ],
    written: { lr: 0.1, units: 32, opt: 'sgd' },
    budgets: { trials: 4, parallel: 2, timeout: 600, goal: null, max_failed: null },
    hints: { bounds: [], failures: [] },
    conditions: [],
    lastFailure: null,
    ...more
  };
}

/** A trial that has succeeded with *value*; without one it has failed. */
export function trial(
  number: number,
  value?: number,
  more: Partial<Trial> = {}
): Trial {
  return {
    number,
    state: value === undefined ? 'Failed' : 'Succeeded',
    parameters: { lr: 0.01 * (number + 1), units: 16 * (number + 1) },
    values: value === undefined ? {} : { accuracy: value },
    metrics: value === undefined ? {} : { accuracy: value },
    started: 100,
    ended: 100 + number,
    message: '',
    attempt: 1,
    ...more
  };
}
