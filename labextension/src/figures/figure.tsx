import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { Client, IRequest } from '../api/client';
import { reasonOf } from '../notices/reason';
import { Plot, type IFigure } from './plot';
import { useTheme } from './theme';

const AT_MOST_EVERY = 2000;

export interface IFigureProps {
  client: Client;
  /** The address of the figure. */
  path: string;
  query?: IRequest['query'];
  /** The figure is asked for again when this moves. */
  revision: number;
  trans: TranslationBundle;
  /** What stands in the place of a figure that has nothing to show. */
  empty?: string;
}

/** A figure of the server: asked for when it is seen and something has changed. */
export function ServerFigure(props: IFigureProps): JSX.Element {
  const { client, path, query, revision, trans, empty } = props;
  const theme = useTheme();
  const node = React.useRef<HTMLElement>(null);
  const isSeen = useSeen(node);
  const [figure, setFigure] = React.useState<IFigure>();
  const [error, setError] = React.useState<Error>();
  const [turn, setTurn] = React.useState(0);
  const wanted = JSON.stringify([path, query, theme]);
  const version = `${wanted}@${revision}`;
  const asked = React.useRef({ wanted: '', version: '', at: 0, isAsking: false });
  const aborter = React.useRef<AbortController>();

  // An answer to a question that nobody has any more is of no use.
  React.useEffect(() => () => aborter.current?.abort(), [wanted]);

  React.useEffect(() => {
    const last = asked.current;
    // Another theme or parameter is a wish of a person, who does not wait.
    const isOther = last.wanted !== wanted;
    if (!isSeen || last.version === version || (last.isAsking && !isOther)) {
      return;
    }
    const rest = isOther ? 0 : Math.max(0, last.at + AT_MOST_EVERY - Date.now());
    const timer = window.setTimeout(() => {
      const own = { wanted, version, at: Date.now(), isAsking: true };
      asked.current = own;
      aborter.current = new AbortController();
      const { signal } = aborter.current;
      client
        .ask<IFigure>(path, { query: { ...query, theme }, signal })
        .then(answer => {
          if (!signal.aborted) {
            setFigure(answer);
            setError(undefined);
          }
        })
        .catch((reason: Error) => {
          if (!signal.aborted) {
            setError(reason);
          }
        })
        .finally(() => {
          own.isAsking = false;
          if (!signal.aborted) {
            setTurn(number => number + 1);
          }
        });
    }, rest);
    return () => window.clearTimeout(timer);
  }, [isSeen, version, turn]);

  const isEmpty = figure !== undefined && !figure.data.length;
  return (
    <figure
      ref={node}
      className="jp-HpoFigure"
      aria-label={figure?.text ?? trans.__('A figure is on its way')}
      aria-busy={!figure && !error}
    >
      {error ? (
        <p className="bad sm" role="alert">
          {trans.__('The figure cannot be drawn: %1', reasonOf(error, trans))}
        </p>
      ) : null}
      {isEmpty ? <p className="q sm">{empty ?? figure.text}</p> : null}
      {figure && !isEmpty ? <Plot figure={figure} name={wanted} /> : null}
      {!figure && !error ? <p className="q sm">{trans.__('Drawing…')}</p> : null}
    </figure>
  );
}

/** Whether the element was or is in view. */
function useSeen(node: React.RefObject<HTMLElement>): boolean {
  const [isSeen, setIsSeen] = React.useState(
    typeof IntersectionObserver === 'undefined'
  );
  React.useEffect(() => {
    if (!node.current || typeof IntersectionObserver === 'undefined') {
      return;
    }
    const observer = new IntersectionObserver(
      entries => setIsSeen(entries[entries.length - 1].isIntersecting),
      { rootMargin: '120px' }
    );
    observer.observe(node.current);
    return () => observer.disconnect();
  }, []);
  return isSeen;
}
