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

type Content<Body> = Body extends { content: { 'application/json': infer Json } }
  ? Json
  : never;
type Responses = components['responses'];

/** What stands in a cell. */
export type ReadCell = Content<Responses['ReadCell']>;
/** The source of a cell after an edit, and what stands in it then. */
export type EditedCell = Content<Responses['EditedCell']>;
/** A value of a cell that can be tuned. */
export type Tunable = ReadCell['values'][number];
/** All that may be said of a tuning run. */
export type Options = Content<Responses['Options']>;
/** A search algorithm or a rule of early stopping. */
export type Configurable = Schemas['Configurable'];
export type Option = Schemas['Option'];
