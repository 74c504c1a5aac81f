import { nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';
import { FormDialog } from './dialog';

// No field is drawn.
window.requestIdleCallback = () => 0;

it('takes Escape from its first moment, before a field is drawn', async () => {
  const notebook = document.body.appendChild(document.createElement('button'));
  notebook.focus();
  const dialog = new FormDialog({
    title: 'Tune',
    accept: ['Write'],
    body: <input aria-label="Trials" />,
    trans: nullTranslator.load('hpo_lab')
  });

  const asked = dialog.ask();
  while (!dialog.isAttached) {
    await Promise.resolve();
  }
  expect(dialog.node.querySelector('input')).toBeNull();
  document.activeElement!.dispatchEvent(
    new KeyboardEvent('keydown', { key: 'Escape', bubbles: true })
  );

  expect(await asked).toBeUndefined();
  expect(dialog.isAttached).toBe(false);
  notebook.remove();
});
