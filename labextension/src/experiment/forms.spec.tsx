import type { Client } from '../api/client';
import { nullTranslator } from '@jupyterlab/translation';
import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import * as React from 'react';
import { Refusal } from '../api/client';
import { experiment } from '../testing/experiment';
import { askForBudgets, budgetForm, budgetsOf } from './budget';
import { Form, typed } from '../forms/form';
import { pointForm, pointOf } from './point';

// jsdom has it not, and JupyterLab draws with it.
window.requestIdleCallback ??= draw => window.setTimeout(draw, 0);

const trans = nullTranslator.load('');

it('sends the budgets that were changed', () => {
  const model = budgetForm(experiment(), trans);
  expect(model.values).toEqual({
    trials: '4',
    parallel: '2',
    timeout: '600',
    goal: ''
  });
  expect(budgetsOf(model, trans)).toEqual({});
  model.set('trials', '8');
  model.set('timeout', '2h');
  expect(budgetsOf(model, trans)).toEqual({ trials: 8, timeout: '2h' });
});

it('says at a budget that was emptied that it cannot be taken away', async () => {
  const ask = jest.fn();
  const client = { ask } as unknown as Client;
  void askForBudgets(experiment({ isOver: false }), client, trans);
  const field = await screen.findByLabelText('Timeout');
  const raise = screen.getByRole<HTMLButtonElement>('button', {
    name: 'Raise',
    hidden: true
  });
  // Nothing is sent while nothing is changed.
  expect(raise.disabled).toBe(true);
  fireEvent.change(field, { target: { value: '' } });
  expect(raise.disabled).toBe(false);
  raise.click();
  await screen.findByText('A budget can be changed, but not be taken away.');
  expect(field.getAttribute('aria-invalid')).toBe('true');
  expect(ask).not.toHaveBeenCalled();
  fireEvent.change(field, { target: { value: '1h' } });
  raise.click();
  await waitFor(() => expect(screen.queryByLabelText('Timeout')).toBeNull());
  expect(ask.mock.calls[0][1].body).toEqual({ timeout: '1h' });
});

it('shows beside each field why the server refused it', () => {
  const model = budgetForm(experiment(), trans);
  render(<Form model={model} trans={trans} />);
  fireEvent.change(screen.getByLabelText('Trials'), { target: { value: '2' } });
  const problems = [
    { where: 'trials', message: 'found 2; at least 4 are needed' },
    { where: 'digits', message: 'is complete' }
  ];
  React.act(() => model.refuse(new Refusal(400, '2 problems', problems)));
  const field = screen.getByLabelText('Trials');
  expect(field.getAttribute('aria-invalid')).toBe('true');
  expect(screen.getByText('found 2; at least 4 are needed')).toBeTruthy();
  expect(screen.getByRole('alert').textContent).toBe('is complete');
  fireEvent.change(field, { target: { value: '9' } });
  expect(field.getAttribute('aria-invalid')).toBe('false');
  expect(screen.getByRole('alert').textContent).toBe('');
});

it('makes a point of what is written, with the types of the choices', () => {
  const own = experiment({
    parameters: [
      ...experiment().parameters,
      {
        name: 'flag',
        parameterType: 'categorical',
        feasibleSpace: { list: [true, false] }
      }
    ]
  });
  const model = pointForm(own, { lr: 0.0013123456, units: 512 }, trans);
  // All digits, so that the point is the same.
  expect(model.values.lr).toBe('0.0013123456');
  model.set('opt', 'adam');
  model.set('flag', 'True');
  model.set('units', '');
  expect(pointOf(model, own.parameters)).toEqual({
    lr: 0.0013123456,
    opt: 'adam',
    flag: true
  });
});

it('leaves integers that JavaScript cannot hold as they are', () => {
  expect(typed(' 12 ')).toBe(12);
  expect(typed('1e-3')).toBe(0.001);
  expect(typed('9007199254740993')).toBe('9007199254740993');
  expect(typed('2h')).toBe('2h');
});
