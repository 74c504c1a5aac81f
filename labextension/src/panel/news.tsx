import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { Glance } from '../api/types';
import { bestText, stateWord } from '../format/words';
import type { ExperimentsModel } from '../model/experiments';

/** Milliseconds between two announcements. */
const BETWEEN = 5_000;

/** What a screen reader announces: a new best, and an ending; single trials are not. */
export function News(props: {
  model: ExperimentsModel;
  trans: TranslationBundle;
}): JSX.Element {
  const { model, trans } = props;
  const before = React.useRef<readonly Glance[]>();
  const said = React.useRef(0);
  const [text, setText] = React.useState('');
  React.useEffect(() => {
    const told = news(before.current, model.all ?? [], trans);
    if (told.length && Date.now() - said.current < BETWEEN) {
      // It is told with what follows.
      return;
    }
    before.current = model.all;
    if (told.length) {
      said.current = Date.now();
      setText(told.join(' '));
    }
  });
  return (
    <div className="jp-HpoPanel-news" aria-live="polite">
      {text}
    </div>
  );
}

/** What is new of experiments that went on *before*. */
export function news(
  before: readonly Glance[] | undefined,
  after: readonly Glance[],
  trans: TranslationBundle
): string[] {
  const running = new Map(
    before?.filter(each => !each.isOver).map(each => [each.uid, each])
  );
  return after.flatMap(glance => {
    const old = running.get(glance.uid);
    if (!old) {
      return [];
    }
    if (glance.isOver) {
      return [trans.__('%1: %2.', glance.title, stateWord(glance, trans))];
    }
    const isBetter = glance.best && glance.best.value !== old.best?.value;
    return isBetter
      ? [trans.__('New best of %1: %2.', glance.title, bestText(glance))]
      : [];
  });
}
