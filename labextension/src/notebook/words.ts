import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadCell, Tunable } from '../api/types';
import { number } from '../format/numbers';

/** The kinds of values that the form offers. */
export type Kind = 'float' | 'int' | 'choice';
/** How numbers of a range are drawn. */
export type Scale = 'linear' | 'log' | 'normal' | 'lognormal';

/** The distribution that hpo_lab has for a kind and a scale. */
const DISTRIBUTIONS: Record<string, [Kind, Scale]> = {
  uniform: ['float', 'linear'],
  loguniform: ['float', 'log'],
  normal: ['float', 'normal'],
  lognormal: ['float', 'lognormal'],
  int: ['int', 'linear'],
  logint: ['int', 'log'],
  choice: ['choice', 'linear']
};

/** The fields of the form of a value, as they are typed. */
export interface IFields {
  kind: Kind;
  scale: Scale;
  low: string;
  high: string;
  step: string;
  choices: string[];
  when: string;
}

/** The fields that an annotation fills in, or one to begin with. */
export function fieldsOf(value: Tunable): IFields {
  const { word, arguments: texts, step, when } = value.words;
  const [kind, scale] = DISTRIBUTIONS[word] ?? ['choice', 'linear'];
  const isChoice = kind === 'choice';
  const [low = '', high = ''] = isChoice ? [] : texts;
  return { kind, scale, low, high, step, choices: isChoice ? texts : [], when };
}

/** The scales that a kind has. */
export function scalesOf(kind: Kind): Scale[] {
  return Object.values(DISTRIBUTIONS)
    .filter(([each]) => each === kind)
    .map(([, scale]) => scale);
}

/** The annotation of these fields; the server says whether it is one. */
export function annotationOf(fields: IFields): string {
  const { kind, low, high, choices } = fields;
  const scale = scalesOf(kind).includes(fields.scale) ? fields.scale : 'linear';
  const word = Object.keys(DISTRIBUTIONS).find(
    each => DISTRIBUTIONS[each][0] === kind && DISTRIBUTIONS[each][1] === scale
  );
  const step =
    fields.step.trim() && hasStep(kind, scale) ? [`step=${fields.step.trim()}`] : [];
  const bounds = [low, high, ...step];
  const texts = kind === 'choice' ? choices : bounds;
  const said = texts.map(each => each.trim()).filter(each => each);
  const when = fields.when.trim() ? ` when ${fields.when.trim()}` : '';
  return `${word}(${said.join(', ')})${when}`;
}

/** Whether numbers of a kind and scale may lie on a grid. */
export function hasStep(kind: Kind, scale: Scale): boolean {
  return kind !== 'choice' && !(kind === 'int' && scale === 'log');
}

/** What the annotation of a parameter means: its type, range and scale. */
export function annotationInWords(
  { parameter, default: written }: ReadCell['parameters'][number],
  trans: TranslationBundle
): string {
  const { min, max, step, list, distribution } = (parameter.feasibleSpace ?? {}) as {
    min?: string;
    max?: string;
    step?: string;
    list?: string[];
    distribution?: string;
  };
  const parts = list
    ? [trans.__('one of %1', list.join(', '))]
    : [
        parameter.parameterType === 'int'
          ? trans.__('a whole number from %1 to %2', min, max)
          : trans.__('a number from %1 to %2', min, max)
      ];
  if (step) {
    parts.push(trans.__('in steps of %1', step));
  }
  const scales: Record<string, string> = {
    logUniform: trans.__('on a logarithmic scale'),
    normal: trans.__('most often in the middle'),
    logNormal: trans.__('most often in the middle of a logarithmic scale')
  };
  parts.push(scales[distribution ?? ''] ?? '');
  const { when } = parameter as { when?: string };
  if (when) {
    parts.push(trans.__('where %1', when));
  }
  return trans.__(
    '%1 is tuned: %2; as written %3',
    parameter.name,
    parts.filter(each => each).join(', '),
    typeof written === 'string' ? JSON.stringify(written) : number(written)
  );
}
