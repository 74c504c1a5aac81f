import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { fireEvent, render, screen, within } from '@testing-library/react';
import * as React from 'react';
import { experiment, trial } from '../../testing/experiment';
import { ViewContext, type IView } from '../view';
import { columnsOf } from './columns';
import type { IOrder } from './order';
import { Table } from './table';

const trans = nullTranslator.load('');
const view = { trans, commands: new CommandRegistry() } as unknown as IView;

function shown(trials: ReturnType<typeof trial>[]) {
  const seen = { orders: [] as (IOrder | null)[], opened: [] as number[] };
  render(
    <ViewContext.Provider value={view}>
      <Table
        experiment={experiment()}
        trials={trials}
        columns={columnsOf(experiment(), new Set(['lr', 'units', 'opt']), trans)}
        order={{ key: 'objective accuracy', isDescending: true }}
        sort={order => seen.orders.push(order)}
        opened={null}
        open={number => seen.opened.push(number)}
        marked={[]}
        mark={() => undefined}
      />
    </ViewContext.Provider>
  );
  return seen;
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
