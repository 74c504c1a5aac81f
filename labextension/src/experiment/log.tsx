import * as React from 'react';
import { Refusal } from '../api/client';
import type { Answer } from '../api/types';
import { reasonOf } from '../notices/reason';
import { useView } from './view';

type Tail = Answer<'/experiments/{uid}/log'>;

const AT_MOST_EVERY = 2000;

export interface ILogProps {
  /** The address of the log. */
  path: string;
  /** It may still grow. */
  isLive: boolean;
  /** What is said where there is none. */
  nothing: string;
  /** How much of its end, in bytes. */
  tail?: number;
}

/** The end of a log, which follows it while it grows. */
export function Log(props: ILogProps): JSX.Element {
  const { path, isLive, nothing, tail = 65536 } = props;
  const { model, trans, openFile } = useView();
  const [log, setLog] = React.useState<Tail>();
  const [problem, setProblem] = React.useState('');
  const node = React.useRef<HTMLPreElement>(null);

  React.useEffect(() => {
    let timer = 0;
    let isOver = false;
    let isAsking = false;
    const ask = async () => {
      isAsking = true;
      try {
        const answer = await model.client.ask<Tail>(path, { query: { tail } });
        if (!isOver) {
          setLog(answer);
          setProblem('');
        }
      } catch (error) {
        const isMissing = error instanceof Refusal && error.status === 404;
        if (!isOver) {
          setProblem(isMissing ? nothing : reasonOf(error, trans));
        }
      }
      isAsking = false;
      if (!isOver && isLive) {
        timer = window.setTimeout(again, AT_MOST_EVERY);
      }
    };
    // Who comes back sees at once what was printed meanwhile.
    const again = () => {
      window.clearTimeout(timer);
      if (isLive && model.isSeen && !isAsking) {
        void ask();
      }
    };
    void ask();
    model.seen.connect(again);
    return () => {
      isOver = true;
      window.clearTimeout(timer);
      model.seen.disconnect(again);
    };
  }, [path, isLive, tail, model, trans]);

  React.useLayoutEffect(() => {
    const target = node.current;
    // Whoever has scrolled up reads.
    const isAtEnd =
      target && target.scrollHeight - target.scrollTop - target.clientHeight < 80;
    if (target && (isAtEnd || !target.dataset.shown)) {
      target.dataset.shown = 'true';
      target.scrollTop = target.scrollHeight;
    }
  }, [log?.text]);

  if (problem && !log) {
    return <p className="q sm">{problem}</p>;
  }
  if (!log) {
    return <p className="q sm">{trans.__('Reading…')}</p>;
  }
  const text = shownText(log.text);
  const { served } = log;
  return (
    <>
      {text ? null : <p className="q sm">{trans.__('Nothing was printed.')}</p>}
      {log.start > 0 ? <p className="q xs">{trans.__('The end of it')}</p> : null}
      {text ? (
        <pre ref={node} className="jp-HpoLog" tabIndex={0} aria-label={trans.__('Log')}>
          {text}
        </pre>
      ) : null}
      <p className="q xs jp-HpoPath">
        {served ? (
          <a
            href="#"
            onClick={event => {
              event.preventDefault();
              openFile(served);
            }}
          >
            {log.path}
          </a>
        ) : (
          <code>{log.path}</code>
        )}
      </p>
    </>
  );
}

/** What a terminal shows: of a line that was written over the last version, without colours. */
export function shownText(text: string): string {
  return text
    .replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '')
    .split('\n')
    .map(line => line.replace(/\r$/, '').split('\r').pop())
    .join('\n')
    .trimEnd();
}
