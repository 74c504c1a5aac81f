import { closeIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import type { Answer, Trial } from '../../api/types';
import { ServerFigure } from '../../figures/figure';
import { duration, metricNumber, number } from '../../format/numbers';
import { CommandIDs } from '../../tokens';
import { useAnswer } from '../answer';
import { Log, shownText } from '../log';
import { isBest, isWritten, useView, type IExperimentProps } from '../view';
import { isFinal } from '../../format/words';
import { secondsOf } from './columns';
import { State } from './row';

type Files = Answer<'/experiments/{uid}/trials/{number}'>;

const LOG = 8192;

export interface IDrawerProps extends IExperimentProps {
  trial: Trial;
  close: () => void;
}

/** One trial: what differs from the cell as written, its curve, its output and its files. */
export function Drawer(props: IDrawerProps): JSX.Element {
  const { experiment, trial, close } = props;
  const { model, trans, commands } = useView();
  const title = React.useRef<HTMLHeadingElement>(null);
  const path = `/experiments/${model.uid}/trials/${trial.number}`;
  React.useEffect(() => title.current?.focus(), []);
  const args = { uid: model.uid, trial: trial.number };
  const isFailure = ['Failed', 'MetricsUnavailable'].includes(trial.state);
  const reported = Object.keys(trial.metrics).length > 0;
  return (
    <aside className="jp-HpoDrawer" aria-label={trans.__('Trial %1', trial.number)}>
      <div className="jp-HpoBetween">
        <h3 ref={title} tabIndex={-1}>
          {trans.__('Trial %1', trial.number)}{' '}
          <span className="hpo-state">
            <State
              trial={trial}
              isBest={isBest(experiment, trial)}
              isWritten={isWritten(experiment, trial)}
              isOver={experiment.isOver}
            />
          </span>
        </h3>
        <button
          type="button"
          className="quiet jp-HpoIconButton"
          aria-label={trans.__('Close the trial')}
          onClick={close}
        >
          <closeIcon.react tag="span" width="16px" />
        </button>
      </div>
      <Facts experiment={experiment} trial={trial} />
      {trial.message && isFinal(trial.state) ? (
        <div className={isFailure ? 'hpo-note err' : 'hpo-note'}>
          {shownText(trial.message)}
        </div>
      ) : null}
      {reported ? (
        <ServerFigure
          client={model.client}
          path={`${path}/curve`}
          revision={isFinal(trial.state) ? 0 : model.version}
          trans={trans}
          empty=""
        />
      ) : null}
      <Values experiment={experiment} trial={trial} />
      <div className="jp-HpoActions">
        <button
          type="button"
          className="main"
          disabled={!commands.isEnabled(CommandIDs.insertBest, args)}
          title={commands.caption(CommandIDs.insertBest, args)}
          onClick={() => void commands.execute(CommandIDs.insertBest, args)}
        >
          {trans.__('Insert values')}
        </button>
        <button
          type="button"
          onClick={() => void commands.execute(CommandIDs.copyBest, args)}
        >
          {trans.__('Copy as code')}
        </button>
      </div>
      <OwnFiles path={path} trial={trial} />
      <h3>{trans.__('Output')}</h3>
      <Log
        path={`${path}/log`}
        isLive={!isFinal(trial.state) && !experiment.isOver}
        nothing={trans.__('It has printed nothing.')}
        tail={LOG}
      />
    </aside>
  );
}

function Facts(props: IExperimentProps & { trial: Trial }): JSX.Element {
  const { experiment, trial } = props;
  const { trans } = useView();
  const seconds = secondsOf(trial);
  const rest = [
    seconds === null ? '' : duration(seconds),
    trial.attempt > 1 ? trans.__('attempt %1', trial.attempt) : '',
    trial.parent === null || trial.parent === undefined
      ? ''
      : trans.__('goes on from trial %1', trial.parent)
  ].filter(Boolean);
  return (
    <p className="sm q">
      {Object.entries(trial.metrics).map(([name, value], place) => (
        <React.Fragment key={name}>
          {place ? ', ' : ''}
          <b className={isBest(experiment, trial) && !place ? 'gold' : ''}>
            {value === null ? '–' : metricNumber(value)}
          </b>{' '}
          {name}
        </React.Fragment>
      ))}
      {rest.length && Object.keys(trial.metrics).length ? '; ' : ''}
      {rest.join(', ')}
    </p>
  );
}

function Values(props: IExperimentProps & { trial: Trial }): JSX.Element | null {
  const { experiment, trial } = props;
  const { trans } = useView();
  const { parameters, written } = experiment;
  const hasWritten = Object.keys(written).length > 0;
  if (!parameters.length) {
    return null;
  }
  return (
    <table aria-label={trans.__('Parameters of trial %1', trial.number)}>
      <thead>
        <tr>
          <th scope="col">{trans.__('Parameter')}</th>
          {hasWritten ? <th scope="col">{trans.__('As written')}</th> : null}
          <th scope="col">{trans.__('Here')}</th>
        </tr>
      </thead>
      <tbody>
        {parameters.map(({ name, parameterType }) => {
          const isInteger = parameterType === 'int';
          const own = number(written[name], isInteger);
          const here = number(trial.parameters[name], isInteger);
          return (
            <tr key={name}>
              <td>
                <code>{name}</code>
              </td>
              {hasWritten ? <td className="q">{own}</td> : null}
              <td>
                {!here ? (
                  <span className="q">{trans.__('not active')}</span>
                ) : here === own ? (
                  <span className="q">{here}</span>
                ) : (
                  <b>{here}</b>
                )}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** The executed notebook and what the trial kept. */
function OwnFiles(props: { path: string; trial: Trial }): JSX.Element | null {
  const { path, trial } = props;
  const { model, trans, openNotebook } = useView();
  // Where it cannot be asked, the model says what is wrong.
  const { answer: files } = useAnswer<Files>(path, trial.state);
  if (!files?.notebook && !files?.artifacts.length) {
    return null;
  }
  const { notebook, artifacts } = files;
  return (
    <>
      <h3>{trans.__('Files')}</h3>
      <ul className="jp-HpoFiles">
        {notebook ? (
          <li>
            <button
              type="button"
              title={notebook.path}
              onClick={() => openNotebook(trial.number, notebook.served ?? null)}
            >
              {trans.__('Open notebook')}
            </button>
          </li>
        ) : null}
        {artifacts.map(({ name, size, mediaType }) => (
          <li key={name}>
            <a
              href={model.client.url(`${path}/artifacts/${encodeURIComponent(name)}`)}
              download
              title={mediaType}
            >
              {name}
            </a>{' '}
            {size === null ? null : <span className="q xs">{sizeInWords(size)}</span>}
          </li>
        ))}
      </ul>
    </>
  );
}

/** `12 kB`. */
function sizeInWords(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let place = 0;
  let rest = bytes;
  while (rest >= 1000 && place < units.length - 1) {
    rest /= 1000;
    place += 1;
  }
  return `${place && rest < 10 ? rest.toFixed(1) : Math.round(rest)} ${units[place]}`;
}
