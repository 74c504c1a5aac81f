import type { Value } from '../api/types';

/*
 * Numbers as hpo_lab writes them everywhere; `cases.json` holds these functions and those of
 * `hpo_lab/dashboard/words.py` to the same texts.
 */

/**
 * A value for a person: a float with four significant digits, without needless zeros.
 *
 * @param isInteger The parameter is one of integers, none of whose digits is rounded off.
 */
export function number(value: Value | null | undefined, isInteger = false): string {
  if (value === null || value === undefined) {
    return '';
  }
  if (typeof value === 'boolean') {
    return value ? 'True' : 'False';
  }
  return typeof value === 'string' || isInteger ? String(value) : general(value);
}

/** A value of an objective: four decimals between 0.01 and 10, so that columns are alike. */
export function metricNumber(value: number): string {
  const size = Math.abs(value);
  return size >= 0.01 && size < 10 ? value.toFixed(4) : general(value);
}

/** By how much a value of an objective has changed, with the decimals of both. */
export function difference(before: number, after: number): string {
  const change = after - before;
  const isSmall = change !== 0 && Math.abs(change) < 0.01;
  const text = isSmall ? general(change, 3) : metricNumber(change);
  return text.startsWith('-') ? text : `+${text}`;
}

/** A time span in two units at most. */
export function duration(seconds: number): string {
  if (seconds < 9.95) {
    return `${seconds.toFixed(1)} s`;
  }
  const rounded = Math.round(seconds);
  if (rounded < 60) {
    return `${rounded} s`;
  }
  if (rounded >= 86400) {
    return `${Math.floor(rounded / 86400)} d ${Math.floor((rounded % 86400) / 3600)} h`;
  }
  if (rounded >= 3600) {
    return `${Math.floor(rounded / 3600)} h ${Math.floor((rounded % 3600) / 60)} min`;
  }
  return `${Math.floor(rounded / 60)} min ${rounded % 60} s`;
}

/** A number with *digits* significant digits, without an exponent from 1e-4 to 1e6. */
function general(value: number, digits = 4): string {
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  }
  if (value === 0) {
    return '0';
  }
  const [mantissa, power] = value.toExponential(digits - 1).split('e');
  const exponent = Number(power);
  if (exponent >= -4 && exponent < digits) {
    const fixed = value.toFixed(Math.max(0, digits - 1 - exponent));
    return fixed.includes('.') ? fixed.replace(/\.?0+$/, '') : fixed;
  }
  if (exponent > 0 && exponent < 6) {
    return value.toFixed(0);
  }
  return `${mantissa.replace(/\.?0+$/, '')}e${exponent}`;
}
