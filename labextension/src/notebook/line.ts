import type { Configurable, Option, Options, ReadCell } from '../api/types';

/** What the line of `%%tune` says, as a form shows it. */
export interface ILine {
  direction: string;
  metric: string;
  /** Further objectives, as they stand behind the first one: `, minimize size`. */
  further: string;
  /** The texts behind each flag, more than one where it is repeated. */
  texts: Record<string, readonly string[]>;
  /** Settings of the algorithm and of the rule, by name. */
  settings: Record<string, string>;
  ruleSettings: Record<string, string>;
}

const DIRECTIONS = ['maximize', 'minimize'];
const SETTING = '--setting';
const RULE = '--early-stopping';

/** The form of what a cell says, filled in as far as the cell itself tells. */
export function lineOf(cell: ReadCell): ILine {
  const { objectives = '', options = {} } = cell.tune ?? {};
  const [first, ...further] = objectives.split(',');
  const words = first.split(' ').filter(each => each);
  const direction = DIRECTIONS.includes(words[0]) ? words.shift()! : DIRECTIONS[0];
  const metric = words.join(' ') || (cell.metrics[0] ?? '');
  const texts: ILine['texts'] = { ...options };
  const [rule, ...behind] = (texts[RULE] ?? []).join(' ').split(':');
  texts[RULE] = [rule];
  delete texts[SETTING];
  return {
    direction,
    metric,
    further: further.map(each => `,${each}`).join(''),
    texts,
    settings: pairs(options[SETTING] ?? []),
    ruleSettings: pairs(behind.join(':').split(','))
  };
}

/** The words before the options. */
export function objectivesOf(line: ILine): string {
  return `${line.direction} ${line.metric.trim()}${line.further}`;
}

/**
 * What changes on the line that *before* says: texts by flag, none where an option goes. What is as
 * hpo_lab has it anyway is left out.
 */
export function changesOf(
  before: ILine,
  line: ILine,
  options: readonly Option[]
): Record<string, string[]> {
  const changes: Record<string, string[]> = {};
  for (const flag of Object.keys({ ...before.texts, ...line.texts })) {
    const usual = options.find(each => each.flag === flag)?.default;
    const was = said(before, flag);
    const texts = said(line, flag);
    if (flag !== RULE && JSON.stringify(texts) !== JSON.stringify(was)) {
      changes[flag] = texts.filter(each => was.length || each !== usual);
    }
  }
  if (written(line.settings).join() !== written(before.settings).join()) {
    changes[SETTING] = written(line.settings);
  }
  const rule = ruleOf(line);
  if (rule !== ruleOf(before)) {
    changes[RULE] = rule ? [rule] : [];
  }
  return changes;
}

/** The line with another algorithm, whose settings are others. */
export function withAlgorithm(line: ILine, name: string): ILine {
  return { ...line, texts: { ...line.texts, '--algorithm': [name] }, settings: {} };
}

/** The line with another rule of early stopping, whose settings are others. */
export function withRule(line: ILine, name: string): ILine {
  return { ...line, texts: { ...line.texts, [RULE]: [name] }, ruleSettings: {} };
}

/** The line of a cell that has none yet, with the store that a user prefers. */
export function withStore(cell: ReadCell, line: ILine, store: string): ILine {
  const isNew = cell.tune === null && store;
  return isNew ? { ...line, texts: { ...line.texts, '--store': [store] } } : line;
}

/** The algorithm that a line names, or that is taken without a name. */
export function algorithmOf(line: ILine, options: Options): Configurable | undefined {
  const usual = options.options.find(each => each.flag === '--algorithm')?.default;
  const name = textOf(line, '--algorithm') || usual;
  return options.algorithms.find(each => each.name === name);
}

export function ruleNamed(line: ILine, options: Options): Configurable | undefined {
  return options.earlyStopping.find(each => each.name === textOf(line, RULE));
}

/** The text behind a flag that stands once. */
export function textOf(line: ILine, flag: string): string {
  return (line.texts[flag] ?? []).join(' ');
}

function said(line: ILine, flag: string): string[] {
  return (line.texts[flag] ?? []).map(each => each.trim()).filter(each => each);
}

function ruleOf(line: ILine): string {
  const name = textOf(line, RULE);
  const settings = written(line.ruleSettings);
  return name && settings.length ? `${name}:${settings.join(',')}` : name;
}

function pairs(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts
      .filter(each => each.includes('='))
      .map(each => [
        each.slice(0, each.indexOf('=')),
        each.slice(each.indexOf('=') + 1)
      ])
  );
}

function written(settings: Record<string, string>): string[] {
  return Object.entries(settings)
    .filter(([, value]) => value.trim())
    .map(([name, value]) => `${name}=${value.trim()}`);
}
