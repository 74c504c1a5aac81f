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

/** Why something went wrong, in one line: what the server refuses, or that it lacks hpo_lab. */
export function reasonOf(error: unknown, trans: TranslationBundle): string {
  if (error instanceof Refusal && error.isMissing) {
    const { title, remedy } = missing(trans);
    return `${title} ${remedy} ${COMMANDS.replace('\n', ' && ')}`;
  }
  const problems = error instanceof Refusal ? error.problems : [];
  return problems.map(each => each.message).join('; ') || (error as Error).message;
}
