import type { TranslationBundle } from '@jupyterlab/translation';
import { refreshIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import type { ExperimentsModel } from '../model/experiments';
import type { Preferences, Sort } from '../model/preferences';
import type { Traces } from '../model/traces';
import { SilentNotice, TroubleNotice, VersionsNotice } from '../notices/notices';
import { example } from '../notebook/example';
import { Empty } from './empty';
import { ExperimentList } from './list';
import { News } from './news';
import { grouped, matches, sorted } from './order';

export interface IViewProps {
  model: ExperimentsModel;
  preferences: Preferences;
  traces: Traces;
  current: string | undefined;
  active: string | undefined;
  setActive: (uid: string) => void;
  open: (uid: string) => void;
  insert: (code: string) => void;
  trans: TranslationBundle;
}

/** The panel: head, filter, what is the matter, and the experiments. */
export function PanelView(props: IViewProps): JSX.Element {
  const { model, trans } = props;
  const { all, silent, trouble } = model;
  const [filter, setFilter] = React.useState('');
  const retry = () => void model.refresh();
  const hasList = Boolean(all?.length);
  const isListed = hasList || (!all && !trouble);
  return (
    <>
      <div className="jp-HpoPanel-head">
        <h2>{trans.__('Experiments')}</h2>
        {isListed ? <Order {...props} /> : null}
        <button
          type="button"
          className="quiet jp-HpoPanel-refresh"
          title={trans.__('Refresh')}
          aria-label={trans.__('Refresh')}
          onClick={retry}
        >
          <refreshIcon.react tag="span" height="16px" width="16px" />
        </button>
      </div>
      {isListed ? <Controls {...props} filter={filter} setFilter={setFilter} /> : null}
      <div className={`jp-HpoPanel-body ${trouble ? 'stale' : ''}`}>
        <VersionsNotice about={model.about} trans={trans} />
        {trouble ? (
          <TroubleNotice
            {...{ retry, trans, trouble }}
            title={trans.__('The experiments cannot be shown.')}
          />
        ) : null}
        {silent.length && !trouble ? (
          <SilentNotice {...{ retry, silent, trans }} />
        ) : null}
        {hasList ? <Listed {...props} filter={filter} /> : null}
        {!all && !trouble ? (
          <p className="jp-HpoPanel-quiet q" role="status">
            {trans.__('Reading the experiments…')}
          </p>
        ) : null}
        {all && !hasList && !trouble && !silent.length ? (
          <Empty
            code={example(props.preferences.current.store)}
            insert={props.insert}
            trans={trans}
          />
        ) : null}
      </div>
      <News model={model} trans={trans} />
    </>
  );
}

function Order(props: IViewProps): JSX.Element {
  const { preferences, trans } = props;
  return (
    <select
      value={preferences.current.sort}
      title={trans.__('The order of the list')}
      aria-label={trans.__('The order of the list')}
      onChange={event => void preferences.set('sort', event.target.value as Sort)}
    >
      <option value="newest">{trans.__('Newest')}</option>
      <option value="name">{trans.__('Name')}</option>
      <option value="progress">{trans.__('Progress')}</option>
    </select>
  );
}

type IFiltered = IViewProps & { filter: string };

function Controls(
  props: IFiltered & { setFilter: (filter: string) => void }
): JSX.Element {
  const { filter, setFilter, trans } = props;
  return (
    <div className="jp-HpoPanel-controls">
      <input
        type="search"
        value={filter}
        placeholder={trans.__('Filter by name or place')}
        aria-label={trans.__('Filter by name, notebook or place')}
        onChange={event => setFilter(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Escape' && filter) {
            event.stopPropagation();
            setFilter('');
          }
        }}
      />
    </div>
  );
}

function Listed(props: IFiltered): JSX.Element {
  const { filter, model, preferences, trans } = props;
  const { all = [], trouble } = model;
  const { group, sort } = preferences.current;
  const groups = React.useMemo(
    () =>
      grouped(
        sorted(filter ? all.filter(each => matches(each, filter)) : all, sort),
        group
      ),
    [all, filter, group, sort]
  );
  if (!groups.length) {
    return (
      <p className="jp-HpoPanel-quiet q" role="status">
        {trans.__('No experiment has “%1” in its name, notebook or place.', filter)}
      </p>
    );
  }
  return (
    <ExperimentList
      groups={groups}
      traces={props.traces}
      current={props.current}
      active={props.active}
      setActive={props.setActive}
      open={props.open}
      stale={trouble ? trouble.since : 0}
      now={Date.now() / 1000}
      trans={trans}
    />
  );
}
