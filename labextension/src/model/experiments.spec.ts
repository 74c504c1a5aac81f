import { FakeEvents } from '../testing/events';
import { ended, FakeClient, glance, missing, offline } from '../testing/server';
import { EVERY, ExperimentsModel, SELDOM } from './experiments';

let client: FakeClient;
let events: FakeEvents;
let model: ExperimentsModel;

beforeEach(() => {
  jest.useFakeTimers();
  client = new FakeClient();
  events = new FakeEvents();
  model = new ExperimentsModel(events.manager, client);
});

afterEach(() => {
  model.dispose();
  jest.useRealTimers();
});

const wait = (time: number) => jest.advanceTimersByTimeAsync(time);
const lists = () => client.asked.filter(path => path.startsWith('/experiments'));

function hide(isHidden: boolean): void {
  jest.spyOn(document, 'hidden', 'get').mockReturnValue(isHidden);
  document.dispatchEvent(new Event('visibilitychange'));
}

it('asks nothing before somebody looks, and nothing when nobody does any more', async () => {
  events.change('a');
  await wait(SELDOM);
  expect(client.asked).toEqual([]);
  const looking = model.look();
  await wait(0);
  expect(client.asked).toEqual(['/experiments', '/']);
  looking.dispose();
  events.change('a');
  await wait(SELDOM);
  expect(client.asked).toHaveLength(2);
});

it('asks for all now and then, seldom while the list is not seen', async () => {
  const unseen = model.look(false);
  await wait(SELDOM);
  expect(lists()).toHaveLength(2);
  const seen = model.look();
  await wait(3 * EVERY);
  expect(lists()).toHaveLength(5);
  model.every = 5_000;
  await wait(10_000);
  expect(lists()).toHaveLength(7);
  seen.dispose();
  unseen.dispose();
});

it('asks for what changed, once for many changes, and at most once a second', async () => {
  client.experiments = [glance('a'), glance('b', { created: 900 })];
  model.look();
  await wait(0);
  const [{ uid }] = client.experiments;
  client.experiments[0] = glance('a', { revision: 2, trials: { Succeeded: 4 } });
  events.change(uid);
  events.change(uid);
  await wait(400);
  expect(lists()).toEqual(['/experiments', `/experiments ${uid}`]);
  expect(model.get(uid)?.trials).toEqual({ Succeeded: 4 });
  expect(model.all?.map(each => each.name)).toEqual(['a', 'b']);
  events.change(uid);
  await wait(400);
  expect(lists()).toHaveLength(2);
  await wait(700);
  expect(lists()).toHaveLength(3);
});

it('asks for nothing more where all were asked for after a change', async () => {
  client.experiments = [glance('a')];
  model.look();
  await wait(0);
  events.change(client.experiments[0].uid);
  await model.refresh();
  await wait(2000);
  expect(lists()).toEqual(['/experiments', '/experiments']);
  expect(model.all).toHaveLength(1);
});

it('shows a new experiment first, and one that was deleted no more', async () => {
  client.experiments = [glance('a')];
  model.look();
  await wait(0);
  const fresh = glance('b', { created: 2000 });
  client.experiments.push(fresh);
  events.change(fresh.uid);
  await wait(400);
  expect(model.all?.map(each => each.name)).toEqual(['b', 'a']);
  events.tell({ deleted: [fresh.uid] });
  expect(model.all?.map(each => each.name)).toEqual(['a']);
});

it('keeps the list while the server is away, and asks less and less often', async () => {
  client.experiments = [ended('a')];
  model.look();
  await wait(0);
  const since = Date.now();
  client.failure = offline;
  await model.refresh();
  expect(model.trouble).toMatchObject({ isOffline: true, since, next: since + 2000 });
  expect(model.all).toHaveLength(1);
  const before = client.asked.length;
  await wait(2000 + 4000 + 8000);
  expect(client.asked).toHaveLength(before + 3);
  client.failure = undefined;
  await wait(16_000);
  expect(model.trouble).toBeNull();
});

it('tells a server without the extension from one that is away, and asks it no more', async () => {
  client.failure = missing;
  model.look();
  await wait(0);
  expect(model.trouble).toMatchObject({ isOffline: false, error: { isMissing: true } });
  expect(model.all).toBeUndefined();
  await wait(SELDOM);
  expect(lists()).toHaveLength(1);
  client.failure = undefined;
  await model.refresh();
  await wait(EVERY);
  expect(lists()).toHaveLength(3);
});

it('keeps the experiments of a store that does not answer', async () => {
  client.experiments = [glance('a'), glance('b', { store: 'b.db' })];
  model.look();
  await wait(0);
  client.experiments = client.experiments.slice(0, 1);
  client.silent = [{ store: 'b.db', message: 'is locked' }];
  await model.refresh();
  expect(model.all?.map(each => each.name)).toEqual(['a', 'b']);
  expect(model.silent).toEqual(client.silent);
});

it('asks nothing while the page is hidden, and at once when it is seen again', async () => {
  model.look();
  await wait(0);
  hide(true);
  events.change('a');
  await wait(SELDOM);
  expect(lists()).toHaveLength(1);
  hide(false);
  await wait(0);
  expect(lists()).toHaveLength(2);
});

it('is quiet after its end', async () => {
  model.look();
  await wait(0);
  const changed = jest.fn();
  model.changed.connect(changed);
  model.dispose();
  events.change('a');
  await model.refresh();
  await wait(SELDOM);
  expect(lists()).toHaveLength(1);
  expect(changed).not.toHaveBeenCalled();
});
