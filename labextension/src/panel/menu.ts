import type { JupyterFrontEnd } from '@jupyterlab/application';
import { DisposableSet } from '@lumino/disposable';
import { CommandIDs } from '../tokens';
import type { ExperimentsPanel } from './panel';

const COMMANDS = [
  CommandIDs.open,
  CommandIDs.stop,
  CommandIDs.resume,
  CommandIDs.delete
];

/** Offer the commands about the experiment under the pointer; those that are not there are left out. */
export function addContextMenu(app: JupyterFrontEnd, panel: ExperimentsPanel): void {
  let items = new DisposableSet();
  // Before the application opens the menu: its items say which experiment they are about.
  panel.node.addEventListener('contextmenu', event => {
    items.dispose();
    items = new DisposableSet();
    const row = (event.target as Element).closest<HTMLElement>('[data-uid]');
    const uid = row?.dataset.uid ?? panel.active;
    if (!uid || !(event.target as Element).closest('.jp-HpoList')) {
      return;
    }
    COMMANDS.filter(command => app.commands.hasCommand(command)).forEach(
      (command, rank) =>
        items.add(
          app.contextMenu.addItem({
            command,
            args: { uid },
            selector: '.jp-HpoList',
            rank
          })
        )
    );
  });
}
