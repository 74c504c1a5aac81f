import type { TranslationBundle } from '@jupyterlab/translation';
import { Token } from '@lumino/coreutils';
import type { ExperimentsModel } from './model/experiments';
import type { Preferences } from './model/preferences';

/** What every part of the extension shares. */
export interface IHpoLab {
  /** The experiments of the server. */
  readonly experiments: ExperimentsModel;
  /** What the user prefers. */
  readonly preferences: Preferences;
}

export const IHpoLab = new Token<IHpoLab>(
  'hpo-lab:IHpoLab',
  'The experiments of hpo_lab that the server shows.'
);

/** The MIME type of an experiment as data; beside it stands its panel as HTML. */
export const EXPERIMENT = 'application/vnd.hpo-lab.experiment+json';

/** Where the settings of the extension are. */
export const SETTINGS = 'hpo-lab:panel';

/** The category of the commands in the palette. */
export function categoryOf(trans: TranslationBundle): string {
  return trans.__('Hyperparameter Tuning');
}

/** The identifiers of the commands, for menus, settings and other extensions. */
export const CommandIDs = {
  showPanel: 'hpo-lab:show-panel',
  refresh: 'hpo-lab:refresh',
  open: 'hpo-lab:open-experiment',
  tuneValue: 'hpo-lab:tune-value',
  tuneCell: 'hpo-lab:tune-cell',
  newNotebook: 'hpo-lab:new-notebook',
  stop: 'hpo-lab:stop-experiment',
  resume: 'hpo-lab:resume-experiment',
  delete: 'hpo-lab:delete-experiment',
  enqueue: 'hpo-lab:enqueue-point',
  runAgain: 'hpo-lab:run-again',
  insertBest: 'hpo-lab:insert-best',
  copyBest: 'hpo-lab:copy-best',
  exportReport: 'hpo-lab:export-report'
} as const;
