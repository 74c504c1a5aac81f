import { Signal } from '@lumino/signaling';
import type { Event } from '@jupyterlab/services';
import { Client, Offline, Refusal } from '../api/client';
import type { Trial } from '../api/types';
import { ExperimentModel } from './experiment';
import { CHANGED, ExperimentsModel } from './experiments';

const UID = 'a'.repeat(32);

class Events {
  readonly stream = new Signal<this, Event.Emission>(this);

  tell(changed: object[], deleted: string[] = []): void {
    const event = { schema_id: CHANGED, store: 'store', changed, deleted };
    this.stream.emit(event as unknown as Event.Emission);
  }
}

/** A server with *count* trials, of which each page has two. */
function server(count: number) {
  const asked: string[] = [];
  const state = { revision: 5, problem: null as Error | null, count };
  const client = new Client();
  jest.spyOn(client, 'ask').mockImplementation(async (path, request = {}) => {
    if (path === '/experiments') {
      return { experiments: [], silent: [] } as never;
    }
    if (state.problem) {
      throw state.problem;
    }
    if (!path.endsWith('/trials')) {
      return { uid: UID, title: 'digits', isOver: false } as never;
    }
    const { since = 0, after = -1 } = request.query as Record<string, number>;
    asked.push(`${since}/${after}`);
    const numbers = Array.from({ length: state.count }, (_, number) => number);
    const rest = numbers.filter(each => each > after && (!since || each >= count));
    const trials = rest.slice(0, 2).map(number => ({ number }) as Trial);
    return { revision: state.revision, trials, more: rest.length > 2 } as never;
  });
  return { client, asked, state };
}

function models(client: Client) {
  const events = new Events();
  const shared = new ExperimentsModel(events as unknown as Event.IManager, client);
  return { events, shared, model: new ExperimentModel(UID, shared, 2) };
}

/** Waits until something is so. */
async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 300 && !isSo(); turn += 1) {
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  expect(isSo()).toBe(true);
}

it('reads trials in pages while somebody looks, and then what changed', async () => {
  const { client, asked, state } = server(5);
  const { events, shared, model } = models(client);
  expect(asked).toEqual([]);
  const looking = model.look();
  await until(() => model.experiment !== undefined);
  expect(asked).toEqual(['0/-1', '0/1', '0/3']);
  expect([...model.trials.keys()]).toEqual([0, 1, 2, 3, 4]);

  state.count = 6;
  events.tell([{ uid: 'b'.repeat(32), revision: 9, state: 'Running' }]);
  events.tell([{ uid: UID, revision: 6, state: 'Running' }]);
  events.tell([{ uid: UID, revision: 7, state: 'Running' }]);
  await until(() => model.trials.size === 6);
  // Two events, one question.
  expect(asked.slice(3)).toEqual(['5/-1']);

  looking.dispose();
  events.tell([{ uid: UID, revision: 8, state: 'Running' }]);
  await new Promise(resolve => setTimeout(resolve, 50));
  expect(asked).toHaveLength(4);
  model.dispose();
  shared.dispose();
});

it('asks nothing while the page is hidden, and once when it is seen again', async () => {
  const { client, asked } = server(1);
  const { events, shared, model } = models(client);
  const looking = model.look();
  await until(() => model.isComplete);
  jest.useFakeTimers();
  const hide = (isHidden: boolean) => {
    jest.spyOn(document, 'hidden', 'get').mockReturnValue(isHidden);
    document.dispatchEvent(new Event('visibilitychange'));
  };
  const seen: boolean[] = [];
  model.seen.connect((_, isSeen) => seen.push(isSeen));
  try {
    hide(true);
    events.tell([{ uid: UID, revision: 6, state: 'Running' }]);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveLength(1);
    hide(false);
    await jest.advanceTimersByTimeAsync(0);
    expect(asked).toHaveLength(2);
    hide(true);
    hide(false);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveLength(2);
    expect(seen).toEqual([false, true, false, true]);
  } finally {
    jest.useRealTimers();
    jest.restoreAllMocks();
  }
  looking.dispose();
  model.dispose();
  shared.dispose();
});

it('says that it is offline, and keeps what it has', async () => {
  const { client, state } = server(1);
  const { shared, model } = models(client);
  const looking = model.look();
  await until(() => model.experiment !== undefined);
  state.problem = new Offline('no connection');
  await model.refresh();
  expect(model.trouble?.isOffline).toBe(true);
  expect(model.trials.size).toBe(1);
  state.problem = null;
  await model.refresh();
  expect(model.trouble).toBeNull();
  looking.dispose();
  model.dispose();
  shared.dispose();
});

it('says that the experiment was deleted', async () => {
  const { client, state } = server(1);
  const { events, shared, model } = models(client);
  const looking = model.look();
  await until(() => model.experiment !== undefined);
  events.tell([], [UID]);
  expect(model.isDeleted).toBe(true);
  looking.dispose();

  const gone = new ExperimentModel(UID, shared);
  const refusal = new Refusal(404, 'no experiment has the uid');
  refusal.isAnswered = true;
  state.problem = refusal;
  await gone.refresh();
  expect(gone.isDeleted).toBe(true);
  model.dispose();
  gone.dispose();
  shared.dispose();
});
