import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import { Signal, type ISignal } from '@lumino/signaling';
import * as React from 'react';
import { Refusal, type IProblem } from '../../api/client';

/** A value that a person writes or chooses. */
export interface IField {
  name: string;
  label: string;
  /** What it is for, or which values there are. */
  hint: string;
  /** The name is one of code. */
  isCode?: boolean;
  /** The texts to choose from; without them it is written. */
  choices?: readonly string[];
}

/** What a person has written into a form, and what the server said of it. */
export class FormModel {
  constructor(
    readonly fields: readonly IField[],
    readonly presets: Readonly<Record<string, string>>
  ) {
    this._values = { ...presets };
  }

  get values(): Readonly<Record<string, string>> {
    return this._values;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The fields that are not as they were in the beginning. */
  get edited(): IField[] {
    const { presets, values } = this;
    return this.fields.filter(
      ({ name }) => (values[name] ?? '').trim() !== (presets[name] ?? '').trim()
    );
  }

  set(name: string, text: string): void {
    this._values[name] = text;
    delete this._problems[name];
    this._changed.emit();
  }

  /** What is wrong with a field. */
  problem(name: string): string {
    return this._problems[name] ?? '';
  }

  /** What is wrong with no field of its own. */
  get general(): readonly string[] {
    return this._general;
  }

  /** Shows why the server refused, beside the fields that it names. */
  refuse(error: Error): void {
    this._problems = {};
    this._general = [];
    const problems = error instanceof Refusal ? error.problems : [];
    for (const problem of problems) {
      const field = this.fields.find(({ name }) => isAbout(problem, name));
      if (field) {
        const before = this._problems[field.name];
        this._problems[field.name] = [before, problem.message]
          .filter(Boolean)
          .join('; ');
      } else {
        this._general.push(problem.message);
      }
    }
    if (!problems.length) {
      this._general.push(error.message);
    }
    this._changed.emit();
  }

  private _values: Record<string, string>;
  private _problems: Record<string, string> = {};
  private _general: string[] = [];
  private readonly _changed = new Signal<this, void>(this);
}

/** Whether a problem is with the field *name*: `x`, `points.0.x`, `points[0].x`. */
function isAbout(problem: IProblem, name: string): boolean {
  const { where } = problem;
  return where === name || where.endsWith(`.${name}`) || where.endsWith(`[${name}]`);
}

/** A number where the text is one, else the text, of which the server says what is wrong. */
export function typed(text: string): number | string {
  const trimmed = text.trim();
  const number = Number(trimmed);
  const isExact = !/^-?\d+$/.test(trimmed) || Number.isSafeInteger(number);
  return trimmed !== '' && Number.isFinite(number) && isExact ? number : trimmed;
}

export interface IFormProps {
  model: FormModel;
  trans: TranslationBundle;
  /** What stands above the fields. */
  intro?: string;
}

/** The fields with what the server said of them. */
export function Form(props: IFormProps): JSX.Element {
  const { model, trans, intro } = props;
  const id = React.useId();
  return (
    <UseSignal signal={model.changed}>
      {() => (
        <div className="jp-HpoForm">
          {intro ? <p className="q sm">{intro}</p> : null}
          {model.general.length ? (
            <div className="hpo-note err" role="alert">
              {model.general.join('; ')}
            </div>
          ) : null}
          {model.fields.map(field => (
            <Field
              key={field.name}
              id={`${id}-${field.name}`}
              {...{ field, model, trans }}
            />
          ))}
        </div>
      )}
    </UseSignal>
  );
}

interface IFieldProps {
  field: IField;
  model: FormModel;
  id: string;
  trans: TranslationBundle;
}

function Field(props: IFieldProps): JSX.Element {
  const { field, model, id, trans } = props;
  const problem = model.problem(field.name);
  const common = {
    id,
    value: model.values[field.name] ?? '',
    'aria-invalid': Boolean(problem),
    'aria-describedby': `${id}-said`,
    onChange: (event: React.ChangeEvent<HTMLInputElement | HTMLSelectElement>) =>
      model.set(field.name, event.currentTarget.value)
  };
  return (
    <div className="jp-HpoField">
      <label htmlFor={id}>
        {field.isCode ? <code>{field.label}</code> : field.label}
      </label>
      {field.choices ? (
        <select {...common}>
          <option value="">{trans.__('(drawn)')}</option>
          {field.choices.map(each => (
            <option key={each} value={each}>
              {each}
            </option>
          ))}
        </select>
      ) : (
        <input type="text" spellCheck={false} autoComplete="off" {...common} />
      )}
      <span id={`${id}-said`} className={problem ? 'bad xs' : 'q xs'} role="status">
        {problem || field.hint}
      </span>
    </div>
  );
}

/** The same as the body of a dialog. */
export class FormBody extends ReactWidget {
  constructor(private readonly _props: IFormProps) {
    super();
    this.addClass('hpo');
    this.addClass('jp-HpoDialog');
  }

  protected render(): JSX.Element {
    return <Form {...this._props} />;
  }
}
