import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { Glance } from '../api/types';
import { metricNumber } from '../format/numbers';
import { experimentMark, Mark } from '../marks/mark';
import type { ExperimentsModel } from '../model/experiments';

export interface IListProps {
  model: ExperimentsModel;
  open: (uid: string) => void;
  trans: TranslationBundle;
}

export function ExperimentList(props: IListProps): JSX.Element {
  const { model, open, trans } = props;
  return (
    <ul aria-label={trans.__('Experiments')}>
      {(model.all ?? []).map(each => (
        <li key={each.uid}>
          <Item glance={each} open={open} />
        </li>
      ))}
    </ul>
  );
}

function Item(props: { glance: Glance; open: (uid: string) => void }): JSX.Element {
  const { glance, open } = props;
  return (
    <button type="button" onClick={() => open(glance.uid)}>
      <Mark name={experimentMark(glance)} /> {glance.title}{' '}
      {glance.best ? metricNumber(glance.best.value) : ''}
    </button>
  );
}
