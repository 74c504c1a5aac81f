import * as React from 'react';
import type { Experiment, Trial } from '../../api/types';
import { duration, metricNumber, number } from '../../format/numbers';
import { isAtBound, position } from '../../format/scale';
import { Mark, trialMark, type MarkName } from '../../marks/mark';
import { isBest, isWritten, useView } from '../view';
import { trialInWords } from '../../format/words';
import { secondsOf, type IColumn } from './columns';

/** Of a row, in pixels. */
export const HEIGHT = 34;

export interface IRowProps {
  experiment: Experiment;
  trial: Trial;
  columns: readonly IColumn[];
  /** Its place among the rows, from 0. */
  place: number;
  isOpen: boolean;
  isMarked: boolean;
  isActive: boolean;
  open: (number: number) => void;
  mark: (number: number) => void;
}

/** A trial as a row. */
export const Row = React.memo(function Row(props: IRowProps): JSX.Element {
  const { experiment, trial, columns, place, isOpen, isMarked, isActive, open, mark } =
    props;
  const { trans } = useView();
  const kinds = [
    isBest(experiment, trial) ? 'best' : isWritten(experiment, trial) ? 'written' : '',
    isOpen ? 'sel' : ''
  ];
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
            <Cell experiment={experiment} trial={trial} column={column} />
          )}
        </td>
      ))}
    </tr>
  );
});

interface ICellProps {
  experiment: Experiment;
  trial: Trial;
  column: IColumn;
}

function Cell(props: ICellProps): JSX.Element {
  const { experiment, trial, column } = props;
  switch (column.kind) {
    case 'state':
      return <State experiment={experiment} trial={trial} />;
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
export function State(props: { experiment: Experiment; trial: Trial }): JSX.Element {
  const { experiment, trial } = props;
  const { trans } = useView();
  const isBestOne = isBest(experiment, trial);
  const isOwn = isWritten(experiment, trial);
  let name: MarkName = isBestOne ? 'best' : trialMark(trial.state);
  let word = trialInWords(trial.state, trans);
  if (isBestOne) {
    word = isOwn ? trans.__('Best, as written') : trans.__('Best');
  } else if (isOwn) {
    word = trans.__('As written');
  } else if (trial.state === 'Created' && experiment.isOver) {
    word = trans.__('Waits for resume');
    name = 'created';
  }
  return (
    <span title={trial.message || undefined}>
      <Mark name={name} />
      {word}
    </span>
  );
}
