import { RenderMimeRegistry } from '@jupyterlab/rendermime';
import type { Event } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import { Client, Refusal } from '../api/client';
import type { Glance } from '../api/types';
import { CHANGED, ExperimentsModel } from '../model/experiments';
import { EXPERIMENT } from '../tokens';
import { rendererFactory } from './renderer';

const UID = 'a'.repeat(32);
let see: (isIntersecting: boolean) => void;
/** What the browser says of a new target. */
let isInView: boolean;

beforeEach(() => {
  jest.useFakeTimers();
  isInView = false;
  globalThis.IntersectionObserver = class {
    constructor(callback: (entries: { isIntersecting: boolean }[]) => void) {
      see = isIntersecting => callback([{ isIntersecting }]);
    }
    observe() {
      void Promise.resolve().then(() => see(isInView));
    }
    disconnect() {}
  } as unknown as typeof IntersectionObserver;
});

afterEach(() => jest.useRealTimers());

class Events {
  readonly stream = new Signal<this, Event.Emission>(this);
}

const SET_UP = '<details><summary>Set-up <span>2 cells</span></summary>a, b</details>';
const FOOT = '<div class="hpo-foot">what next</div>';

function output(html: string, revision: number, isOver = false, trusted = false) {
  const data = { [EXPERIMENT]: { uid: UID, revision, isOver }, 'text/html': html };
  return { data, metadata: {}, trusted, setData: () => undefined };
}

function shown() {
  const client = new Client();
  const ask = jest.spyOn(client, 'ask');
  const events = new Events();
  const model = new ExperimentsModel(events as unknown as Event.IManager, client);
  // Its poll waits for frames, which jest does not make.
  const list = [{ uid: UID } as Glance];
  jest.spyOn(model, 'all', 'get').mockReturnValue(list);
  jest
    .spyOn(model, 'get')
    .mockImplementation(uid => list.find(each => each.uid === uid));
  jest.spyOn(model, 'refresh').mockResolvedValue();
  const registry = new RenderMimeRegistry();
  const renderer = rendererFactory(model).createRenderer({
    mimeType: EXPERIMENT,
    sanitizer: registry.sanitizer,
    resolver: null,
    linkHandler: null,
    latexTypesetter: null
  });
  Widget.attach(renderer, document.body);
  return {
    renderer,
    model,
    panels: () => ask.mock.calls.filter(([path]) => path.endsWith('/panel')).length,
    lacks: () => list.splice(0),
    answers: (panel: unknown) =>
      ask.mockImplementation(async () => {
        if (panel instanceof Error) {
          throw panel;
        }
        return panel;
      }),
    tell: (revision: number, state = 'Running') =>
      events.stream.emit({
        schema_id: CHANGED,
        changed: [{ uid: UID, revision, state }],
        deleted: []
      } as unknown as Event.Emission)
  };
}

it('stands before the HTML that is beside it', () => {
  const registry = new RenderMimeRegistry({
    initialFactories: [
      { safe: true, mimeTypes: ['text/html'], defaultRank: 50 } as never,
      rendererFactory({} as ExperimentsModel)
    ]
  });
  const bundle = { [EXPERIMENT]: {}, 'text/html': '' };
  expect(registry.preferredMimeType(bundle, 'ensure')).toBe(EXPERIMENT);
});

it('goes on without its kernel while it is seen', async () => {
  const { renderer, panels, answers, tell } = shown();
  await renderer.renderModel(output(`<p>saved</p>${SET_UP}`, 3));
  expect(renderer.node.textContent).toContain('saved');
  await jest.advanceTimersByTimeAsync(60_000);
  expect(panels()).toBe(0);

  answers({ html: `<p>later</p>${FOOT}`, revision: 5, isOver: false });
  see(true);
  await jest.advanceTimersByTimeAsync(2500);
  expect(renderer.node.textContent).toContain('later');
  // Which cells run in a trial only the kernel knows.
  expect(renderer.node.textContent).toMatch(/Set-up.*what next/s);
  expect(panels()).toBe(1);
  tell(5);
  await jest.advanceTimersByTimeAsync(5000);
  expect(panels()).toBe(1);

  for (let revision = 6; revision < 30; revision++) {
    tell(revision);
    await jest.advanceTimersByTimeAsync(100);
  }
  expect(panels()).toBeLessThanOrEqual(4);
  see(false);
  const before = panels();
  tell(40);
  await jest.advanceTimersByTimeAsync(60_000);
  expect(panels()).toBe(before);

  answers({ html: '<p>the end</p>', revision: 50, isOver: true });
  see(true);
  await jest.advanceTimersByTimeAsync(2500);
  expect(renderer.node.textContent).toContain('the end');
  tell(51, 'Succeeded');
  await jest.advanceTimersByTimeAsync(60_000);
  expect(panels()).toBe(before + 1);
  renderer.dispose();
});

