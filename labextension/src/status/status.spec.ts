import { Notification } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import { fireEvent, render } from '@testing-library/react';
import { createElement } from 'react';
import type { Glance } from '../api/types';
import { ExperimentsModel, SELDOM } from '../model/experiments';
import { Preferences } from '../model/preferences';
import { FakeEvents } from '../testing/events';
import { ended, FakeClient, glance, missing, offline } from '../testing/server';
import { Interest } from './interest';
import { Running, running } from './item';
import { Notifier } from './notifier';

const trans = nullTranslator.load('');
let client: FakeClient;
let events: FakeEvents;
let model: ExperimentsModel;
let preferences: Preferences;

beforeEach(() => {
  client = new FakeClient();
  events = new FakeEvents();
  model = new ExperimentsModel(events.manager, client);
  preferences = new Preferences();
});

afterEach(() => {
  model.dispose();
  Notification.dismiss();
});

const messages = () =>
  Notification.manager.notifications.map(each => `${each.type}: ${each.message}`);

describe('notifications', () => {
  const open = jest.fn();

  async function after(...steps: Glance[][]): Promise<string[]> {
    const notifier = new Notifier(model, preferences, open, trans);
    for (const experiments of steps) {
      client.experiments = experiments;
      await model.refresh();
    }
    notifier.dispose();
    return messages();
  }

  it.each<[string, Partial<Glance>, string]>([
    ['Succeeded', {}, 'success: a finished: accuracy 0.9000'],
    ['Succeeded', { best: null }, 'warning: a finished without a result.'],
    ['Failed', { message: 'all fail' }, 'error: a failed: all fail'],
    ['Stopped', {}, 'info: a was stopped: accuracy 0.9000']
  ])('tell once of %s', async (state, fields, message) => {
    const end = ended('a', { state: state as Glance['state'], ...fields });
    expect(await after([glance('a')], [end], [end])).toEqual([message]);
    const [{ options }] = Notification.manager.notifications;
    options.actions?.[0].callback(new MouseEvent('click'));
    expect(open).toHaveBeenLastCalledWith(end.uid);
  });

  it('tell of a goal once, and not again with the ending', async () => {
    const objective = { type: 'maximize', metric: 'accuracy', goal: 0.95 } as const;
    const best = { trial: 5, value: 0.96, parameters: {} };
    const reached = glance('a', { objective, best });
    expect(await after([glance('a', { objective })], [reached], [reached])).toEqual([
      'success: a reached its goal: accuracy 0.9600'
    ]);
  });

  it('say nothing of what was not seen running, and nothing where they are not wanted', async () => {
    expect(await after([ended('a')], [ended('a'), ended('b')])).toEqual([]);
    await preferences.set('notify', false);
    expect(await after([glance('a')], [ended('a')])).toEqual([]);
  });
});

it('looks when there is a reason to, and no longer than it is wanted', async () => {
  jest.useFakeTimers();
  const interest = new Interest(model, null);
  const cell = (source: string) => ({
    cell: { model: { type: 'code', sharedModel: { getSource: () => source } } } as never
  });
  const asked = async () => {
    await jest.advanceTimersByTimeAsync(0);
    return client.asked.splice(0);
  };
  interest.onExecuted(null, cell('x = 1'));
  expect(await asked()).toEqual([]);
  interest.onExecuted(null, cell('\n%%tune maximize accuracy\nx = 1'));
  expect(await asked()).toEqual(['/experiments', '/']);
  await jest.advanceTimersByTimeAsync(SELDOM);
  expect(await asked()).toEqual(['/experiments']);

  interest.isWanted = false;
  interest.onExecuted(null, cell('%%tune minimize loss'));
  events.change('a');
  await jest.advanceTimersByTimeAsync(2 * SELDOM);
  expect(await asked()).toEqual([]);
  interest.isWanted = true;
  expect(await asked()).toEqual(['/experiments']);
  interest.dispose();
  jest.useRealTimers();
});

it('counts the trials that run', () => {
  const { experiments, trials } = running([
    glance('a', { trials: { Running: 2 } }),
    glance('b', { trials: { Running: 1 } }),
    ended('c')
  ]);
  expect([trials, experiments.length]).toEqual([3, 2]);
});

it('says in the status bar what the trouble is, and leads to the panel', async () => {
  const show = jest.fn();
  const button = async () => {
    await model.refresh();
    const shown = render(createElement(Running, { model, show, trans }));
    const [found] = shown.getAllByRole('button');
    fireEvent.click(found);
    shown.unmount();
    return found.title;
  };
  client.experiments = [glance('a')];
  expect(await button()).toBe('a');
  client.failure = missing;
  expect(await button()).toBe('The server does not say how it is: 404 Not Found');
  client.failure = offline;
  expect(await button()).toBe('No connection to the server.');
  expect(show).toHaveBeenCalledTimes(3);
});
