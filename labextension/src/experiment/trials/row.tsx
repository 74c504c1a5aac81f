import * as React from 'react';
import type { Trial } from '../../api/types';
import { duration, metricNumber, number } from '../../format/numbers';
import { isAtBound, position } from '../../format/scale';
import { Mark, trialMark, type MarkName } from '../../marks/mark';
import { useView } from '../view';
import { trialInWords } from '../../format/words';
import { secondsOf, type IColumn } from './columns';

/** Of a row, in pixels. */
export const HEIGHT = 34;

/** A trial, and what the experiment makes of it. */
export interface IStateProps {
  trial: Trial;
  /** It is the best of one objective. */
  isBest: boolean;
  /** It is the cell as it is written. */
  isWritten: boolean;
  /** The experiment has ended. */
  isOver: boolean;
}

export interface IRowProps extends IStateProps {
  columns: readonly IColumn[];
  /** Its place among the rows, from 0. */
  place: number;
  isOpen: boolean;
  isMarked: boolean;
  isActive: boolean;
  open: (number: number) => void;
  mark: (number: number) => void;
}

/** A trial as a row; it is drawn again only where something of its own has changed. */
export const Row = React.memo(function Row(props: IRowProps): JSX.Element {
  const { trial, isBest, isWritten, isOver, columns, place } = props;
  const { isOpen, isMarked, isActive, open, mark } = props;
  const { trans } = useView();
  const kinds = [isBest ? 'best' : isWritten ? 'written' : '', isOpen ? 'sel' : ''];
  return (
    <tr
      className={kinds.join(' ')}
      aria-rowindex={place + 2}
      style={{ height: HEIGHT }}
      onClick={() => open(trial.number)}
    >
      {columns.map(column => (
        <td key={column.key} className={column.kind === 'state' ? 'lft' : undefined}>
          {column.kind === 'trial' ? (
            <span className="jp-HpoNumber">
              <input
                type="checkbox"
                checked={isMarked}
                tabIndex={isActive ? 0 : -1}
                aria-label={trans.__('Compare trial %1', trial.number)}
                onClick={event => event.stopPropagation()}
                onChange={() => mark(trial.number)}
              />
              <button
                type="button"
                className="jp-HpoOpen"
                data-trial={trial.number}
                tabIndex={isActive ? 0 : -1}
                aria-label={trans.__('Trial %1', trial.number)}
                onClick={event => {
                  event.stopPropagation();
                  open(trial.number);
                }}
              >
                {trial.number}
              </button>
            </span>
          ) : (
            <Cell {...{ trial, isBest, isWritten, isOver, column }} />
          )}
        </td>
      ))}
    </tr>
  );
});

interface ICellProps extends IStateProps {
  column: IColumn;
}

function Cell(props: ICellProps): JSX.Element {
  const { column, ...state } = props;
  const { trial } = state;
  switch (column.kind) {
    case 'state':
      return <State {...state} />;
    case 'objective': {
      const value = trial.values[column.title] ?? trial.metrics[column.title];
      return value === undefined || value === null ? (
        <None />
      ) : (
        <span title={String(value)}>{metricNumber(value)}</span>
      );
    }
    case 'time': {
      const seconds = secondsOf(trial);
      return seconds === null ? <None /> : <>{duration(seconds)}</>;
    }
    default: {
      const value = trial.parameters[column.title];
      const { parameter } = column;
      if (value === undefined || !parameter) {
        return <None />;
      }
      const place = position(parameter, value);
      return (
        <>
          <span className="jp-HpoValue" title={String(value)}>
            {number(value, parameter.parameterType === 'int')}
          </span>
          {place === null ? null : (
            <span
              className={isAtBound(place) ? 'rng edge' : 'rng'}
              style={{ '--p': place.toFixed(3) } as React.CSSProperties}
            />
          )}
        </>
      );
    }
  }
}

/** No value. */
function None(): JSX.Element {
  return <span className="q">–</span>;
}

/** What became of a trial: its mark and a word. */
export function State(props: IStateProps): JSX.Element {
  const { trial, isBest, isWritten, isOver } = props;
  const { trans } = useView();
  let name: MarkName = isBest ? 'best' : trialMark(trial.state);
  let word = trialInWords(trial.state, trans);
  if (isBest) {
    word = isWritten ? trans.__('Best, as written') : trans.__('Best');
  } else if (isWritten) {
    word = trans.__('As written');
  } else if (trial.state === 'Created' && isOver) {
    word = trans.__('Waiting for resume');
    name = 'created';
  }
  return (
    <span title={trial.message || undefined}>
      <Mark name={name} />
      {word}
    </span>
  );
}