it('asks nothing while the kernel speaks, and what is older does not win', async () => {
  const { renderer, panels, answers, tell } = shown();
  answers({ html: '<p>server</p>', revision: 7, isOver: false });
  await renderer.renderModel(output('<p>1</p>', 1));
  see(true);
  for (let revision = 2; revision < 7; revision++) {
    tell(revision);
    await jest.advanceTimersByTimeAsync(1000);
    await renderer.renderModel(output(`<p>kernel ${revision}</p>`, revision));
  }
  expect(panels()).toBe(0);
  expect(renderer.node.textContent).toBe('kernel 6');
  tell(7);
  await jest.advanceTimersByTimeAsync(5000);
  expect(renderer.node.textContent).toBe('server');
  await renderer.renderModel(output('<p>late</p>', 6));
  expect(renderer.node.textContent).toBe('server');
  renderer.dispose();
});

it('looks again whether it is seen when something changed', async () => {
  const { renderer, model, answers, tell } = shown();
  const other = model.look(false);
  answers({ html: '<p>stopped</p>', revision: 7, isOver: false });
  await renderer.renderModel(output('<p>runs</p>', 3));
  see(false);
  isInView = true;
  tell(7);
  await jest.advanceTimersByTimeAsync(5000);
  expect(renderer.node.textContent).toBe('stopped');
  other.dispose();
  renderer.dispose();
});

it('shows what the server has where the saved revision is too high', async () => {
  const { renderer, panels, answers } = shown();
  answers({ html: '<p>server</p>', revision: 7, isOver: true });
  const saved = output('', 1e9);
  const data = { ...saved.data, 'text/plain': 'digits <b> runs' };
  await renderer.renderModel({ ...saved, data });
  expect(renderer.node.querySelector('pre')!.textContent).toBe('digits <b> runs');
  see(true);
  await jest.advanceTimersByTimeAsync(120_000);
  expect(renderer.node.textContent).toBe('server');
  expect(panels()).toBe(1);
  renderer.dispose();
});

it('keeps what was saved where the server does not know the experiment', async () => {
  const { renderer, panels, answers, lacks } = shown();
  answers(new Refusal(404, 'no experiment has the uid'));
  await renderer.renderModel(output('<p>saved</p>', 3));
  see(true);
  await jest.advanceTimersByTimeAsync(120_000);
  expect(panels()).toBe(1);
  expect(renderer.node.textContent).toBe('saved');

  lacks();
  await renderer.renderModel(output('<p>saved</p>', 3));
  await jest.advanceTimersByTimeAsync(120_000);
  expect(panels()).toBe(1);
  renderer.dispose();
});

it('sanitises what the server sends in a notebook that is not trusted', async () => {
  const { renderer, answers } = shown();
  const html = `<p onclick="alert()">x</p><script>window.hacked = 1</script>${FOOT}`;
  answers({ html, revision: 9, isOver: false });
  await renderer.renderModel(output(`<p>saved</p>${SET_UP}`, 3));
  see(true);
  await jest.advanceTimersByTimeAsync(2500);
  expect(renderer.node.textContent).toContain('x');
  expect(renderer.node.innerHTML).not.toMatch(/onclick|script/);
  renderer.dispose();
});

it('keeps parts unfolded that a person has unfolded', async () => {
  const { renderer } = shown();
  await renderer.renderModel(output(SET_UP, 1));
  renderer.node.querySelector('details')!.open = true;
  await renderer.renderModel(output(SET_UP, 2));
  expect(renderer.node.querySelector('details')!.open).toBe(true);
  renderer.dispose();
});
