import { Clipboard } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { Refusal } from '../api/client';
import type { Answer } from '../api/types';
import { COMMANDS, missing } from './reason';
import { clock, sentence } from '../format/words';
import type { ITrouble } from '../model/experiments';
import { isSameRelease, VERSION } from '../model/version';

interface INotice {
  trans: TranslationBundle;
}

interface IRetry extends INotice {
  retry: () => void;
}

/** Why what is shown is not up to date: no connection, no extension of the server, a refusal. */
export function TroubleNotice(
  props: IRetry & {
    trouble: ITrouble;
    /** What cannot be shown, as a sentence. */
    title: string;
  }
): JSX.Element {
  const { error, isOffline } = props.trouble;
  if (isOffline) {
    return <OfflineNotice {...props} />;
  }
  const isMissing = error instanceof Refusal && error.isMissing;
  return isMissing ? (
    <MissingNotice {...props} />
  ) : (
    <RefusedNotice {...props} error={error} />
  );
}

/** Without contact: since when, and when it is tried again. */
function OfflineNotice(props: IRetry & { trouble: ITrouble }): JSX.Element {
  const { retry, trouble, trans } = props;
  const [now, setNow] = React.useState(Date.now());
  React.useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), 1000);
    return () => window.clearInterval(timer);
  }, []);
  const seconds = Math.ceil((trouble.next - now) / 1000);
  return (
    <div className="hpo-note edgy" role="status">
      <b>{trans.__('No connection to the server.')}</b>{' '}
      {trouble.since
        ? trans.__('This is how it was at %1.', clock(trouble.since))
        : null}{' '}
      {trans.__('Experiments go on meanwhile.')}{' '}
      <span aria-hidden="true">
        {seconds > 0 ? trans.__('Next try in %1 s.', seconds) : trans.__('Trying…')}
      </span>
      <p className="jp-HpoNotice-buttons">
        <button type="button" onClick={retry}>
          {trans.__('Try again')}
        </button>
      </p>
    </div>
  );
}

/** The extension of the server is not there: how it comes there. */
function MissingNotice(props: IRetry): JSX.Element {
  const { retry, trans } = props;
  return (
    <div className="hpo-note err" role="alert">
      <p>
        <b>{missing(trans).title}</b>
      </p>
      <p>{missing(trans).remedy}</p>
      <pre>{COMMANDS}</pre>
      <p>{trans.__('Nothing is lost; notebooks run as before.')}</p>
      <Buttons {...{ retry, trans }} text={COMMANDS}>
        {trans.__('Copy commands')}
      </Buttons>
    </div>
  );
}

/** Stores that do not answer: which, why, whether anything is lost, and what to do. */
export function SilentNotice(
  props: IRetry & { silent: Answer<'/experiments'>['silent'] }
): JSX.Element {
  const { retry, silent, trans } = props;
  const isNewer = silent.some(each => /newer|layout/i.test(each.message));
  const details = silent.map(each => `${each.store}: ${each.message}`).join('\n');
  return (
    <div className="hpo-note err" role="alert">
      <p>
        <b>
          {trans._n(
            'The store cannot be read.',
            '%1 stores cannot be read.',
            silent.length
          )}
        </b>
      </p>
      {silent.map(each => (
        <React.Fragment key={each.store}>
          <p>{sentence(each.message)}</p>
          <p className="jp-HpoNotice-path">
            <code>{each.store}</code>
          </p>
        </React.Fragment>
      ))}
      <p>
        {isNewer ? (
          <>
            {trans.__(
              'Nothing is lost. Update hpo_lab in the environment of the Jupyter server:'
            )}{' '}
            <code>pip install -U hpo_lab</code>
          </>
        ) : (
          trans.__(
            'Nothing was changed. Experiments that run go on; what they record is shown when the store answers again.'
          )
        )}
      </p>
      <Buttons {...{ retry, trans }} text={details}>
        {trans.__('Copy details')}
      </Buttons>
    </div>
  );
}

/** The server answered, and refused. */
function RefusedNotice(props: IRetry & { error: Error; title: string }): JSX.Element {
  const { error, retry, title, trans } = props;
  const status = error instanceof Refusal ? error.status : 0;
  const isLocked = status === 401 || status === 403;
  return (
    <div className="hpo-note err" role="alert">
      <p>
        <b>{title}</b>
      </p>
      <p>{isLocked ? trans.__('The server does not let you in.') : error.message}</p>
      <p>
        {isLocked
          ? trans.__('Reload the page to log in again. Nothing is lost.')
          : trans.__(
              'Experiments that run go on; what they record is kept. The log of the Jupyter server says more.'
            )}
      </p>
      <Buttons {...{ retry, trans }} text={error.message}>
        {trans.__('Copy details')}
      </Buttons>
    </div>
  );
}

/** The page and the server are of different versions; nothing where they are of the same. */
export function VersionsNotice(
  props: INotice & { about: Answer<'/'> | undefined }
): JSX.Element | null {
  const { about, trans } = props;
  if (!about || isSameRelease(about.version, VERSION)) {
    return null;
  }
  return (
    <div className="hpo-note edgy" role="status">
      <b>{trans.__('Two versions of hpo_lab.')}</b>{' '}
      {trans.__(
        'This page has %1, the server has %2. Start the Jupyter server again, then reload this page; if it stays, run %3 in its environment.',
        VERSION,
        about.version,
        'pip install -U "hpo_lab[lab]"'
      )}
    </div>
  );
}

function Buttons(
  props: IRetry & { text: string; children: React.ReactNode }
): JSX.Element {
  const { children, retry, text, trans } = props;
  return (
    <p className="jp-HpoNotice-buttons">
      <button type="button" onClick={retry}>
        {trans.__('Try again')}
      </button>
      <button
        type="button"
        className="quiet"
        onClick={() => Clipboard.copyToSystem(text)}
      >
        {children}
      </button>
    </p>
  );
}
