import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

/** Where a problem lies in what was sent, and what it is. */
export interface IProblem {
  where: string;
  message: string;
}

/** The server refused a request, and says why. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly problems: readonly IProblem[] = []
  ) {
    super(message);
  }

  /** The extension of the server is not there, or is not enabled. */
  get isMissing(): boolean {
    return this.status === 404 && !this.isAnswered;
  }

  /** Whether it was hpo_lab that answered, and not the server without it. */
  isAnswered = false;
}

/** The server cannot be reached. */
export class Offline extends Error {}

/** What a proxy says of a server that is away, a JupyterHub's included. */
const AWAY = [424, 502, 503, 504];

/** A request to the extension of the server. */
export interface IRequest {
  method?: 'GET' | 'POST' | 'DELETE';
  query?: Record<string, string | number | readonly (string | number)[] | undefined>;
  body?: unknown;
  signal?: AbortSignal;
}

/** Asks the server of hpo_lab; `openapi.yaml` says what there is to ask. */
export class Client {
  constructor(readonly settings = ServerConnection.makeSettings()) {}

  /** The answer to a request, as plain data. */
  async ask<T>(path: string, request: IRequest = {}): Promise<T> {
    const response = await this.fetch(path, request);
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  /** The address of *path*, for links. */
  url(path: string, query: IRequest['query'] = {}): string {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      for (const each of Array.isArray(value) ? value : [value]) {
        if (each !== undefined) {
          search.append(name, String(each));
        }
      }
    }
    const address = URLExt.join(this.settings.baseUrl, 'hpo-lab/api', path);
    return search.size ? `${address}?${search}` : address;
  }

  private async fetch(path: string, request: IRequest): Promise<Response> {
    const { method = 'GET', body, query, signal } = request;
    // With `no-store`, JupyterLab's own, a time stamp would be added to the query.
    const init: RequestInit = { method, signal, cache: 'no-cache' };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
    }
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(
        this.url(path, query),
        init,
        this.settings
      );
    } catch (error) {
      if (signal?.aborted) {
        throw error;
      }
      throw new Offline(String(error));
    }
    if (!response.ok) {
      throw await refusal(response);
    }
    return response;
  }
}

async function refusal(response: Response): Promise<Refusal | Offline> {
  const text = await response.text();
  try {
    const { message, problems } = JSON.parse(text);
    if (typeof message === 'string' && Array.isArray(problems)) {
      const answered = new Refusal(response.status, message, problems);
      answered.isAnswered = true;
      return answered;
    }
  } catch {
    // It was not hpo_lab that answered.
  }
  const said = `${response.status} ${response.statusText}`;
  return AWAY.includes(response.status)
    ? new Offline(said)
    : new Refusal(response.status, said);
}
