import * as React from 'react';
import type { Answer } from '../api/types';
import { ServerFigure } from '../figures/figure';
import { useView } from './view';

const AT_MOST_EVERY = 4000;

/** The figures that have something to show, by name; undefined before the server has said so. */
export function useFigures(): ReadonlySet<string> | undefined {
  const { model } = useView();
  const [names, setNames] = React.useState<ReadonlySet<string>>();
  const last = React.useRef({ at: 0, version: -1 });
  const { version } = model;
  React.useEffect(() => {
    if (last.current.version === version) {
      return;
    }
    let isStale = false;
    const rest = Math.max(0, last.current.at + AT_MOST_EVERY - Date.now());
    const timer = window.setTimeout(() => {
      last.current = { at: Date.now(), version };
      model.client
        .ask<Answer<'/experiments/{uid}/figures'>>(`/experiments/${model.uid}/figures`)
        .then(({ figures }) => {
          if (!isStale) {
            const useful = figures.filter(each => each.isOfUse);
            setNames(new Set(useful.map(each => each.name)));
          }
        })
        // What is wrong is said by the model; the figures stay as they are.
        .catch(() => undefined);
    }, rest);
    return () => {
      window.clearTimeout(timer);
      isStale = last.current.version !== version;
    };
  }, [version, model]);
  return names;
}

export interface IPictureProps {
  name: string;
  focus?: readonly string[];
  empty?: string;
}

/** A figure of the experiment. */
export function Picture(props: IPictureProps): JSX.Element {
  const { model, trans } = useView();
  return (
    <ServerFigure
      client={model.client}
      path={`/experiments/${model.uid}/figures/${props.name}`}
      query={props.focus?.length ? { focus: props.focus } : undefined}
      revision={model.version}
      trans={trans}
      empty={props.empty}
    />
  );
}

/** The figures of *names* that are of use, in this order; a sentence where none is. */
export function Gallery(props: {
  names: readonly string[];
  nothing: string;
}): JSX.Element {
  const { trans } = useView();
  const useful = useFigures();
  if (!useful) {
    return <p className="q sm">{trans.__('Looking for what there is to show…')}</p>;
  }
  const names = props.names.filter(each => useful.has(each));
  return names.length ? (
    <div className="jp-HpoGallery">
      {[0, 1].map(column => (
        <div key={column}>
          {names
            .filter((_, place) => place % 2 === column)
            .map(name => (
              <Picture key={name} name={name} />
            ))}
        </div>
      ))}
    </div>
  ) : (
    <p className="q sm">{props.nothing}</p>
  );
}
