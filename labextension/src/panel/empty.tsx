import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

/** What stands where no experiment is yet: how the first one begins. */
export function Empty(props: {
  code: string;
  insert: (code: string) => void;
  trans: TranslationBundle;
}): JSX.Element {
  const { code, insert, trans } = props;
  const [first, ...rest] = code.split('\n');
  return (
    <div className="jp-HpoEmpty">
      <svg viewBox="0 0 110 48" width="110" height="48" aria-hidden="true">
        <path className="steps" d="M4 40H20V30H38V24H56V14H78V8H106" />
        <path className="ground" d="M0 46.5H110" />
      </svg>
      <h3>{trans.__('No experiments yet')}</h3>
      <p>
        {trans.__(
          'Say which values of a cell may vary, put %1 on top and run it:',
          '%%tune'
        )}
      </p>
      <pre tabIndex={0} aria-label={trans.__('An example of a tuned cell')}>
        <b>{first}</b>
        {rest.map(line => {
          const [assignment, comment] = line.split('  #');
          return (
            <React.Fragment key={line}>
              {`\n${assignment}`}
              {comment ? <i>{`  #${comment}`}</i> : null}
            </React.Fragment>
          );
        })}
      </pre>
      <button type="button" className="main" onClick={() => insert(code)}>
        {trans.__('Copy into a new cell')}
      </button>
    </div>
  );
}
