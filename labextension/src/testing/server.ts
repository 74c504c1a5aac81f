import { Client, Offline, Refusal, type IRequest } from '../api/client';
import type { Glance } from '../api/types';
import type { Trace } from '../model/traces';
import { VERSION } from '../model/version';

/** A glance at an experiment, of which a test says what matters. */
export function glance(name: string, fields: Partial<Glance> = {}): Glance {
  return {
    uid: name.padStart(32, '0'),
    name,
    namespace: 'default',
    title: name,
    store: 'a.db',
    project: '/home/me/work',
    state: 'Running',
    isOver: false,
    objective: { type: 'maximize', metric: 'accuracy', goal: null },
    algorithm: 'tpe',
    trials: { Succeeded: 3, Running: 1 },
    maxTrialCount: 10,
    best: { trial: 2, value: 0.9, parameters: {} },
    created: 1000,
    ended: null,
    file: `${name}.ipynb`,
    place: 'local',
    revision: 1,
    ...fields
  };
}

/** An experiment that has ended. */
export function ended(name: string, fields: Partial<Glance> = {}): Glance {
  return glance(name, { state: 'Succeeded', isOver: true, ended: 2000, ...fields });
}

/** What a server answers that a test has in its hands. */
export class FakeClient extends Client {
  experiments: Glance[] = [];
  silent: { store: string; message: string }[] = [];
  version = VERSION;
  trace: Trace = {
    steps: [
      [0, 0.5],
      [2, 0.9]
    ],
    length: 3,
    front: null
  };
  /** What every answer is instead. */
  failure: Error | undefined;
  /** What was asked for, in order. */
  readonly asked: string[] = [];

  async ask<T>(path: string, { query }: IRequest = {}): Promise<T> {
    const uids = query?.uid as string[] | undefined;
    this.asked.push(uids ? `${path} ${uids.join(' ')}` : path);
    if (this.failure) {
      throw this.failure;
    }
    if (path === '/') {
      return { version: this.version, stores: ['a.db'] } as T;
    }
    if (path.endsWith('/trace')) {
      return this.trace as T;
    }
    const experiments = this.experiments.filter(
      each => !uids || uids.includes(each.uid)
    );
    return { experiments, silent: this.silent } as T;
  }
}

export const offline = new Offline('no route');
export const missing = new Refusal(404, '404 Not Found');
