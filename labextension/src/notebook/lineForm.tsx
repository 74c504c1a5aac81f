import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { Configurable, Options, ReadCell } from '../api/types';
import { ChoiceField, TextField } from '../forms/fields';
import type { Cells } from './cells';
import { Preview, useChecked } from './checking';
import {
  algorithmOf,
  changesOf,
  lineOf,
  objectivesOf,
  ruleNamed,
  textOf,
  withAlgorithm,
  withRule,
  withStore,
  type ILine
} from './line';

export interface ILineFormProps {
  /** What would be written now; undefined while something is wrong. */
  onChange: (source: string | undefined) => void;
  cells: Cells;
  source: string;
  cell: ReadCell;
  options: Options;
  /** Where experiments are recorded by preference, empty for the usual. */
  store: string;
  trans: TranslationBundle;
}

/** Fields that stand above all others. */
const FIRST = ['--trials', '--parallel', '--timeout', '--name'];
/** Fields that are made of more than a text. */
const OWN = [...FIRST, '--algorithm', '--setting', '--early-stopping'];

/** What to optimise and how; tells the source of the cell with the line that says so. */
export function LineForm(props: ILineFormProps): JSX.Element {
  const { cells, source, cell, options, store, trans, onChange } = props;
  const before = React.useMemo(() => lineOf(cell), [cell]);
  const [line, setLine] = React.useState<ILine>(() => withStore(cell, before, store));
  const objectives = objectivesOf(line);
  const changes = changesOf(before, line, options.options);
  const checked = useChecked(
    JSON.stringify([objectives, changes]),
    () => cells.withLine(source, objectives, changes),
    each => each.tune?.line ?? 1
  );
  React.useEffect(() => onChange(checked.source), [checked.source]);
  const say = (flag: string, ...texts: string[]) =>
    setLine({ ...line, texts: { ...line.texts, [flag]: texts } });
  const names = { line, say, options, trans };
  const algorithm = algorithmOf(line, options);
  const rule = ruleNamed(line, options);
  const others = options.options.filter(each => !OWN.includes(each.flag));
  const alongside = options.alongside.filter(each => each.form);
  return (
    <>
      <ChoiceField
        label={trans.__('Goal')}
        value={line.direction}
        choices={[
          ['maximize', trans.__('Maximize: higher is better')],
          ['minimize', trans.__('Minimize: lower is better')]
        ]}
        onChange={direction => setLine({ ...line, direction })}
      />
      <TextField
        label={trans.__('Of')}
        value={line.metric}
        options={cell.metrics}
        help={trans.__('A variable that the cell assigns, or what it reports')}
        onChange={metric => setLine({ ...line, metric })}
      />
      {FIRST.map(flag => (
        <Said key={flag} flag={flag} {...names} />
      ))}
      <ChoiceField
        label={trans.__('Algorithm')}
        value={algorithm?.name ?? ''}
        choices={options.algorithms.map(each => [each.name, each.name] as const)}
        help={algorithm?.help}
        onChange={name => setLine(withAlgorithm(line, name))}
      />
      <Settings
        of={algorithm}
        values={line.settings}
        onChange={settings => setLine({ ...line, settings })}
        trans={trans}
      />
      <ChoiceField
        label={trans.__('Early stopping')}
        value={rule?.name ?? ''}
        choices={[
          ['', trans.__('none')],
          ...options.earlyStopping.map(each => [each.name, each.name] as const)
        ]}
        help={rule?.help}
        onChange={name => setLine(withRule(line, name))}
      />
      <Settings
        of={rule}
        values={line.ruleSettings}
        onChange={ruleSettings => setLine({ ...line, ruleSettings })}
        trans={trans}
      />
      <details>
        <summary>{trans.__('More')}</summary>
        {others.map(each => (
          <Said key={each.flag} flag={each.flag} {...names} />
        ))}
        {alongside.map(each => (
          <TextField
            key={each.flag}
            label={each.flag === '-o' ? trans.__('Variable') : trans.__('Store')}
            value={textOf(line, each.flag)}
            help={sentence(each.help)}
            onChange={text => say(each.flag, text)}
          />
        ))}
      </details>
      <Preview checked={checked} line={checked.cell?.tune?.line ?? 1} trans={trans} />
    </>
  );
}

/** The field of an option, as the server describes it. */
function Said(props: {
  flag: string;
  line: ILine;
  say: (flag: string, ...texts: string[]) => void;
  options: Options;
  trans: TranslationBundle;
}): JSX.Element | null {
  const { flag, line, say, options, trans } = props;
  const option = options.options.find(each => each.flag === flag);
  if (!option) {
    return null;
  }
  const label = sentence(flag.replace(/^--/, '').replace(/-/g, ' '));
  const value = textOf(line, flag);
  if (option.choices.length) {
    const usual = trans.__('%1, as usual', option.default);
    return (
      <ChoiceField
        label={label}
        value={value}
        choices={[['', usual], ...option.choices.map(each => [each, each] as const)]}
        help={sentence(option.help)}
        onChange={text => say(flag, text)}
      />
    );
  }
  const placeholder = option.default || formOf(option.form);
  const help = sentence(option.help);
  if (option.repeatable) {
    // A text may hold spaces, so each has a field; behind the last is room for another.
    const texts = (line.texts[flag] ?? []).filter(
      (each, place, all) => each || all[place + 1]
    );
    return (
      <>
        {[...texts, ''].map((text, place) => (
          <TextField
            key={place}
            label={place ? trans.__('%1, no. %2', label, place + 1) : label}
            value={text}
            placeholder={placeholder}
            help={place ? undefined : help}
            onChange={now =>
              say(flag, ...texts.slice(0, place), now, ...texts.slice(place + 1))
            }
          />
        ))}
      </>
    );
  }
  return (
    <TextField
      label={label}
      value={value}
      placeholder={placeholder}
      help={help}
      onChange={text => say(flag, text)}
    />
  );
}

/** The settings of an algorithm or a rule, folded. */
function Settings(props: {
  of: Configurable | undefined;
  values: Record<string, string>;
  onChange: (values: Record<string, string>) => void;
  trans: TranslationBundle;
}): JSX.Element | null {
  const { of, values, onChange, trans } = props;
  if (!of?.settings.length) {
    return null;
  }
  const set = (name: string, value: string) => onChange({ ...values, [name]: value });
  return (
    <details>
      <summary>
        {trans.__('Settings of %1', of.name)}{' '}
        <span>{Object.values(values).filter(each => each).length || ''}</span>
      </summary>
      {of.settings.map(each =>
        each.choices.length ? (
          <ChoiceField
            key={each.name}
            label={each.name}
            value={values[each.name] ?? ''}
            choices={[
              ['', each.default ? trans.__('%1, as usual', each.default) : ''],
              ...each.choices.map(choice => [choice, choice] as const)
            ]}
            help={each.help}
            onChange={value => set(each.name, value)}
          />
        ) : (
          <TextField
            key={each.name}
            label={each.name}
            value={values[each.name] ?? ''}
            placeholder={each.default || each.allowed}
            help={each.help}
            onChange={value => set(each.name, value)}
          />
        )
      )}
    </details>
  );
}

/** The form of a value where it tells more than that there is one: `METRIC<=VALUE`. */
function formOf(form: string): string {
  return /^[A-Z]+$/.test(form) ? '' : form;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
