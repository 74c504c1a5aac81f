import type { TranslationBundle } from '@jupyterlab/translation';
import type { Parameter } from '../api/types';
import { number } from '../format/numbers';
import { isLogarithmic, spaceOf } from '../format/scale';

/** `0.0001 to 0.1`, or the choices. */
export function rangeInWords(parameter: Parameter, trans: TranslationBundle): string {
  const { min, max, step, list } = spaceOf(parameter);
  if (list) {
    return list.map(each => number(each)).join(', ');
  }
  const [low, high] = [min, max].map(each => number(Number(each)));
  return step
    ? trans.__('%1 to %2 by %3', low, high, number(Number(step)))
    : trans.__('%1 to %2', low, high);
}

/** On which scale values are drawn. */
export function scaleInWords(parameter: Parameter, trans: TranslationBundle): string {
  const { distribution, list } = spaceOf(parameter);
  if (list) {
    return '';
  }
  const isNormal = /normal$/i.test(distribution ?? '');
  if (isLogarithmic(parameter)) {
    return isNormal ? trans.__('logarithmic, normal') : trans.__('logarithmic');
  }
  return isNormal ? trans.__('linear, normal') : trans.__('linear');
}

/** What its values are. */
export function typeInWords(parameter: Parameter, trans: TranslationBundle): string {
  switch (parameter.parameterType) {
    case 'double':
      return trans.__('real');
    case 'int':
      return trans.__('integer');
    case 'discrete':
      return trans.__('numbers');
    default:
      return trans.__('choice');
  }
}

/** When it is active; empty for always. */
export function conditionOf(parameter: Parameter): string {
  return String((parameter as { when?: string | null }).when ?? '');
}
