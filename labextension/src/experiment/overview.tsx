import * as React from 'react';
import { number } from '../format/numbers';
import { Picture, useFigures } from './pictures';
import { useView, type IExperimentProps } from './view';

/** How it got here on the left, the best values and what mattered on the right. */
export function Overview(props: IExperimentProps): JSX.Element {
  const { experiment } = props;
  const { trans, model } = useView();
  const useful = useFigures();
  if (!model.trials.size) {
    return (
      <p className="q sm">
        {experiment.isOver
          ? trans.__('It has no trial.')
          : trans.__('No trial yet. The first one is shown here as it runs.')}
      </p>
    );
  }
  return (
    <div className="jp-HpoColumns">
      <div>
        {useful?.has('pareto') ? <Picture name="pareto" /> : null}
        <Picture name="history" />
        <Picture name="timeline" />
      </div>
      <div>
        <BestValues experiment={experiment} />
        <Hints experiment={experiment} />
        {useful?.has('importances') ? <Picture name="importances" /> : null}
      </div>
    </div>
  );
}

/** The values of the best trial, and what they were in the cell. */
function BestValues(props: IExperimentProps): JSX.Element | null {
  const { experiment } = props;
  const { trans } = useView();
  const { best, written, parameters } = experiment;
  if (!best) {
    return null;
  }
  return (
    <section aria-label={trans.__('Best values')}>
      <h3>
        {trans.__('Best values')}{' '}
        <span className="q">{trans.__('trial %1', best.trial)}</span>
      </h3>
      <dl className="hpo-vals jp-HpoBest">
        {parameters.map(({ name, parameterType }) => {
          const isInteger = parameterType === 'int';
          const value = best.parameters[name];
          const own = written[name];
          const text = number(value, isInteger);
          const was = own === undefined ? '' : number(own, isInteger);
          return (
            <div key={name}>
              <dt>
                <code>{name}</code>
              </dt>
              <dd title={value === undefined ? undefined : String(value)}>
                {value === undefined ? (
                  <span className="q">{trans.__('not active')}</span>
                ) : (
                  <b>{text}</b>
                )}
                {value !== undefined && was && was !== text && best.trial ? (
                  <span className="q"> {trans.__('was %1', was)}</span>
                ) : null}
              </dd>
            </div>
          );
        })}
      </dl>
    </section>
  );
}

/** What a person should be told of the trials: best values at a bound, failures. */
function Hints(props: IExperimentProps): JSX.Element | null {
  const { bounds, failures } = props.experiment.hints;
  const { trans } = useView();
  return (
    <>
      {bounds.map(hint => (
        <div key={hint.name} className="hpo-note edgy">
          <b>
            <code>{hint.name}</code>{' '}
            {hint.bound === 'upper'
              ? trans.__('= %1 is at its upper bound.', number(hint.value))
              : trans.__('= %1 is at its lower bound.', number(hint.value))}
          </b>
          {hint.wider ? (
            <>
              {' '}
              {trans.__('A wider range may be better:')} <code>{hint.wider}</code>
            </>
          ) : null}
        </div>
      ))}
      {failures.map(group => (
        <div key={group.message} className="hpo-note err">
          <b>
            {group.count === 1
              ? trans.__('Trial %1 failed:', group.trials[0])
              : trans._n('%1 trial failed:', '%1 trials failed:', group.count)}{' '}
            {group.message}
          </b>{' '}
          {group.count === 1 ? null : (
            <span className="q">
              {group.count > group.trials.length
                ? trans.__('trials %1, …', group.trials.join(', '))
                : trans.__('trials %1', group.trials.join(', '))}
            </span>
          )}
          {group.inCommon ? (
            <p>
              {trans.__('All of them have this, and no other trial:')}{' '}
              <code>{group.inCommon}</code>
            </p>
          ) : null}
        </div>
      ))}
    </>
  );
}
