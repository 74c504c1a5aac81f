import { Client, Refusal } from '../api/client';
import type { EditedCell, Options, ReadCell } from '../api/types';

/** For so long a server without answers about cells is not asked, in milliseconds. */
const OFF = 60_000;
/** How many sources are remembered. */
const REMEMBERED = 64;

/**
 * What the server reads in cells. The extension knows no Python and nothing of annotations, so that
 * their language stands in one place.
 */
export class Cells {
  constructor(private readonly _client: Client) {}

  /** Whether the server had no answers about cells a moment ago; it may be started anew. */
  get isOff(): boolean {
    return Date.now() < this._offUntil;
  }

  /** What stands in a cell with this source. */
  async read(source: string): Promise<ReadCell> {
    let answer = this._read.get(source);
    if (!answer) {
      answer = this._post<ReadCell>('/cell', { source });
      this._read.set(source, answer);
      answer.catch(() => this._read.delete(source));
      if (this._read.size > REMEMBERED) {
        this._read.delete(this._read.keys().next().value!);
      }
    }
    return answer;
  }

  /** The cell with an annotation behind the value that ends on *line*; an empty one goes. */
  annotated(source: string, line: number, annotation: string): Promise<EditedCell> {
    return this._post('/cell/annotation', { source, line, annotation });
  }

  /** The cell with another `%%tune` line. */
  withLine(
    source: string,
    objectives: string,
    options: Record<string, string[]>
  ): Promise<EditedCell> {
    return this._post('/cell/line', { source, objectives, options });
  }

  /** All that may be said of a tuning run; asked for once. */
  options(): Promise<Options> {
    this._options ??= this._client.ask<Options>('/options').catch(error => {
      this._options = undefined;
      throw error;
    });
    return this._options;
  }

  private async _post<T>(path: string, body: unknown): Promise<T> {
    try {
      return await this._client.ask<T>(path, { method: 'POST', body });
    } catch (error) {
      if (error instanceof Refusal && error.isMissing) {
        this._offUntil = Date.now() + OFF;
      }
      throw error;
    }
  }

  private _offUntil = 0;
  private _options: Promise<Options> | undefined;
  private readonly _read = new Map<string, Promise<ReadCell>>();
}
