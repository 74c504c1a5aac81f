import * as React from 'react';

interface IFieldProps {
  label: string;
  /** What it means, below the field. */
  help?: string;
  children: (id: string) => React.ReactNode;
}

/** A field with its label. */
export function Field({ label, help, children }: IFieldProps): JSX.Element {
  const id = React.useId();
  return (
    <div className="jp-HpoField">
      <label htmlFor={id}>{label}</label>
      <div>
        {children(id)}
        {help ? (
          <div id={`${id}-help`} className="q xs">
            {help}
          </div>
        ) : null}
      </div>
    </div>
  );
}

/** A field with a text. */
export function TextField(props: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  help?: string;
  placeholder?: string;
  options?: readonly string[];
}): JSX.Element {
  const { label, value, onChange, help, placeholder, options } = props;
  return (
    <Field label={label} help={help}>
      {id => (
        <>
          <input
            id={id}
            type="text"
            spellCheck={false}
            autoComplete="off"
            value={value}
            placeholder={placeholder}
            list={options ? `${id}-list` : undefined}
            aria-describedby={help ? `${id}-help` : undefined}
            onChange={event => onChange(event.target.value)}
          />
          {options ? (
            <datalist id={`${id}-list`}>
              {options.map(each => (
                <option key={each} value={each} />
              ))}
            </datalist>
          ) : null}
        </>
      )}
    </Field>
  );
}

/** A field with one of several words. */
export function ChoiceField<T extends string>(props: {
  label: string;
  value: T;
  choices: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
  help?: string;
}): JSX.Element {
  const { label, value, choices, onChange, help } = props;
  return (
    <Field label={label} help={help}>
      {id => (
        <select
          id={id}
          value={value}
          aria-describedby={help ? `${id}-help` : undefined}
          onChange={event => onChange(event.target.value as T)}
        >
          {choices.map(([each, shown]) => (
            <option key={each} value={each}>
              {shown}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
