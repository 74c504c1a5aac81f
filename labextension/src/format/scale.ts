import type { Parameter, Value } from '../api/types';

interface ISpace {
  min?: number | string | null;
  max?: number | string | null;
  step?: number | string | null;
  list?: readonly Value[] | null;
  distribution?: string | null;
}

/** The values that a parameter may take, as in a Katib manifest. */
export function spaceOf(parameter: Parameter): ISpace {
  return (parameter.feasibleSpace ?? {}) as ISpace;
}

/** Whether values are drawn on a logarithmic scale. */
export function isLogarithmic(parameter: Parameter): boolean {
  return /^log/i.test(spaceOf(parameter).distribution ?? '');
}

/**
 * Where *value* lies in its range, 0 to 1 on the scale of the parameter, as in
 * `hpo_lab/dashboard/scale.py`; null where that says nothing.
 */
export function position(
  parameter: Parameter,
  value: Value | null | undefined
): number | null {
  const { min, max } = spaceOf(parameter);
  const isRange = ['double', 'int'].includes(parameter.parameterType);
  if (!isRange || typeof value !== 'number' || min === undefined || max === undefined) {
    return null;
  }
  let [at, low, high] = [value, Number(min), Number(max)];
  if (isLogarithmic(parameter)) {
    if (Math.min(at, low, high) <= 0) {
      return null;
    }
    [at, low, high] = [at, low, high].map(Math.log);
  }
  // Halves, since a range may be wider than the largest float.
  const width = high / 2 - low / 2;
  return width > 0 && Number.isFinite(at) ? (at / 2 - low / 2) / width : null;
}

/** Whether a value at *place* of its range is at a bound of it. */
export function isAtBound(place: number): boolean {
  return place < 0.01 || place > 0.99;
}
