import * as React from 'react';
import type { Trial } from '../../api/types';
import { isBest, isWritten, useView, type IExperimentProps } from '../view';
import type { IColumn } from './columns';
import { pressed, type IOrder } from './order';
import { HEIGHT, Row } from './row';
import { rowsInView, scrolledTo } from './windowing';

const HEAD = 30;

export interface ITableProps extends IExperimentProps {
  trials: readonly Trial[];
  columns: readonly IColumn[];
  order: IOrder | null;
  sort: (order: IOrder | null) => void;
  opened: number | null;
  open: (number: number) => void;
  marked: readonly number[];
  mark: (number: number) => void;
}

/** The table of trials: of very many rows those in view are there. */
export function Table(props: ITableProps): JSX.Element {
  const { experiment, trials, columns, order, sort, opened, open, marked, mark } =
    props;
  const { trans } = useView();
  const box = React.useRef<HTMLDivElement>(null);
  const [scrolled, setScrolled] = React.useState({ top: 0, room: 640 });
  const [active, setActive] = React.useState(0);

  React.useEffect(() => {
    const node = box.current;
    if (!node) {
      return;
    }
    const measure = () => {
      const next = { top: node.scrollTop, room: node.clientHeight - HEAD };
      setScrolled(before => {
        // As long as the rows are there, nothing is drawn.
        const rows = (each: typeof next) => Math.floor(each.top / HEIGHT / 4);
        return rows(before) === rows(next) && before.room === next.room ? before : next;
      });
    };
    const observer = new ResizeObserver(measure);
    observer.observe(node);
    node.addEventListener('scroll', measure, { passive: true });
    measure();
    return () => {
      observer.disconnect();
      node.removeEventListener('scroll', measure);
    };
  }, []);

  const { start, end } = rowsInView(scrolled.top, scrolled.room, HEIGHT, trials.length);
  const shown = trials.slice(start, end);
  const width = columns.reduce((sum, column) => sum + column.width, 0);
  const current = Math.min(active, trials.length - 1);
  // What has the keyboard may have been scrolled away.
  const reachable = current >= start && current < end ? current : start;

  const onKeyDown = (event: React.KeyboardEvent) => {
    const page = Math.max(1, Math.floor(scrolled.room / HEIGHT) - 1);
    const steps: Record<string, number> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: -trials.length,
      End: trials.length
    };
    const step = steps[event.key];
    const node = box.current;
    const isInRow = (event.target as HTMLElement).closest('tbody');
    if (step === undefined || !node || !isInRow) {
      return;
    }
    event.preventDefault();
    const place = Math.max(0, Math.min(trials.length - 1, reachable + step));
    setActive(place);
    node.scrollTop = scrolledTo(
      place,
      node.scrollTop,
      node.clientHeight - HEAD,
      HEIGHT
    );
    setScrolled({ top: node.scrollTop, room: node.clientHeight - HEAD });
    const { number } = trials[place];
    requestAnimationFrame(() => focusTrial(node, number));
  };

  return (
    <div ref={box} className="jp-HpoTable" tabIndex={-1} onKeyDown={onKeyDown}>
      <table
        aria-label={trans.__('Trials')}
        aria-rowcount={trials.length + 1}
        style={{ minWidth: width }}
      >
        <colgroup>
          {columns.map(column => (
            <col key={column.key} style={{ width: column.width }} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map(column => (
              <Head key={column.key} column={column} order={order} sort={sort} />
            ))}
          </tr>
        </thead>
        <tbody>
          <Spacer rows={start} columns={columns.length} />
          {shown.map((trial, index) => (
            <Row
              key={trial.number}
              trial={trial}
              isBest={isBest(experiment, trial)}
              isWritten={isWritten(experiment, trial)}
              isOver={experiment.isOver}
              columns={columns}
              place={start + index}
              isOpen={trial.number === opened}
              isMarked={marked.includes(trial.number)}
              isActive={start + index === reachable}
              open={open}
              mark={mark}
            />
          ))}
          <Spacer rows={trials.length - end} columns={columns.length} />
        </tbody>
      </table>
    </div>
  );
}

/** Puts the keyboard on a trial of the table. */
export function focusTrial(node: Element | null | undefined, number: number): void {
  node
    ?.querySelector<HTMLElement>(`[data-trial="${number}"]`)
    ?.focus({ preventScroll: true });
}

function Spacer(props: { rows: number; columns: number }): JSX.Element | null {
  return props.rows > 0 ? (
    <tr aria-hidden="true" className="jp-HpoSpacer">
      <td colSpan={props.columns} style={{ height: props.rows * HEIGHT }} />
    </tr>
  ) : null;
}

interface IHeadProps {
  column: IColumn;
  order: IOrder | null;
  sort: (order: IOrder | null) => void;
}

function Head(props: IHeadProps): JSX.Element {
  const { column, order, sort } = props;
  const { trans } = useView();
  const isSorted = order?.key === column.key;
  const sorting = !isSorted ? 'none' : order.isDescending ? 'descending' : 'ascending';
  const title =
    column.kind === 'parameter' ? <code>{column.title}</code> : column.title;
  const direction = column.kind !== 'objective' ? '' : column.isMaximized ? ' ↑' : ' ↓';
  const mark = !isSorted ? '' : order.isDescending ? ' ▾' : ' ▴';
  return (
    <th
      scope="col"
      aria-sort={sorting}
      className={column.kind === 'state' ? 'lft' : undefined}
    >
      <button
        type="button"
        className="jp-HpoSort"
        title={trans.__('Sort by %1', column.title)}
        onClick={() => sort(pressed(order, column))}
      >
        {title}
        {direction}
        {mark}
      </button>
    </th>
  );
}
