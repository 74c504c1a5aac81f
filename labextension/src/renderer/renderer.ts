import { RenderedHTML } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { IDisposable } from '@lumino/disposable';
import type { Message } from '@lumino/messaging';
import { Refusal } from '../api/client';
import type { Answer } from '../api/types';
import type { ExperimentsModel, IChangeEvent } from '../model/experiments';
import { EXPERIMENT } from '../tokens';
import { unfold, unfolded, withSetUp } from './markup';

/** At most so often, in milliseconds, the server is asked for a panel. */
const PACE = 1000;
/** A kernel that follows an experiment sends something every second; after this it is silent. */
const SILENCE = 3000;

interface IExperimentData {
  uid?: string;
  revision?: number;
  isOver?: boolean;
}

/**
 * The output of `%%tune`: what the kernel has sent, and later what the server knows.
 *
 * The HTML is drawn as JupyterLab draws any `text/html`: that of an output which is not trusted is
 * sanitised, and what the server sends goes the same way with the trust of the output that it
 * replaces. The output names the experiment, and nobody vouches for the name in a notebook which is
 * not trusted.
 *
 * While it can be seen and the experiment goes on, changes are asked for, at most once a second and
 * only when the kernel is silent: after a reload, in a second tab, after the kernel was restarted.
 */
export class RenderedExperiment extends RenderedHTML {
  constructor(
    options: IRenderMime.IRendererOptions,
    private readonly _model: ExperimentsModel
  ) {
    super({ ...options, mimeType: 'text/html' });
    this._model.told.connect(this._onTold, this);
    this._observer = new IntersectionObserver(entries => {
      this._isSeen = entries[entries.length - 1].isIntersecting;
      this._look();
    });
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const data = (model.data[EXPERIMENT] ?? {}) as IExperimentData;
    const { uid = '', revision = 0, isOver = false } = data;
    if (uid === this._uid) {
      // It is the kernel that draws the output anew.
      this._spoke = Date.now();
      if (revision < this._revision) {
        return;
      }
    }
    this._uid = uid;
    this._revision = revision;
    this._isOver = isOver;
    this._isUnknown = false;
    this._output = model;
    this._saved = String(model.data['text/html'] ?? '');
    await this._draw(this._saved || asHTML(String(model.data['text/plain'] ?? '')));
    this._look();
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._observer.disconnect();
    this._model.told.disconnect(this._onTold, this);
    this._leave();
    super.dispose();
  }

  onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._observer.observe(this.node);
  }

  onBeforeDetach(message: Message): void {
    super.onBeforeDetach(message);
    this._observer.disconnect();
    this._isSeen = false;
    this._look();
  }

  private async _draw(html: string): Promise<void> {
    const { metadata, trusted } = this._output!;
    const titles = unfolded(this.node);
    const data = { 'text/html': html };
    await super.renderModel({ data, metadata, trusted, setData: () => undefined });
    unfold(this.node, titles);
  }

  /** Begin to follow the experiment, or end it, as is due. */
  private _look(): void {
    const isPointless = this._isOver || this._isUnknown || this._model.isMissing;
    if (!this._isSeen || isPointless || !this._uid) {
      this._leave();
    } else if (!this._looking) {
      this._looking = this._model.look(false);
      this._model.changed.connect(this._onList, this);
      // A kernel that has begun to follow it gets to speak first.
      this._askSoon(2 * PACE);
    }
  }

  private _leave(): void {
    window.clearTimeout(this._timer);
    this._timer = 0;
    this._model.changed.disconnect(this._onList, this);
    this._looking?.dispose();
    this._looking = undefined;
  }

  private _onTold(_: ExperimentsModel, event: IChangeEvent): void {
    const change = event.changed.find(each => each.uid === this._uid);
    if (!change || change.revision <= this._revision) {
      return;
    }
    if (this._isUnknown || (this._isOver && change.state === 'Running')) {
      // It is new to the list, or somebody resumed it.
      this._isUnknown = this._isOver = false;
      this._look();
    } else if (this._looking) {
      this._askSoon();
    } else if (this.isAttached) {
      // Cells come and go while a notebook is scrolled. What the browser said last of this one may
      // be wrong by now; a new target is told of at once.
      this._observer.disconnect();
      this._observer.observe(this.node);
    }
  }

  /** The list was asked for: events may be lost, and time goes on where nothing changes. */
  private _onList(): void {
    if (!this._model.trouble && Date.now() - this._asked > 20 * PACE) {
      this._askSoon();
    }
  }

  private _isListed(): boolean {
    return this._model.get(this._uid) !== undefined;
  }

  private _askSoon(wait = PACE): void {
    if (!this._timer) {
      this._timer = window.setTimeout(() => {
        this._timer = 0;
        if (Date.now() - this._spoke < SILENCE) {
          // The kernel will say it; should it end meanwhile, nobody else tells.
          this._askSoon();
        } else {
          void this._ask();
        }
      }, wait);
    }
  }

  private async _ask(): Promise<void> {
    const uid = this._uid;
    this._asked = Date.now();
    try {
      if (!this._isListed()) {
        // The list may be older than the experiment.
        await this._model.refresh();
      }
      if (!this._isListed()) {
        // Without a list the server is away, and the next list is waited for.
        this._isUnknown = this._model.all !== undefined;
        this._look();
        return;
      }
      const beside = await this.resolver?.resolveUrl('beside');
      const folder = decodeURIComponent(beside ?? '').replace(/\/?[^/]*$/, '');
      const panel = await this._model.client.ask<Answer<'/experiments/{uid}/panel'>>(
        `/experiments/${uid}/panel`,
        { query: { folder } }
      );
      // An older one was on its way while the kernel spoke. That of a silent kernel is not: the
      // store was restored, or what was saved is wrong.
      const isLate = panel.revision < this._revision && this._spoke >= this._asked;
      if (this.isDisposed || uid !== this._uid || isLate) {
        return;
      }
      this._revision = panel.revision;
      this._isOver = panel.isOver;
      await this._draw(withSetUp(panel.html, this._saved));
    } catch (error) {
      // What was shown last stays. A store that does not answer is asked when events tell of it.
      this._isUnknown = error instanceof Refusal && error.status === 404;
    }
    this._look();
  }

  private _uid = '';
  private _revision = 0;
  private _isOver = false;
  /** The server does not know the experiment: the notebook comes from elsewhere. */
  private _isUnknown = false;
  private _isSeen = false;
  private _saved = '';
  private _output: IRenderMime.IMimeModel | undefined;
  /** When the kernel drew the output anew, and when the server was asked. */
  private _spoke = 0;
  private _asked = 0;
  private _timer = 0;
  private _looking: IDisposable | undefined;
  private readonly _observer: IntersectionObserver;
}

function asHTML(text: string): string {
  const node = document.createElement('pre');
  node.textContent = text;
  return text && node.outerHTML;
}

/** Draws experiments in the place of their `text/html`, which stands beside them. */
export function rendererFactory(model: ExperimentsModel): IRenderMime.IRendererFactory {
  return {
    safe: true,
    mimeTypes: [EXPERIMENT],
    // Before `text/html`, which has 50.
    defaultRank: 40,
    createRenderer: options => new RenderedExperiment(options, model)
  };
}
