import type { TranslationBundle } from '@jupyterlab/translation';
import { Refusal } from '../api/client';

/** What makes the server know hpo_lab. */
export const COMMANDS = [
  'pip install "hpo_lab[lab]"',
  'jupyter server extension enable hpo_lab.server'
].join('\n');

/** That the server does not know hpo_lab, and what to do. */
export function missing(trans: TranslationBundle): { title: string; remedy: string } {
  return {
    title: trans.__('The server does not know hpo_lab.'),
    remedy: trans.__(
      'Its extension is not installed or not enabled. In the environment of the Jupyter server run this, then start the server again:'
    )
  };
}

/** What went wrong, in words for a dialog. */
export function inWords(error: unknown, trans: TranslationBundle): string {
  if (error instanceof Refusal && error.isMissing) {
    const { title, remedy } = missing(trans);
    return `${title} ${remedy} ${COMMANDS.replace('\n', ' && ')}`;
  }
  return (error as Error).message;
}
