import { act } from '@testing-library/react';
import { nullTranslator } from '@jupyterlab/translation';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { ExperimentsModel } from '../model/experiments';
import { Preferences } from '../model/preferences';
import { FakeEvents } from '../testing/events';
import { ended, FakeClient } from '../testing/server';
import { ExperimentsPanel } from './panel';

window.requestIdleCallback = (work): number => window.setTimeout(work);

it('shows at once what is there already when it is shown', async () => {
  const client = new FakeClient();
  client.experiments = [ended('found')];
  const experiments = new ExperimentsModel(new FakeEvents().manager, client);
  const actions = { open: jest.fn(), insert: jest.fn(), copy: jest.fn() };
  const panel = new ExperimentsPanel(
    { experiments, preferences: new Preferences() },
    actions,
    nullTranslator.load('hpo_lab')
  );
  panel.hide();
  Widget.attach(panel, document.body);
  await act(async () => {
    MessageLoop.flush();
    await experiments.refresh();
  });
  const asking = jest.spyOn(client, 'ask').mockReturnValue(new Promise(() => {}));
  await act(async () => {
    panel.show();
    MessageLoop.flush();
  });
  expect(panel.node.textContent).toContain('found');
  expect(asking).toHaveBeenCalled();
  panel.dispose();
  experiments.dispose();
});
