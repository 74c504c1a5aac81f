import cases from './cases.json';
import { difference, duration, metricNumber, number } from './numbers';

const functions: Record<string, (...values: number[]) => string> = {
  number: value => number(value),
  metric_number: metricNumber,
  difference,
  duration
};

it.each(cases as [string, number[], string][])('%s(%s) is %s', (name, values, text) => {
  expect(functions[name](...values)).toBe(text);
});
