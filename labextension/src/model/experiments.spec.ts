import { Signal } from '@lumino/signaling';
import type { Event } from '@jupyterlab/services';
import { Client } from '../api/client';
import { ExperimentsModel } from './experiments';

class Events {
  readonly stream = new Signal<this, Event.Emission>(this);
}

it('asks nothing before somebody looks', async () => {
  const client = new Client();
  const ask = jest
    .spyOn(client, 'ask')
    .mockResolvedValue({ experiments: [], silent: [] });
  const model = new ExperimentsModel(new Events() as unknown as Event.IManager, client);
  expect(ask).not.toHaveBeenCalled();
  const changed = new Promise<void>(resolve => model.changed.connect(() => resolve()));
  const looking = model.look();
  await changed;
  expect(model.all).toEqual([]);
  looking.dispose();
  model.dispose();
});
