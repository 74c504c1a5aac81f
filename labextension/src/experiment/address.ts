import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

const NAME = 'hpo-experiment';

/** The address of a JupyterLab that opens an experiment. */
export function addressOf(uid: string): string {
  const lab = URLExt.join(ServerConnection.makeSettings().baseUrl, 'lab');
  return `${lab}?${NAME}=${encodeURIComponent(uid)}`;
}

/** The experiment that an address asks for. */
export function uidIn(address: string): string | null {
  return new URL(address).searchParams.get(NAME);
}

/** The address without the experiment, for a page that has opened it. */
export function withoutUid(address: string): string {
  const url = new URL(address);
  url.searchParams.delete(NAME);
  return url.href;
}
