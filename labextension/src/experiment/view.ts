import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import type { Experiment, Trial } from '../api/types';
import type { ExperimentModel } from '../model/experiment';

/** What the parts of a view share. */
export interface IView {
  model: ExperimentModel;
  commands: CommandRegistry;
  trans: TranslationBundle;
  /** Opens a file that the server serves. */
  openFile: (path: string) => void;
  /** Shows the executed notebook of a trial to be read. */
  openNotebook: (trial: number, served: string | null) => void;
}

export const ViewContext = React.createContext<IView | null>(null);

/** What the parts of the view share. */
export function useView(): IView {
  const view = React.useContext(ViewContext);
  if (!view) {
    throw new Error('There is no view around this part.');
  }
  return view;
}

/** The experiment, of which the view is only drawn when it is there. */
export interface IExperimentProps {
  experiment: Experiment;
}

/** Renders again when the model has changed. */
export function useModel(model: ExperimentModel): void {
  const [, setCount] = React.useState(0);
  React.useEffect(() => {
    const again = () => setCount(count => count + 1);
    model.changed.connect(again);
    again();
    return () => {
      model.changed.disconnect(again);
    };
  }, [model]);
}

/** Whether a trial is the best, that of one objective. */
export function isBest(experiment: Experiment, trial: Trial): boolean {
  return experiment.best?.trial === trial.number && !experiment.best.values;
}

/** Whether a trial is the cell as it is written. */
export function isWritten(experiment: Experiment, trial: Trial): boolean {
  return trial.number === 0 && experiment.asWritten !== undefined;
}

/** The names of the objectives, the first first. */
export function objectives(
  experiment: Experiment
): { metric: string; type: 'minimize' | 'maximize' }[] {
  const { metric, type, ...more } = experiment.objective as Experiment['objective'] & {
    additionalObjectives?: {
      objectiveMetricName: string;
      type: 'minimize' | 'maximize';
    }[];
  };
  const others = more.additionalObjectives ?? [];
  return [
    { metric, type },
    ...others.map(each => ({ metric: each.objectiveMetricName, type: each.type }))
  ];
}
