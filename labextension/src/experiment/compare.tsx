import * as React from 'react';
import type { Experiment, Glance } from '../api/types';
import { ServerFigure } from '../figures/figure';
import { metricNumber, number } from '../format/numbers';
import { completed, stateWord } from '../format/words';
import { useAnswer } from './answer';
import { conditionOf, rangeInWords, scaleInWords } from './parameters';
import { useView, type IExperimentProps } from './view';
import { placeInWords, timeUsed } from './words';

/** Another experiment beside this one: the differences first. */
export function Compare(props: IExperimentProps): JSX.Element {
  const { experiment } = props;
  const { model, trans } = useView();
  const [uid, setUid] = React.useState('');
  const { answer: other, problem } = useAnswer<Experiment>(
    uid ? `/experiments/${uid}` : null
  );
  const id = React.useId();

  const { type, metric } = experiment.objective;
  const others = (model.shared.all ?? []).filter(each => each.uid !== experiment.uid);
  const isAlike = (each: Glance) =>
    each.objective.metric === metric && each.objective.type === type;
  const alike = others.filter(isAlike);

  if (!alike.length) {
    return (
      <p className="q sm">
        {others.length
          ? trans.__('No other experiment has the objective %1 (%2).', metric, type)
          : trans.__('There is no other experiment yet.')}
      </p>
    );
  }
  return (
    <>
      <div className="jp-HpoTools">
        <label htmlFor={id}>{trans.__('Compare with')}</label>
        <select
          id={id}
          className="jp-HpoSelect"
          value={uid}
          onChange={event => setUid(event.currentTarget.value)}
        >
          <option value="">{trans.__('Choose an experiment')}</option>
          {alike.map(each => (
            <option key={each.uid} value={each.uid}>
              {each.best
                ? trans.__('%1, %2', each.title, metricNumber(each.best.value))
                : each.title}
            </option>
          ))}
        </select>
      </div>
      {problem ? (
        <p className="bad sm" role="alert">
          {problem}
        </p>
      ) : null}
      {!uid ? (
        <p className="q sm">
          {trans.__('What differs, the best values and both curves are shown here.')}
        </p>
      ) : null}
      {other ? (
        <>
          <SideBySide
            label={trans.__('Differences')}
            rows={differences(experiment, other)}
            titles={[experiment.title, other.title]}
            nothing={trans.__('They are set up alike.')}
          />
          <ServerFigure
            client={model.client}
            path={`/experiments/${experiment.uid}/comparison`}
            query={{ other: uid }}
            revision={model.version}
            trans={trans}
          />
          <SideBySide
            label={trans.__('Best values')}
            rows={bestValues(experiment, other)}
            titles={[experiment.title, other.title]}
            nothing={trans.__('Neither has a best trial.')}
          />
        </>
      ) : null}
    </>
  );

  function differences(first: Experiment, second: Experiment): IRow[] {
    const pair = [first, second];
    const both = (name: string, say: (each: Experiment) => string): IRow => ({
      name,
      values: pair.map(say)
    });
    const facts = [
      both(trans.__('State'), each => stateWord(each, trans)),
      both(metric, each => (each.best ? metricNumber(each.best.value) : '–')),
      both(trans.__('As written'), each =>
        each.asWritten === undefined ? '–' : metricNumber(each.asWritten)
      ),
      both(trans.__('Trials'), each => String(completed(each))),
      both(trans.__('Failed'), each => String(each.trials.Failed ?? 0)),
      both(trans.__('Time'), each => timeUsed(each)),
      both(trans.__('Algorithm'), each => each.algorithm),
      both(trans.__('Parallel'), each => number(each.budgets.parallel, true)),
      both(trans.__('Place'), each => placeInWords(each.place, trans))
    ];
    const names = new Set(
      pair.flatMap(each => each.parameters.map(parameter => parameter.name))
    );
    const ranges = [...names].map(name => ({
      name,
      isCode: true,
      values: pair.map(each => {
        const parameter = each.parameters.find(own => own.name === name);
        if (!parameter) {
          return trans.__('none');
        }
        const words = [rangeInWords(parameter, trans), scaleInWords(parameter, trans)];
        return [...words, conditionOf(parameter)].filter(Boolean).join(', ');
      })
    }));
    return [...facts, ...ranges].filter(isDifferent);
  }

  function bestValues(first: Experiment, second: Experiment): IRow[] {
    const pair = [first, second];
    const names = pair.flatMap(each =>
      each.parameters.map(parameter => parameter.name)
    );
    const rows = [...new Set(names)].map(name => ({
      name,
      isCode: true,
      values: pair.map(each => number(each.best?.parameters[name]) || '–')
    }));
    // What differs stands first.
    return [...rows.filter(isDifferent), ...rows.filter(each => !isDifferent(each))];
  }
}

/** A row of two columns. */
export interface IRow {
  name: string;
  isCode?: boolean;
  values: string[];
}

function isDifferent(row: IRow): boolean {
  return row.values.some(each => each !== row.values[0]);
}

export interface ISideBySideProps {
  label: string;
  rows: readonly IRow[];
  titles: readonly string[];
  nothing: string;
}

/** A table with a column for each of two. */
export function SideBySide(props: ISideBySideProps): JSX.Element {
  const { label, rows, titles, nothing } = props;
  return (
    <section aria-label={label}>
      <h3>{label}</h3>
      {rows.length ? (
        <div className="hpo-scroll jp-HpoPair" tabIndex={0}>
          <table aria-label={label}>
            <thead>
              <tr>
                <td />
                {titles.map((title, place) => (
                  <th key={place} scope="col">
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(row => (
                <tr key={row.name}>
                  <th scope="row">{row.isCode ? <code>{row.name}</code> : row.name}</th>
                  {row.values.map((value, place) => (
                    <td key={place} className={isDifferent(row) ? '' : 'q'}>
                      {value}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <p className="q sm">{nothing}</p>
      )}
    </section>
  );
}
