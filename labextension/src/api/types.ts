import type { components, paths } from './schema';

type Schemas = components['schemas'];

/** An experiment at a glance, as a list shows it. */
export type Glance = Schemas['Glance'];
/** One experiment with its search space and its history. */
export type Experiment = Schemas['Experiment'];
export type ExperimentState = Glance['state'];
export type Trial = Schemas['Trial'];
export type TrialState = Trial['state'];
export type Objective = Schemas['Objective'];
export type Best = Schemas['Best'];
export type Parameter = Schemas['Parameter'];
/** The value of a parameter; an integer beyond 2^53 is a text. */
export type Value = boolean | number | string;

/** What `GET` of a path answers. */
export type Answer<Path extends keyof paths> = paths[Path] extends {
  get: { responses: { 200: { content: { 'application/json': infer Body } } } };
}
  ? Body
  : never;
