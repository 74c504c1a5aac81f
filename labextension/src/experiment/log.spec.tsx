import { nullTranslator } from '@jupyterlab/translation';
import { act, render, screen } from '@testing-library/react';
import * as React from 'react';
import { ExperimentModel } from '../model/experiment';
import { ExperimentsModel } from '../model/experiments';
import { FakeEvents } from '../testing/events';
import { FakeClient } from '../testing/server';
import { Log } from './log';
import { ViewContext, type IView } from './view';

const MINUTE = 60_000;

beforeEach(() => jest.useFakeTimers());
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

it('follows a log while the view is seen, and then asks no more', async () => {
  const client = new FakeClient();
  const printed = { text: 'one\n', start: 0, path: '/a.log', served: null };
  let asked = 0;
  jest.spyOn(client, 'ask').mockImplementation(async path => {
    if (path.endsWith('/log')) {
      asked += 1;
      return { ...printed } as never;
    }
    return { experiments: [], silent: [], trials: [], revision: 1 } as never;
  });
  const shared = new ExperimentsModel(new FakeEvents().manager, client);
  const model = new ExperimentModel('a', shared);
  const wait = (time: number) => act(() => jest.advanceTimersByTimeAsync(time));
  const hide = (isHidden: boolean) => {
    jest.spyOn(document, 'hidden', 'get').mockReturnValue(isHidden);
    document.dispatchEvent(new Event('visibilitychange'));
  };

  const looking = model.look();
  const view = { model, trans: nullTranslator.load('') } as unknown as IView;
  const shown = render(
    <ViewContext.Provider value={view}>
      <Log path="/experiments/a/log" isLive={true} nothing="" />
    </ViewContext.Provider>
  );
  await wait(9000);
  expect(asked).toBe(5);

  // The page is hidden, as where another window covers the browser.
  hide(true);
  await wait(MINUTE);
  expect(asked).toBe(5);
  printed.text += 'two\n';
  hide(false);
  await wait(0);
  expect(asked).toBe(6);
  expect(screen.getByLabelText('Log').textContent).toBe('one\ntwo');

  // The view is hidden, as behind another tab of JupyterLab.
  looking.dispose();
  await wait(MINUTE);
  expect(asked).toBe(6);
  const again = model.look();
  await wait(2500);
  expect(asked).toBe(8);

  shown.unmount();
  await wait(MINUTE);
  expect(asked).toBe(8);
  again.dispose();
  model.dispose();
  shared.dispose();
});
