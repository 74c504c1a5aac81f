import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { Glance } from '../api/types';
import { clock } from '../format/words';
import type { Traces } from '../model/traces';
import { Item, itemLabel, itemTip } from './item';
import type { IGroup } from './order';

/** The heights of `style/panel.css`: of rows, and of the heads of groups. */
const HEIGHTS = { running: 73, ended: 61, head: 30 } as const;

const BEYOND = 240;

export interface IListProps {
  groups: readonly IGroup[];
  traces: Traces;
  /** The experiment that is open in the main area. */
  current: string | undefined;
  /** The experiment that the keys move from. */
  active: string | undefined;
  setActive: (uid: string) => void;
  open: (uid: string) => void;
  stale: number;
  now: number;
  trans: TranslationBundle;
}

interface IRow {
  top: number;
  height: number;
  glance?: Glance;
  group: IGroup;
}

/** The experiments; of hundreds those alone are drawn that are seen. */
export function ExperimentList(props: IListProps): JSX.Element {
  const { groups, current, active, setActive, open, trans } = props;
  const list = React.useRef<HTMLDivElement>(null);
  const { from, to } = useSeen(list);
  const rows = React.useMemo(() => placed(groups), [groups]);
  const items = React.useMemo(() => rows.filter(row => row.glance), [rows]);
  const height = rows.length
    ? rows[rows.length - 1].top + rows[rows.length - 1].height
    : 0;
  const at = items.findIndex(row => row.glance?.uid === active);

  const move = (index: number) => {
    const row = items[Math.max(0, Math.min(items.length - 1, index))];
    if (row?.glance) {
      setActive(row.glance.uid);
      reveal(list.current, row);
    }
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const page = 8;
    const places: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at < 0 ? 0 : at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: items.length - 1
    };
    if (event.key in places) {
      move(places[event.key]);
    } else if ((event.key === 'Enter' || event.key === ' ') && active && at >= 0) {
      open(active);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  const seen = rows.filter(row => row.top + row.height > from && row.top < to);
  return (
    <div
      ref={list}
      className="jp-HpoList"
      role="listbox"
      tabIndex={0}
      aria-label={trans.__('Experiments')}
      aria-activedescendant={at >= 0 ? idOf(active as string) : undefined}
      style={{ height }}
      onKeyDown={onKeyDown}
      onFocus={() => (at < 0 ? move(0) : undefined)}
    >
      {seen.map(row =>
        row.glance ? (
          <div
            key={row.glance.uid}
            id={idOf(row.glance.uid)}
            className={[
              'jp-HpoItem',
              row.glance.isOver ? 'ended' : 'running',
              row.glance.uid === current ? 'current' : '',
              row.glance.uid === active ? 'active' : ''
            ].join(' ')}
            role="option"
            aria-selected={row.glance.uid === current}
            aria-label={itemLabel({ ...props, glance: row.glance })}
            aria-setsize={items.length}
            aria-posinset={items.indexOf(row) + 1}
            title={itemTip(row.glance, trans)}
            data-uid={row.glance.uid}
            style={{ top: row.top }}
            onMouseDown={() => setActive((row.glance as Glance).uid)}
            onClick={() => open((row.glance as Glance).uid)}
          >
            <Item
              glance={row.glance}
              trace={props.traces.of(row.glance)}
              stale={props.stale}
              now={props.now}
              trans={trans}
            />
          </div>
        ) : (
          <div
            key={row.group.kind}
            className="jp-HpoList-head xs q"
            role="presentation"
            aria-hidden="true"
            style={{ top: row.top }}
          >
            <b>{headOf(row.group, props)}</b> {row.group.glances.length}
          </div>
        )
      )}
    </div>
  );
}

function headOf(group: IGroup, props: IListProps): string {
  const { stale, trans } = props;
  if (group.kind === 'ended') {
    return trans.__('Ended');
  }
  return stale ? trans.__('Running at %1', clock(stale)) : trans.__('Running');
}

function placed(groups: readonly IGroup[]): IRow[] {
  const rows: IRow[] = [];
  let top = 0;
  for (const group of groups) {
    if (group.kind !== 'all') {
      rows.push({ top, height: HEIGHTS.head, group });
      top += HEIGHTS.head;
    }
    for (const glance of group.glances) {
      const height = glance.isOver ? HEIGHTS.ended : HEIGHTS.running;
      rows.push({ top, height, glance, group });
      top += height;
    }
  }
  return rows;
}

function idOf(uid: string): string {
  return `jp-HpoItem-${uid}`;
}

/** Which part of the list is before the eyes, and a little more, in pixels from its top. */
function useSeen(list: React.RefObject<HTMLElement>): { from: number; to: number } {
  const [seen, setSeen] = React.useState({ from: 0, to: 1200 });
  React.useLayoutEffect(() => {
    const scroller = list.current?.parentElement;
    if (!scroller) {
      return;
    }
    const look = () => {
      const above = (list.current?.offsetTop ?? 0) - scroller.offsetTop;
      const top = scroller.scrollTop - above;
      const height = scroller.clientHeight || 1200;
      // In coarse steps, so that most pixels of a scroll draw nothing.
      const from = Math.floor((top - BEYOND) / BEYOND) * BEYOND;
      const to = Math.ceil((top + height + BEYOND) / BEYOND) * BEYOND;
      setSeen(old => (old.from === from && old.to === to ? old : { from, to }));
    };
    const observer = new ResizeObserver(look);
    observer.observe(scroller);
    scroller.addEventListener('scroll', look, { passive: true });
    look();
    return () => {
      observer.disconnect();
      scroller.removeEventListener('scroll', look);
    };
  }, [list]);
  return seen;
}

function reveal(list: HTMLElement | null, row: IRow): void {
  const scroller = list?.parentElement;
  if (!list || !scroller) {
    return;
  }
  const top = list.offsetTop - scroller.offsetTop + row.top;
  // The head of the group is shown with its first experiment.
  const above = row.top <= HEIGHTS.head ? HEIGHTS.head : 0;
  if (top - above < scroller.scrollTop) {
    scroller.scrollTop = top - above;
  } else if (top + row.height > scroller.scrollTop + scroller.clientHeight) {
    scroller.scrollTop = top + row.height - scroller.clientHeight;
  }
}
