import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { EditedCell } from '../api/types';
import { Problems } from '../forms/fields';

const PAUSE = 250;

/** What the server says of an edit. */
export interface IChecked {
  cell: EditedCell | undefined;
  /** What is wrong on the line that the edit is about. */
  problems: string[];
  /** The source with the edit, where it is of what the form says now and nothing is wrong. */
  source: string | undefined;
}

/**
 * Have the server make an edit whenever *key* changes, after a pause in typing.
 *
 * @param line The line of the edited cell, counted from 1, whose problems count.
 */
export function useChecked(
  key: string,
  edit: () => Promise<EditedCell>,
  line: (cell: EditedCell) => number
): IChecked {
  const [{ of, cell, problems }, setChecked] = React.useState<{
    of?: string;
    cell?: EditedCell;
    problems: string[];
  }>({ problems: [] });
  React.useEffect(() => {
    let isOver = false;
    const timer = window.setTimeout(async () => {
      try {
        const edited = await edit();
        const wrong = edited.problems.filter(each => each.line === line(edited));
        if (!isOver) {
          const messages = wrong.map(each => each.message);
          setChecked({ of: key, cell: edited, problems: messages });
        }
      } catch (error) {
        if (!isOver) {
          setChecked({ of: key, problems: [(error as Error).message] });
        }
      }
    }, PAUSE);
    return () => {
      isOver = true;
      window.clearTimeout(timer);
    };
  }, [key]);
  const isRight = of === key && !problems.length;
  return { cell, problems, source: isRight ? cell?.source : undefined };
}

/** The line that will be written, and what is wrong with it. */
export function Preview(props: {
  checked: IChecked;
  line: number;
  trans: TranslationBundle;
}): JSX.Element {
  const { checked, line, trans } = props;
  const text = checked.cell?.source.split('\n')[line - 1] ?? '';
  return (
    <div className="jp-HpoForm-preview">
      <div className="q xs">{trans.__('This will stand in the cell')}</div>
      <pre>{text || ' '}</pre>
      <Problems messages={checked.problems} />
    </div>
  );
}
