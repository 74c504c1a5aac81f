import { nullTranslator } from '@jupyterlab/translation';
import { experiment, trial } from '../../testing/experiment';
import { columnsOf, firstParameters } from './columns';
import { arranged, pressed, ranked } from './order';
import { rowsInView, scrolledTo } from './windowing';

const trans = nullTranslator.load('');
const shown = new Set(['lr', 'units', 'opt']);
const trials = [
  trial(0, 0.3383),
  trial(1, 0.8),
  trial(2, 0.9644),
  trial(3),
  trial(4, undefined, { state: 'Running', ended: null })
];
const numbers = (rows: { number: number }[]) => rows.map(each => each.number);

it('shows the best first, then what runs, and the cell as written last', () => {
  expect(numbers(ranked(experiment(), trials))).toEqual([2, 4, 1, 3, 0]);
});

it('arranges by a column; trials without a value are last in any order', () => {
  const columns = columnsOf(experiment(), shown, trans);
  const accuracy = columns.find(each => each.kind === 'objective');
  const time = columns.find(each => each.kind === 'time');
  expect(numbers(arranged(trials, accuracy!, true))).toEqual([2, 1, 0, 3, 4]);
  expect(numbers(arranged(trials, accuracy!, false))).toEqual([0, 1, 2, 3, 4]);
  expect(numbers(arranged(trials, time!, true))).toEqual([3, 2, 1, 0, 4]);
});

it('goes from the better end to the other, and back to none', () => {
  const [, , accuracy, lr] = columnsOf(experiment(), shown, trans);
  const first = pressed(null, accuracy);
  expect(first?.isDescending).toBe(true);
  const second = pressed(first, accuracy);
  expect(second?.isDescending).toBe(false);
  expect(pressed(second, accuracy)).toBeNull();
  expect(pressed(first, lr)?.isDescending).toBe(false);
});

it('has columns for the parameters whose values differ where there are many', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  const parameters = names.map(name => ({ name, parameterType: 'double' }));
  const rows = [0, 1].map(number =>
    trial(number, 1, {
      parameters: { a: 1, b: number, c: 1, d: number, e: number, f: 1, g: number }
    })
  );
  expect([...firstParameters(parameters, rows)].sort()).toEqual(['b', 'd', 'e', 'g']);
  expect(firstParameters(parameters.slice(0, 6), rows).size).toBe(6);
});

it('draws the rows in view and some around them', () => {
  expect(rowsInView(0, 340, 34, 10_000)).toEqual({ start: 0, end: 18 });
  expect(rowsInView(34_000, 340, 34, 10_000)).toEqual({ start: 992, end: 1018 });
  // Rows may have gone since it was scrolled.
  expect(rowsInView(34_000, 340, 34, 3)).toEqual({ start: 0, end: 3 });
  expect(scrolledTo(3, 340, 340, 34)).toBe(102);
  expect(scrolledTo(12, 340, 340, 34)).toBe(340);
  expect(scrolledTo(30, 340, 340, 34)).toBe(714);
});
