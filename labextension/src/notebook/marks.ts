import { RangeSet, StateEffect, StateField, type Extension } from '@codemirror/state';
import {
  EditorView,
  gutter,
  GutterMarker,
  ViewPlugin,
  type ViewUpdate
} from '@codemirror/view';
import type { TranslationBundle } from '@jupyterlab/translation';
import shapes from '../marks/shapes.json';
import type { Cells } from './cells';
import { otherMagic } from './tunable';
import { annotationInWords } from './words';

/** A pause in typing after which a cell is read, in milliseconds. */
const PAUSE = 400;
/** What a cell must have for anything to be read in it. */
const PERHAPS = /#.*\btun|^\s*%%tune\b/m;

function isRead(source: string): boolean {
  return PERHAPS.test(source) && !otherMagic(source);
}

/** A line and what its mark says. */
interface ILineMark {
  line: number;
  tip: string;
  isWrong: boolean;
}

class Mark extends GutterMarker {
  constructor(readonly mark: ILineMark) {
    super();
  }

  eq(other: Mark): boolean {
    return other.mark.tip === this.mark.tip && other.mark.isWrong === this.mark.isWrong;
  }

  toDOM(): Node {
    const { tip, isWrong } = this.mark;
    const node = document.createElement('span');
    node.className = `hpo jp-HpoMark ${isWrong ? 'jp-mod-wrong' : ''}`;
    node.title = tip;
    node.setAttribute('role', 'img');
    node.setAttribute('aria-label', tip);
    // Two sliders; what is wrong has the cross that it has everywhere.
    const shape = isWrong
      ? shapes.failed
      : '<path d="M1 4.5h12M1 9.5h12" stroke-width="1.2"/><circle cx="9" cy="4.5" r="2.2"/><circle cx="5" cy="9.5" r="2.2"/>';
    node.innerHTML = `<svg class="hpo-mark ${isWrong ? 'failed' : ''}" viewBox="0 0 14 14" width="12" height="12" aria-hidden="true">${shape}</svg>`;
    return node;
  }
}

const setMarks = StateEffect.define<ILineMark[]>();

const marks = StateField.define<RangeSet<Mark>>({
  create: () => RangeSet.empty,
  update(set, transaction) {
    let now = set.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (effect.is(setMarks)) {
        const { doc } = transaction.state;
        const ranges = effect.value
          .filter(each => each.line >= 1 && each.line <= doc.lines)
          .map(each => new Mark(each).range(doc.line(each.line).from));
        now = RangeSet.of(ranges, true);
      }
    }
    return now;
  }
});

/** Where marks stand, and what a click on that of a line does. */
export interface IMarked {
  isPython: () => boolean;
  open: (line: number, node: Element) => void;
}

/** Marks lines of a cell that are tuned, and those with a mistake. */
export function tuneMarks(
  cells: Cells,
  trans: TranslationBundle,
  { isPython, open }: IMarked
): Extension {
  const reader = ViewPlugin.fromClass(
    class {
      constructor(private readonly _view: EditorView) {
        this._readSoon();
      }

      update(update: ViewUpdate): void {
        // The language of a new notebook is known after its cells are shown.
        const isOther = update.transactions.some(each => each.reconfigured);
        if (update.docChanged || isOther) {
          this._readSoon();
        }
      }

      destroy(): void {
        window.clearTimeout(this._timer);
        this._isOver = true;
      }

      private _readSoon(): void {
        window.clearTimeout(this._timer);
        this._timer = window.setTimeout(() => void this._readNow(), PAUSE);
      }

      private async _readNow(): Promise<void> {
        const { doc } = this._view.state;
        const source = doc.toString();
        let lines: ILineMark[] = [];
        if (!cells.isOff && isPython() && isRead(source)) {
          try {
            lines = linesOf(await cells.read(source), trans);
          } catch {
            // Without the server there are no marks; what is written counts all the same.
            return;
          }
        }
        const isSame = !this._isOver && this._view.state.doc.eq(doc);
        if (isSame && (lines.length || this._view.state.field(marks).size)) {
          this._view.dispatch({ effects: setMarks.of(lines) });
        }
      }

      private _timer = 0;
      private _isOver = false;
    }
  );
  const margin = gutter({
    class: 'jp-HpoGutter',
    markers: view => view.state.field(marks),
    domEventHandlers: {
      click: (view, block) => {
        open(view.state.doc.lineAt(block.from).number, view.dom);
        return true;
      }
    }
  });
  return [marks, reader, margin];
}

/** The marks of a cell, one for each line. */
export function linesOf(
  cell: Awaited<ReturnType<Cells['read']>>,
  trans: TranslationBundle
): ILineMark[] {
  const byLine = new Map<number, ILineMark>();
  for (const each of cell.parameters) {
    byLine.set(each.line, {
      line: each.line,
      tip: annotationInWords(each, trans),
      isWrong: false
    });
  }
  for (const { line, message } of cell.problems) {
    const before = byLine.get(line);
    const tip = before?.isWrong ? `${before.tip}\n${message}` : message;
    byLine.set(line, { line, tip, isWrong: true });
  }
  return [...byLine.values()];
}
