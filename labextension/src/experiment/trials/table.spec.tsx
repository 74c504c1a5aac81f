import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { fireEvent, render, screen, within } from '@testing-library/react';
import * as React from 'react';
import type { Experiment } from '../../api/types';
import { experiment, trial } from '../../testing/experiment';
import { ViewContext, type IView } from '../view';
import { columnsOf } from './columns';
import type { IOrder } from './order';
import { Table } from './table';

const trans = nullTranslator.load('');
const view = { trans, commands: new CommandRegistry() } as unknown as IView;

const columns = columnsOf(experiment(), new Set(['lr', 'units', 'opt']), trans);
const order = { key: 'objective accuracy', isDescending: true };
const nothing = () => undefined;

function shown(trials: ReturnType<typeof trial>[]) {
  const seen = { orders: [] as (IOrder | null)[], opened: [] as number[] };
  const sort = (each: IOrder | null) => void seen.orders.push(each);
  const open = (number: number) => void seen.opened.push(number);
  const table = (own: Experiment) => (
    <ViewContext.Provider value={view}>
      <Table
        {...{ trials, columns, order, sort, open }}
        experiment={own}
        opened={null}
        marked={[]}
        mark={nothing}
      />
    </ViewContext.Provider>
  );
  const { rerender } = render(table(experiment()));
  const update = (more: Partial<Experiment>) => rerender(table(experiment(more)));
  return { ...seen, update };
}

it('says values as a person reads them, and what is best and written', () => {
  const seen = shown([
    trial(2, 0.9644, { parameters: { lr: 0.0013123, units: 512, opt: 'adam' } }),
    trial(3),
    trial(0, 0.3383)
  ]);
  const [, best, failed, written] = screen.getAllByRole('row');
  const texts = within(best)
    .getAllByRole('cell')
    .map(each => each.textContent);
  expect(texts).toEqual(['2', 'Best', '0.9644', '0.001312', '512', 'adam', '2.0 s']);
  expect(best.className).toContain('best');
  // At the upper bound of its range.
  expect(best.querySelectorAll('.rng.edge')).toHaveLength(1);
  expect(within(failed).getByText('Failed')).toBeTruthy();
  expect(within(written).getByText('As written')).toBeTruthy();

  const head = screen.getByRole('columnheader', { name: /accuracy/ });
  expect(head.getAttribute('aria-sort')).toBe('descending');
  fireEvent.click(within(head).getByRole('button'));
  expect(seen.orders).toEqual([{ key: 'objective accuracy', isDescending: false }]);
  fireEvent.click(failed);
  fireEvent.click(within(best).getByRole('button', { name: 'Trial 2' }));
  expect(seen.opened).toEqual([3, 2]);
});

it('has few rows of very many trials, and says how many there are', () => {
  shown(Array.from({ length: 10_000 }, (_, number) => trial(number, 0.5)));
  expect(screen.getByRole('table').getAttribute('aria-rowcount')).toBe('10001');
  expect(screen.getAllByRole('row').length).toBeLessThan(60);
});

it('draws a row again where the experiment changes it, and no other row', () => {
  const drawn: number[] = [];
  const watched = [3, 2, 1].map(number => {
    const each = trial(number, 0.5);
    return Object.defineProperty(each, 'message', {
      get: () => {
        drawn.push(number);
        return '';
      }
    });
  });
  const { update } = shown(watched);
  expect(drawn.splice(0)).toEqual([3, 2, 1]);
  update({ elapsedSeconds: 122, trials: { Succeeded: 4 } });
  expect(drawn.splice(0)).toEqual([]);
  update({ best: { trial: 3, value: 0.97, parameters: {} } });
  expect(drawn.splice(0)).toEqual([3, 2]);
});
