import { ended, FakeClient, glance } from '../testing/server';
import { Traces } from './traces';

let client: FakeClient;
let traces: Traces;

beforeEach(() => {
  client = new FakeClient();
  traces = new Traces(client);
});

afterEach(() => traces.dispose());

const settle = () => new Promise(resolve => setTimeout(resolve));

it('asks for what is seen, and again where the best is another one', async () => {
  expect(traces.of(glance('a'))).toBeUndefined();
  await settle();
  expect(traces.of(glance('a', { trials: { Succeeded: 5 } }))).toBe(client.trace);
  await settle();
  expect(client.asked).toHaveLength(1);
  traces.of(glance('a', { best: { trial: 7, value: 0.95, parameters: {} } }));
  await settle();
  expect(client.asked).toHaveLength(2);
});

it('asks for nothing where there is no result', async () => {
  traces.of(ended('a', { best: null }));
  await settle();
  expect(client.asked).toEqual([]);
});

it('does not ask again for what cannot be read', async () => {
  client.failure = new Error('no');
  traces.of(ended('a'));
  await settle();
  expect(traces.of(ended('a'))).toBeUndefined();
  await settle();
  expect(client.asked).toHaveLength(1);
});
