import * as React from 'react';
import { Mark } from '../marks/mark';

/** What every field has. */
interface IFieldProps<T extends string> {
  label: string;
  value: T;
  onChange: (value: T) => void;
  /** What it means, below the field. */
  help?: string;
  /** What is wrong with it, in place of its meaning. */
  problem?: string;
  /** The label is a name of code. */
  isCode?: boolean;
}

function Field<T extends string>(
  props: IFieldProps<T> & {
    control: (attributes: {
      id: string;
      value: T;
      'aria-invalid': boolean;
      'aria-describedby'?: string;
      onChange: (event: React.ChangeEvent<{ value: string }>) => void;
    }) => React.ReactNode;
  }
): JSX.Element {
  const { label, value, onChange, help, problem, isCode, control } = props;
  const id = React.useId();
  const said = problem || help;
  return (
    <div className="jp-HpoField">
      <label htmlFor={id}>{isCode ? <code>{label}</code> : label}</label>
      <div>
        {control({
          id,
          value,
          'aria-invalid': Boolean(problem),
          'aria-describedby': said ? `${id}-said` : undefined,
          onChange: event => onChange(event.target.value as T)
        })}
        {said ? (
          <div id={`${id}-said`} className={problem ? 'bad xs' : 'q xs'} role="status">
            {said}
          </div>
        ) : null}
      </div>
    </div>
  );
}

/** A field with a text. */
export function TextField(
  props: IFieldProps<string> & { placeholder?: string; options?: readonly string[] }
): JSX.Element {
  const { placeholder, options } = props;
  return (
    <Field
      {...props}
      control={attributes => (
        <>
          <input
            {...attributes}
            type="text"
            spellCheck={false}
            autoComplete="off"
            placeholder={placeholder}
            list={options ? `${attributes.id}-list` : undefined}
          />
          {options ? (
            <datalist id={`${attributes.id}-list`}>
              {options.map(each => (
                <option key={each} value={each} />
              ))}
            </datalist>
          ) : null}
        </>
      )}
    />
  );
}

/** A field with one of several words. */
export function ChoiceField<T extends string>(
  props: IFieldProps<T> & { choices: readonly (readonly [T, string])[] }
): JSX.Element {
  return (
    <Field
      {...props}
      control={attributes => (
        <select {...attributes}>
          {props.choices.map(([each, shown]) => (
            <option key={each} value={each}>
              {shown}
            </option>
          ))}
        </select>
      )}
    />
  );
}

/** What is wrong with a form, and with none of its fields alone. */
export function Problems(props: { messages: readonly string[] }): JSX.Element {
  return (
    <div role="alert">
      {props.messages.map(each => (
        <p key={each} className="jp-HpoForm-problem">
          <Mark name="failed" />
          {each}
        </p>
      ))}
    </div>
  );
}
