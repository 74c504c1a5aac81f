import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

/** A cell with its notebook and its place in it. */
export interface IPlace {
  panel: NotebookPanel;
  cell: Cell;
  index: number;
}

const MAGIC = /^\s*(%%(?!tune\b)\S*)/;

/** The magic other than `%%tune` that a whole cell is given to; empty where there is none. */
export function otherMagic(source: string): string {
  return MAGIC.exec(source)?.[1] ?? '';
}

/** Why a cell of code cannot be tuned, in words; empty where it can. */
export function hindrance(place: IPlace, trans: TranslationBundle): string {
  const { cell, panel } = place;
  const { context } = panel;
  const language = context.model.defaultKernelLanguage;
  const magic = otherMagic(cell.model.sharedModel.getSource());
  if (context.model.readOnly || context.contentsModel?.writable === false) {
    return trans.__('The notebook can only be read.');
  }
  if (cell.readOnly || cell.model.getMetadata('editable') === false) {
    return trans.__('The cell is locked against changes.');
  }
  // A notebook that has had no kernel yet says no language.
  if (language && !/python/i.test(language)) {
    return trans.__('hpo_lab tunes Python; the notebook is in %1.', language);
  }
  return magic
    ? trans.__('The cell is given to %1, and a cell has one such magic.', magic)
    : '';
}
