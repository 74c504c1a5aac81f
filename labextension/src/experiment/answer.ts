import * as React from 'react';
import { reasonOf } from '../notices/reason';
import { useView } from './view';

export interface IAnswer<T> {
  /** Undefined until it is there, and where there is a problem. */
  answer?: T;
  /** Why there is no answer. */
  problem: string;
}

/** What the server answers at an address; asked again where *version* moves, not asked for null. */
export function useAnswer<T>(path: string | null, version?: unknown): IAnswer<T> {
  const { model, trans } = useView();
  const [state, setState] = React.useState<IAnswer<T>>({ problem: '' });
  const { client } = model;
  React.useEffect(() => setState({ problem: '' }), [path]);
  React.useEffect(() => {
    if (path === null) {
      return;
    }
    const aborter = new AbortController();
    const { signal } = aborter;
    client
      .ask<T>(path, { signal })
      .then(answer => signal.aborted || setState({ answer, problem: '' }))
      .catch(error => signal.aborted || setState({ problem: reasonOf(error, trans) }));
    return () => aborter.abort();
  }, [path, version, client]);
  return state;
}
