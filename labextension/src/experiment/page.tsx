import * as React from 'react';
import type { Experiment } from '../api/types';
import { metricNumber } from '../format/numbers';
import { stateWord } from '../format/words';
import { TroubleNotice } from '../notices/notices';
import { Compare } from './compare';
import { Head } from './head';
import { Log } from './log';
import { Overview } from './overview';
import { Gallery } from './pictures';
import { Space } from './space';
import { Tabs, type ITab } from './tabs';
import { Trials } from './trials/trials';
import { useModel, ViewContext, type IView } from './view';

/** One experiment: its head, and tabs with the rest. */
export function Page(props: { view: IView }): JSX.Element {
  const { view } = props;
  const { model } = view;
  const [selected, select] = React.useState('overview');
  useModel(model);
  const { experiment } = model;
  return (
    <ViewContext.Provider value={view}>
      <Trouble view={view} />
      {experiment ? (
        <div
          className={
            model.trouble || model.isDeleted ? 'jp-HpoBody jp-mod-stale' : 'jp-HpoBody'
          }
        >
          <Head experiment={experiment} />
          <Tabs
            label={view.trans.__('Parts of the experiment')}
            tabs={tabs(view, experiment)}
            selected={selected}
            select={select}
          />
          <News view={view} experiment={experiment} />
        </div>
      ) : null}
    </ViewContext.Provider>
  );
}

function tabs(view: IView, experiment: Experiment): ITab[] {
  const { trans, model } = view;
  return [
    {
      name: 'overview',
      title: trans.__('Overview'),
      render: () => <Overview experiment={experiment} />
    },
    {
      name: 'space',
      title: trans.__('Search space'),
      render: () => <Space experiment={experiment} />
    },
    {
      name: 'trials',
      title: trans.__('Trials'),
      render: () => <Trials experiment={experiment} />
    },
    {
      name: 'curves',
      title: trans.__('Curves'),
      render: () => (
        <Gallery
          names={['rungs', 'lineage', 'pareto', 'curves', 'edf', 'constraints']}
          nothing={trans.__('No trial has reported anything yet.')}
        />
      )
    },
    {
      name: 'importances',
      title: trans.__('Importances'),
      render: () => (
        <Gallery
          names={['importances', 'parallel', 'slices', 'contour']}
          nothing={trans.__('There is nothing to show yet.')}
        />
      )
    },
    {
      name: 'compare',
      title: trans.__('Compare'),
      render: () => <Compare experiment={experiment} />
    },
    {
      name: 'log',
      title: trans.__('Log'),
      render: () => (
        <Log
          path={`/experiments/${model.uid}/log`}
          isLive={!experiment.isOver}
          nothing={trans.__('No runner of this machine has written a log.')}
        />
      )
    }
  ];
}

/** Why the view is not up to date: deleted, offline, or a store that does not answer. */
function Trouble(props: { view: IView }): JSX.Element | null {
  const { model, trans } = props.view;
  const { trouble, experiment } = model;
  if (model.isDeleted) {
    return (
      <div className="hpo-note err" role="alert">
        <b>{trans.__('This experiment is not there any more.')}</b>{' '}
        {experiment
          ? trans.__('It was deleted. What is shown is how it was last.')
          : trans.__('It was deleted, or is in a store that the server does not show.')}
      </div>
    );
  }
  if (!trouble) {
    return experiment ? null : (
      <p className="q sm" role="status">
        {trans.__('Reading the experiment…')}
      </p>
    );
  }
  return (
    <TroubleNotice
      {...{ trans, trouble }}
      title={trans.__('The experiment cannot be shown.')}
      retry={() => void model.refresh()}
    />
  );
}

/** A new best and the end, for those who cannot see them. */
function News(props: { view: IView; experiment: Experiment }): JSX.Element {
  const { view, experiment } = props;
  const { trans } = view;
  const before = React.useRef(experiment);
  const [news, setNews] = React.useState('');
  React.useEffect(() => {
    const { best, isOver } = before.current;
    before.current = experiment;
    if (experiment.isOver && !isOver) {
      setNews(trans.__('%1: %2', experiment.title, stateWord(experiment, trans)));
    } else if (experiment.best && experiment.best.trial !== best?.trial) {
      const { trial, value } = experiment.best;
      setNews(trans.__('New best: %1 in trial %2', metricNumber(value), trial));
    }
  }, [experiment, trans]);
  return (
    <div className="jp-HpoUnseen" aria-live="polite">
      {news}
    </div>
  );
}
