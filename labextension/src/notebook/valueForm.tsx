import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { Tunable } from '../api/types';
import { ChoiceField, TextField } from '../forms/fields';
import type { Cells } from './cells';
import { Preview, useChecked } from './checking';
import {
  annotationOf,
  fieldsOf,
  hasStep,
  scalesOf,
  type IFields,
  type Kind
} from './words';

export interface IValueFormProps {
  /** What would be written now; undefined while something is wrong. */
  onChange: (source: string | undefined) => void;
  cells: Cells;
  source: string;
  value: Tunable;
  trans: TranslationBundle;
}

/** How a value may vary: its kind, range and scale; tells the source of the cell with that. */
export function ValueForm(props: IValueFormProps): JSX.Element {
  const { cells, source, value, trans, onChange } = props;
  const [fields, setFields] = React.useState<IFields>(() => fieldsOf(value));
  const set = (changed: Partial<IFields>) => setFields({ ...fields, ...changed });
  const { kind, scale, low, high, step, choices, when } = fields;
  const annotation = annotationOf(fields);
  const checked = useChecked(
    annotation,
    () => cells.annotated(source, value.last, annotation),
    () => value.last
  );
  React.useEffect(() => onChange(checked.source), [checked.source]);
  const scales = {
    linear: trans.__('Linear'),
    log: trans.__('Logarithmic: each power of ten alike'),
    normal: trans.__('Normal: most often in the middle'),
    lognormal: trans.__('Log-normal')
  };
  return (
    <>
      <p className="q">
        {trans.__(
          '%1 varies from trial to trial; the first trial has it as written.',
          value.name
        )}
      </p>
      <ChoiceField<Kind>
        label={trans.__('Values')}
        value={kind}
        choices={[
          ['float', trans.__('Numbers')],
          ['int', trans.__('Whole numbers')],
          ['choice', trans.__('One of a list')]
        ]}
        onChange={now => set(changedKind(fields, now, value))}
      />
      {kind === 'choice' ? (
        <Choices
          choices={choices}
          onChange={now => set({ choices: now })}
          trans={trans}
        />
      ) : (
        <>
          <TextField
            label={trans.__('From')}
            value={low}
            onChange={now => set({ low: now })}
          />
          <TextField
            label={trans.__('To')}
            value={high}
            onChange={now => set({ high: now })}
          />
          <ChoiceField
            label={trans.__('Scale')}
            value={scale}
            choices={scalesOf(kind).map(each => [each, scales[each]] as const)}
            onChange={now => set({ scale: now })}
          />
          {hasStep(kind, scale) ? (
            <TextField
              label={trans.__('Step')}
              value={step}
              placeholder={trans.__('none')}
              onChange={now => set({ step: now })}
            />
          ) : null}
        </>
      )}
      <TextField
        label={trans.__('Only where')}
        value={when}
        placeholder={trans.__('always; such as %1', 'opt == "sgd"')}
        onChange={now => set({ when: now })}
      />
      <Preview checked={checked} line={value.last} trans={trans} />
    </>
  );
}

function Choices(props: {
  choices: string[];
  onChange: (choices: string[]) => void;
  trans: TranslationBundle;
}): JSX.Element {
  const { choices, onChange, trans } = props;
  // An empty place at the end is for one more.
  const places =
    choices.length && !choices[choices.length - 1] ? choices : [...choices, ''];
  return (
    <>
      {places.map((each, place) => (
        <TextField
          key={place}
          label={trans.__('Choice %1', place + 1)}
          value={each}
          placeholder={
            place === places.length - 1 ? trans.__('one more, as Python writes it') : ''
          }
          onChange={now =>
            onChange(places.map((other, at) => (at === place ? now : other)))
          }
        />
      ))}
    </>
  );
}

/** The fields of another kind, with what is typed already. */
function changedKind(fields: IFields, kind: Kind, value: Tunable): Partial<IFields> {
  const scale = scalesOf(kind).includes(fields.scale) ? fields.scale : 'linear';
  if (kind === 'choice' && !fields.choices.length) {
    const { value: written } = value;
    const text = written === null ? 'None' : JSON.stringify(written);
    return {
      kind,
      scale,
      choices: [typeof written === 'boolean' ? python(written) : text]
    };
  }
  return { kind, scale };
}

function python(value: boolean): string {
  return value ? 'True' : 'False';
}
