import { nullTranslator } from '@jupyterlab/translation';
import { act, fireEvent, render, screen, within } from '@testing-library/react';
import * as React from 'react';
import { ExperimentsModel } from '../model/experiments';
import { Preferences } from '../model/preferences';
import { Traces } from '../model/traces';
import { FakeEvents } from '../testing/events';
import { ended, FakeClient, glance, missing, offline } from '../testing/server';
import { PanelView } from './view';

const trans = nullTranslator.load('');
const open = jest.fn();
const insert = jest.fn();
let client: FakeClient;
let model: ExperimentsModel;
let preferences: Preferences;

function Panel(): JSX.Element {
  const [active, setActive] = React.useState<string>();
  const [, draw] = React.useReducer(count => count + 1, 0);
  const traces = React.useMemo(() => new Traces(client), []);
  React.useEffect(() => {
    model.changed.connect(draw);
    preferences.changed.connect(draw);
    traces.changed.connect(draw);
  }, []);
  const actions = { setActive, open, insert, current: undefined };
  return <PanelView {...{ model, preferences, traces, active, trans, ...actions }} />;
}

async function show(): Promise<void> {
  render(<Panel />);
  await act(async () => {
    model.look();
    await model.refresh();
  });
}

const items = () =>
  within(screen.getByRole('listbox', { name: 'Experiments' })).queryAllByRole('option');
const names = () => items().map(each => each.getAttribute('aria-label')?.split(',')[0]);

beforeEach(() => {
  client = new FakeClient();
  model = new ExperimentsModel(new FakeEvents().manager, client);
  preferences = new Preferences();
  jest.clearAllMocks();
});

afterEach(() => model.dispose());

it('shows those that run first, with how far they are and how they ended', async () => {
  client.experiments = [
    ended('old', { best: null, trials: { Failed: 10 } }),
    ended('front', { state: 'Stopped', created: 900 }),
    glance('new', { created: 800, secondsLeft: 8 }),
    glance('young', { created: 700, state: 'Created', trials: {}, best: null })
  ];
  client.trace = { ...client.trace, front: 13 };
  await show();
  await act(() => Promise.resolve());
  expect(names()).toEqual(['new', 'young', 'old', 'front']);
  const [fresh, young, old, front] = within(screen.getByRole('listbox')).getAllByRole(
    'option'
  );
  expect(fresh.textContent).toContain('3 of 10');
  expect(fresh.textContent).toContain('about 10 s left');
  expect(young.textContent).toContain('Starting');
  expect(old.textContent).toContain('Finished, no result');
  expect(front.textContent).toContain('Stopped, 13 on the front');
});

it('filters by name, notebook and place, and sorts', async () => {
  client.experiments = [
    glance('b', { place: 'gpu-a' }),
    glance('a', { created: 900 }),
    glance('c', { created: 800, file: 'prices.ipynb', trials: { Succeeded: 9 } })
  ];
  await show();
  const filter = screen.getByRole('searchbox');
  for (const [text, expected] of [
    ['GPU', ['b']],
    ['prices', ['c']],
    ['work a', ['b', 'a', 'c']],
    ['', ['b', 'a', 'c']]
  ] as const) {
    fireEvent.change(filter, { target: { value: text } });
    expect(names()).toEqual(expected);
  }
  fireEvent.change(filter, { target: { value: 'nowhere' } });
  screen.getByText(/No experiment has “nowhere”/);
  fireEvent.keyDown(filter, { key: 'Escape' });
  for (const [sort, expected] of [
    ['name', ['a', 'b', 'c']],
    ['progress', ['c', 'b', 'a']]
  ] as const) {
    await act(async () => {
      fireEvent.change(screen.getByRole('combobox'), { target: { value: sort } });
    });
    expect(names()).toEqual(expected);
  }
});

it('moves with the arrow keys and opens with Enter', async () => {
  client.experiments = ['a', 'b', 'c'].map(name => ended(name));
  await show();
  const list = screen.getByRole('listbox');
  const active = () =>
    document
      .getElementById(list.getAttribute('aria-activedescendant') ?? '')
      ?.dataset.uid?.slice(-1);
  fireEvent.focus(list);
  expect(active()).toBe('a');
  for (const [key, uid] of [
    ['ArrowDown', 'b'],
    ['End', 'c'],
    ['ArrowDown', 'c'],
    ['ArrowUp', 'b']
  ]) {
    fireEvent.keyDown(list, { key });
    expect(active()).toBe(uid);
  }
  fireEvent.keyDown(list, { key: 'Enter' });
  expect(open).toHaveBeenCalledWith(client.experiments[1].uid);
  fireEvent.click(items()[2]);
  expect(open).toHaveBeenLastCalledWith(client.experiments[2].uid);
});

it('draws of 500 experiments those that are seen', async () => {
  client.experiments = Array.from({ length: 500 }, (_, n) => ended(`e${n}`));
  await show();
  expect(names().length).toBeLessThan(40);
  expect(items()[0].getAttribute('aria-setsize')).toBe('500');
});

it('says how to begin where nothing is, with the store that is preferred', async () => {
  await preferences.set('store', '/data/my tuning.db');
  await show();
  screen.getByText('No experiments yet');
  fireEvent.click(screen.getByText('Copy into a new cell'));
  expect(insert.mock.calls[0][0]).toMatch(
    /^%%tune maximize accuracy --store '\/data\/my tuning\.db'\nlr = 0\.1 {2}# tune/
  );
});

it('keeps the list without a connection, and says when it is tried again', async () => {
  client.experiments = [glance('a')];
  await show();
  client.failure = offline;
  await act(() => model.refresh());
  expect(screen.getByRole('status').textContent).toMatch(
    /No connection to the server\. This is how it was at .* Next try in 2 s\./
  );
  expect(names()).toEqual(['a']);
  expect(items()[0].textContent).toContain('last seen');
});

it('says how to enable a server extension that is not there', async () => {
  client.failure = missing;
  await show();
  expect(screen.getByRole('alert').textContent).toContain(
    'jupyter server extension enable hpo_lab.server'
  );
});

it('says which store cannot be read, and goes on when it can', async () => {
  client.silent = [{ store: 'b.db', message: 'layout 14 is newer than this one' }];
  await show();
  const alert = screen.getByRole('alert').textContent;
  expect(alert).toContain(
    'The store cannot be read.Layout 14 is newer than this one.b.db'
  );
  expect(alert).toContain('Nothing is lost.');
  client.silent = [];
  await act(async () => {
    fireEvent.click(screen.getByText('Try again'));
    await model.refresh();
  });
  expect(screen.queryByRole('alert')).toBeNull();
});

it('says that the versions differ, beside the list', async () => {
  client.experiments = [glance('a')];
  client.version = '9.0';
  await show();
  expect(screen.getByRole('status').textContent).toMatch(
    /This page has 0\.1\.0\S*, the server has 9\.0\./
  );
  expect(names()).toEqual(['a']);
});

it('announces a new best and an ending', async () => {
  client.experiments = [glance('a')];
  await show();
  client.experiments = [
    glance('a', { best: { trial: 3, value: 0.95, parameters: {} } })
  ];
  await act(() => model.refresh());
  expect(document.querySelector('[aria-live]')?.textContent).toBe(
    'New best of a: accuracy ↑ 0.9500.'
  );
});
