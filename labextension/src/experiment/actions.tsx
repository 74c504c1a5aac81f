import { MenuSvg, ellipsesIcon } from '@jupyterlab/ui-components';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import * as React from 'react';
import { CommandIDs } from '../tokens';
import { useView, type IExperimentProps } from './view';

const MORE = [
  CommandIDs.enqueue,
  CommandIDs.copyBest,
  CommandIDs.exportReport,
  CommandIDs.runAgain,
  CommandIDs.delete
];

/** What can be done with the experiment: the usual as buttons, the rest in a menu. */
export function Actions(props: IExperimentProps): JSX.Element {
  const { experiment } = props;
  const { commands, trans, model } = useView();
  const { uid } = model;
  const isResumed = experiment.isOver && experiment.state !== 'Succeeded';
  const button = (id: string, label: string, kind = '') =>
    commands.hasCommand(id) ? (
      <button
        type="button"
        className={kind}
        title={commands.caption(id, { uid })}
        disabled={!commands.isEnabled(id, { uid })}
        onClick={() => void commands.execute(id, { uid })}
      >
        {label}
      </button>
    ) : null;

  return (
    <div className="jp-HpoActions" role="group" aria-label={trans.__('Actions')}>
      {experiment.isOver ? null : button(CommandIDs.stop, trans.__('Stop…'))}
      {button(
        CommandIDs.resume,
        isResumed ? trans.__('Resume…') : trans.__('Raise budget…')
      )}
      {experiment.best
        ? button(CommandIDs.insertBest, trans.__('Insert best values'), 'main')
        : null}
      <button
        type="button"
        className="jp-HpoIconButton"
        aria-haspopup="menu"
        aria-label={trans.__('More actions')}
        title={trans.__('More actions')}
        onClick={event => openMenu(event.currentTarget, { uid })}
      >
        <ellipsesIcon.react tag="span" width="16px" />
      </button>
    </div>
  );

  function openMenu(anchor: HTMLElement, args: ReadonlyJSONObject): void {
    const menu = new MenuSvg({ commands });
    for (const command of MORE) {
      if (command === CommandIDs.delete) {
        menu.addItem({ type: 'separator' });
      }
      menu.addItem({ command, args });
    }
    menu.aboutToClose.connect(() => {
      window.setTimeout(() => menu.dispose(), 0);
      anchor.focus();
    });
    const { right, bottom } = anchor.getBoundingClientRect();
    menu.open(right, bottom + 2, { forceX: false });
    const excess = menu.node.getBoundingClientRect().right - right;
    if (excess > 0) {
      menu.node.style.transform += ` translateX(-${excess}px)`;
    }
    menu.activeIndex = 0;
  }
}
