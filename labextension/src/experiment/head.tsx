import * as React from 'react';
import { difference, metricNumber } from '../format/numbers';
import { stateWord, trialsDone } from '../format/words';
import { Bar } from '../marks/bar';
import { experimentMark, Mark } from '../marks/mark';
import { Actions } from './actions';
import { objectives, useView, type IExperimentProps } from './view';
import { objectiveInWords, placeInWords, timeLeftLater, timeUsed } from './words';

/** Is it going well, and what is won. */
export function Head(props: IExperimentProps): JSX.Element {
  const { experiment } = props;
  const { trans, openFile } = useView();
  const { notebook } = experiment;
  const served = notebook?.served ?? null;
  const name = (notebook?.path ?? experiment.file ?? '').split('/').pop() ?? '';
  const isUsual = experiment.state === 'Succeeded' && experiment.best;
  const says = experiment.isOver ? !isUsual : experiment.setUpSeconds !== undefined;
  return (
    <div className="jp-HpoTop">
      <div className="jp-HpoTop-said">
        <div className="hpo-head">
          <h2 className="hpo-name">{experiment.title}</h2>
          <span className="hpo-state">
            <Mark name={experimentMark(experiment)} />
            {stateWord(experiment, trans)}
          </span>
          <span>{trialsDone(experiment, trans)}</span>
          {served ? (
            <a
              href="#"
              title={trans.__('Open the notebook %1', served)}
              onClick={event => {
                event.preventDefault();
                openFile(served);
              }}
            >
              {name}
            </a>
          ) : name ? (
            <span className="q" title={notebook?.path}>
              {name}
            </span>
          ) : null}
          <span className="q">{placeInWords(experiment.place, trans)}</span>
          <Times experiment={experiment} />
        </div>
        {says && experiment.message ? (
          <p className="q sm">{experiment.message}</p>
        ) : null}
        <Climb experiment={experiment} />
      </div>
      <Actions experiment={experiment} />
      <div className="jp-HpoTop-bar">
        <Bar glance={experiment} hasKey trans={trans} />
      </div>
    </div>
  );
}

/** Time used and left, which go on between two answers of the server. */
function Times(props: IExperimentProps): JSX.Element | null {
  const { experiment } = props;
  const { trans, model } = useView();
  const [now, setNow] = React.useState(Date.now);
  React.useEffect(() => {
    if (experiment.isOver) {
      return;
    }
    const timer = window.setInterval(() => setNow(Date.now()), 1000);
    return () => window.clearInterval(timer);
  }, [experiment.isOver]);
  const later = model.trouble ? 0 : Math.max(0, (now - model.asOf) / 1000);
  const left = timeLeftLater(experiment, trans, later);
  const used = timeUsed(experiment, later);
  return (
    <span className="q jp-HpoTimes">
      {left ? trans.__('%1, %2', used, left) : used}
    </span>
  );
}

interface ILargeProps {
  kind: 'from' | 'to';
  text: string;
  label: string;
}

function Large(props: ILargeProps): JSX.Element {
  return (
    <span className={props.kind}>
      <span className="n">{props.text}</span> <span className="l">{props.label}</span>
    </span>
  );
}

/** The value as written, the best, and the difference; of several objectives the front. */
function Climb(props: IExperimentProps): JSX.Element {
  const { experiment } = props;
  const { trans } = useView();
  const { best, asWritten, objective, isOver, text } = experiment;
  const wanted = objectiveInWords(objective, trans);
  const names = objectives(experiment).map(each => each.metric);
  if (names.length > 1) {
    const front = (experiment as { paretoFront?: unknown[] }).paretoFront ?? [];
    const label = trans.__('on the Pareto front of %1', names.join(', '));
    return (
      <Alone part={<Large kind="to" text={String(front.length)} label={label} />} />
    );
  }
  if (!best) {
    if (text) {
      const label = trans.__('%1, found last', objective.metric);
      return <Alone part={<Large kind="to" text={text} label={label} />} />;
    }
    return (
      <p className="q sm hpo-wanted">
        {isOver
          ? trans.__('no result: %1', wanted)
          : trans.__('no result yet: %1', wanted)}
      </p>
    );
  }
  if (asWritten === undefined) {
    const label = trans.__('best, trial %1; %2', best.trial, wanted);
    return (
      <Alone part={<Large kind="to" text={metricNumber(best.value)} label={label} />} />
    );
  }
  if (best.trial === 0) {
    const label = isOver
      ? trans.__('as written is best; %1', wanted)
      : trans.__('as written, no better one yet; %1', wanted);
    return (
      <Alone
        part={<Large kind="from" text={metricNumber(asWritten)} label={label} />}
      />
    );
  }
  return (
    <div className="hpo-climb">
      <Large
        kind="from"
        text={metricNumber(asWritten)}
        label={trans.__('as written')}
      />
      <span className="arrow" role="img" aria-label={trans.__('to')}>
        →
      </span>
      <Large
        kind="to"
        text={metricNumber(best.value)}
        label={trans.__('best, trial %1', best.trial)}
      />
      <span>
        <span className="n small">{difference(asWritten, best.value)}</span>{' '}
        <span className="l">{wanted}</span>
      </span>
    </div>
  );
}

function Alone(props: { part: React.ReactNode }): JSX.Element {
  return <div className="hpo-climb">{props.part}</div>;
}
