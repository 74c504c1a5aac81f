import { Token } from '@lumino/coreutils';
import type { ExperimentsModel } from './model/experiments';

/** What every part of the extension shares. */
export interface IHpoLab {
  /** The experiments of the server. */
  readonly experiments: ExperimentsModel;
}

export const IHpoLab = new Token<IHpoLab>(
  'hpo-lab:IHpoLab',
  'The experiments of hpo_lab that the server shows.'
);

/** The identifiers of the commands, for menus, settings and other extensions. */
export const CommandIDs = {
  showPanel: 'hpo-lab:show-panel',
  refresh: 'hpo-lab:refresh',
  open: 'hpo-lab:open-experiment',
  tuneValue: 'hpo-lab:tune-value',
  tuneCell: 'hpo-lab:tune-cell',
  newNotebook: 'hpo-lab:new-notebook'
} as const;
