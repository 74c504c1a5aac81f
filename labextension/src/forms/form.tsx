import type { TranslationBundle } from '@jupyterlab/translation';
import { UseSignal } from '@jupyterlab/ui-components';
import { Signal, type ISignal } from '@lumino/signaling';
import * as React from 'react';
import { Refusal, type IProblem } from '../api/client';
import { FormDialog } from './dialog';
import { ChoiceField, Problems, TextField } from './fields';

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
    this._general = [];
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

/** The fields with what the server said of them. */
export function Form(props: {
  model: FormModel;
  trans: TranslationBundle;
  /** What stands above the fields. */
  intro?: string;
}): JSX.Element {
  const { model, trans, intro } = props;
  return (
    <UseSignal signal={model.changed}>
      {() => (
        <>
          {intro ? <p className="q">{intro}</p> : null}
          {model.fields.map(({ name, label, hint, isCode, choices }) => {
            const shared = {
              label,
              isCode,
              value: model.values[name] ?? '',
              help: hint,
              problem: model.problem(name),
              onChange: (text: string) => model.set(name, text)
            };
            return choices ? (
              <ChoiceField
                key={name}
                {...shared}
                choices={[
                  ['', trans.__('(drawn)')],
                  ...choices.map(each => [each, each] as const)
                ]}
              />
            ) : (
              <TextField key={name} {...shared} />
            );
          })}
          <Problems messages={model.general} />
        </>
      )}
    </UseSignal>
  );
}

/**
 * Ask with a form, which closes when the server has accepted what is in it.
 *
 * @param send Sends the form; what it throws is shown in the form, which stays open.
 * @returns Whether it was accepted.
 */
export async function askWith(options: {
  title: string;
  /** What the button says that sends the form. */
  accept: string;
  model: FormModel;
  intro?: string;
  trans: TranslationBundle;
  /** It is sent also where nothing was edited. */
  isReady: boolean;
  send: () => Promise<void>;
}): Promise<boolean> {
  const { title, accept, model, intro, trans, isReady, send } = options;
  const dialog = new FormDialog({
    title,
    accept: [accept],
    body: <Form {...{ model, trans, intro }} />,
    trans,
    send: async () => {
      try {
        await send();
      } catch (error) {
        model.refuse(error as Error);
        return false;
      }
      return true;
    }
  });
  const settle = () => {
    dialog.isReady = isReady || model.edited.length > 0;
  };
  settle();
  model.changed.connect(settle);
  return (await dialog.ask()) !== undefined;
}
