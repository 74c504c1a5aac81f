import * as React from 'react';
import { reasonOf } from '../../notices/reason';
import type { Answer, Trial } from '../../api/types';
import { download } from '../commands';
import { useView, type IExperimentProps } from '../view';
import { columnsOf, firstParameters, MOST } from './columns';
import { Drawer } from './drawer';
import { arranged, ranked, type IOrder } from './order';
import { Pair } from './pair';
import { focusTrial, Table } from './table';

const AFTER_TYPING = 250;

/** The table of trials with its filter, and the trial that is looked at beside it. */
export function Trials(props: IExperimentProps): JSX.Element {
  const { experiment } = props;
  const { model, trans } = useView();
  const [text, setText] = React.useState('');
  const [order, setOrder] = React.useState<IOrder | null>(null);
  const [opened, setOpened] = React.useState<number | null>(null);
  const [marked, setMarked] = React.useState<readonly number[]>([]);
  const [isChoosing, setIsChoosing] = React.useState(false);
  const [chosen, setChosen] = React.useState<ReadonlySet<string>>();
  const { matching, problem } = useFilter(text);
  const node = React.useRef<HTMLDivElement>(null);
  const { version } = model;

  const parameters =
    chosen ?? firstParameters(experiment.parameters, model.trials.values());
  const names = [...parameters].join('\n');
  const columns = React.useMemo(
    () => columnsOf(experiment, parameters, trans),
    [experiment.uid, names, trans]
  );
  const best = experiment.best?.trial;
  const all = React.useMemo(
    () => ranked(experiment, model.trials.values()),
    [model, version, best]
  );
  const trials = React.useMemo(() => {
    const kept = matching ? all.filter(each => matching.has(each.number)) : all;
    const column = columns.find(each => each.key === order?.key);
    return order && column ? arranged(kept, column, order.isDescending) : kept;
  }, [all, matching, order, columns]);

  const open = React.useCallback((number: number) => setOpened(number), []);
  const mark = React.useCallback(
    (number: number) =>
      setMarked(before =>
        before.includes(number)
          ? before.filter(each => each !== number)
          : [...before, number].slice(-2)
      ),
    []
  );
  const close = () => {
    const number = opened;
    setOpened(null);
    if (number !== null) {
      requestAnimationFrame(() => focusTrial(node.current, number));
    }
  };

  if (!model.trials.size) {
    return (
      <p className="q sm">
        {model.isComplete ? trans.__('No trial yet.') : trans.__('Reading the trials…')}
      </p>
    );
  }
  const trial = opened === null ? undefined : model.trials.get(opened);
  const pair = marked
    .map(each => model.trials.get(each))
    .filter((each): each is Trial => each !== undefined);
  return (
    <div
      ref={node}
      className="jp-HpoTrials"
      onKeyDown={event => {
        if (event.key === 'Escape' && trial) {
          event.stopPropagation();
          close();
        }
      }}
    >
      <div className="jp-HpoTrials-main">
        <div className="jp-HpoTools">
          <input
            type="search"
            className="jp-HpoFilter"
            aria-label={trans.__('Filter of trials')}
            placeholder={trans.__('Filter, such as state:failed lr < 0.01')}
            spellCheck={false}
            autoComplete="off"
            value={text}
            onChange={event => setText(event.currentTarget.value)}
          />
          {experiment.parameters.length > MOST ? (
            <button
              type="button"
              aria-expanded={isChoosing}
              onClick={() => setIsChoosing(!isChoosing)}
            >
              {trans.__('Columns')}
            </button>
          ) : null}
          <button
            type="button"
            title={trans.__('Save all trials with all their columns')}
            onClick={() =>
              download(model.client.url(`/experiments/${model.uid}/table`))
            }
          >
            {trans.__('CSV')}
          </button>
          <span className="q sm" role="status">
            {trials.length === all.length
              ? trans._n('%1 trial', '%1 trials', all.length)
              : trans.__('%1 of %2 trials', trials.length, all.length)}
          </span>
        </div>
        {problem ? (
          <p className="bad sm" role="status">
            {problem}
          </p>
        ) : null}
        {isChoosing ? (
          <fieldset className="jp-HpoChoices">
            <legend className="q xs">{trans.__('Parameters with a column')}</legend>
            {experiment.parameters.map(({ name }) => (
              <label key={name}>
                <input
                  type="checkbox"
                  checked={parameters.has(name)}
                  onChange={() => {
                    const next = new Set(parameters);
                    if (!next.delete(name)) {
                      next.add(name);
                    }
                    setChosen(next);
                  }}
                />
                <code>{name}</code>
              </label>
            ))}
          </fieldset>
        ) : null}
        {pair.length === 2 ? (
          <Pair experiment={experiment} trials={pair} close={() => setMarked([])} />
        ) : marked.length === 1 ? (
          <p className="q xs">
            {trans.__('Check a second trial to compare it with trial %1.', marked[0])}
          </p>
        ) : null}
        {trials.length ? (
          <Table
            experiment={experiment}
            trials={trials}
            columns={columns}
            order={order}
            sort={setOrder}
            opened={opened}
            open={open}
            marked={marked}
            mark={mark}
          />
        ) : (
          <p className="q sm">
            {trans._n(
              'None of %1 trial is like that.',
              'None of %1 trials is like that.',
              all.length
            )}
          </p>
        )}
      </div>
      {trial ? (
        <Drawer
          key={trial.number}
          experiment={experiment}
          trial={trial}
          close={close}
        />
      ) : null}
    </div>
  );
}

interface IMatches {
  /** The numbers of the trials that are shown; undefined for all. */
  matching?: ReadonlySet<number>;
  /** Why the filter cannot be read. */
  problem: string;
}

/** The trials that a filter describes; the server reads it, as for the widget of a notebook. */
function useFilter(text: string): IMatches {
  const { model, trans } = useView();
  const [matches, setMatches] = React.useState<IMatches>({ problem: '' });
  const { version } = model;
  const isFiltered = text.trim() !== '';
  React.useEffect(() => {
    if (!isFiltered) {
      setMatches({ problem: '' });
      return;
    }
    const aborter = new AbortController();
    const timer = window.setTimeout(() => {
      model.client
        .ask<Answer<'/experiments/{uid}/matches'>>(
          `/experiments/${model.uid}/matches`,
          {
            query: { filter: text },
            signal: aborter.signal
          }
        )
        .then(({ trials, problems }) => {
          const problem = problems
            .map(each => `${each.where}: ${each.message}`)
            .join('; ');
          // Where it cannot be read, what was shown stays.
          setMatches(before =>
            problem ? { ...before, problem } : { matching: new Set(trials), problem }
          );
        })
        .catch((error: Error) => {
          if (!aborter.signal.aborted) {
            setMatches(before => ({ ...before, problem: reasonOf(error, trans) }));
          }
        });
    }, AFTER_TYPING);
    return () => {
      window.clearTimeout(timer);
      aborter.abort();
    };
  }, [text, isFiltered ? version : 0, model, trans]);
  return matches;
}
