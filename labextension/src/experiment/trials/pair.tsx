import * as React from 'react';
import type { Trial } from '../../api/types';
import { duration, metricNumber, number } from '../../format/numbers';
import { SideBySide, type IRow } from '../compare';
import { objectives, useView, type IExperimentProps } from '../view';
import { trialInWords } from '../../format/words';
import { secondsOf } from './columns';

export interface IPairProps extends IExperimentProps {
  trials: readonly Trial[];
  close: () => void;
}

/** Two trials side by side: what differs. */
export function Pair(props: IPairProps): JSX.Element {
  const { experiment, trials, close } = props;
  const { trans } = useView();
  const row = (name: string, say: (trial: Trial) => string, isCode = false): IRow => ({
    name,
    isCode,
    values: trials.map(say)
  });
  const seconds = (trial: Trial) => secondsOf(trial);
  const rows = [
    ...objectives(experiment).map(({ metric }) =>
      row(metric, ({ values }) =>
        values[metric] === undefined ? '–' : metricNumber(values[metric])
      )
    ),
    row(trans.__('State'), ({ state }) => trialInWords(state, trans)),
    ...experiment.parameters.map(({ name, parameterType }) =>
      row(
        name,
        ({ parameters }) => number(parameters[name], parameterType === 'int') || '–',
        true
      )
    ),
    row(trans.__('Time'), trial => {
      const time = seconds(trial);
      return time === null ? '–' : duration(time);
    })
  ];
  const differing = rows.filter(({ values: [first, second] }) => first !== second);
  const alike = rows.length - differing.length;
  return (
    <div className="jp-HpoTwo">
      <SideBySide
        label={trans.__('Differences')}
        rows={differing}
        titles={trials.map(each => trans.__('Trial %1', each.number))}
        nothing={trans.__('They are alike.')}
      />
      <p className="q xs">
        {alike
          ? trans._n('%1 other value is alike.', '%1 other values are alike.', alike)
          : null}{' '}
        <button type="button" className="quiet" onClick={close}>
          {trans.__('Close')}
        </button>
      </p>
    </div>
  );
}
