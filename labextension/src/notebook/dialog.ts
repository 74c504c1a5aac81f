import { Dialog } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

/** What a form has been filled in with. */
export interface IFilled<T> {
  value: T;
  /** The label of the button. */
  button: string;
}

/** The properties of a form: what it tells the dialog around it. */
export interface IFormProps<T> {
  /** What would be taken over now; undefined while something is wrong. */
  onChange: (value: T | undefined) => void;
}

class Body<T> extends ReactWidget {
  constructor(
    private readonly _form: React.ComponentType<IFormProps<T>>,
    private readonly _onChange: (value: T | undefined) => void
  ) {
    super();
    this.addClass('hpo');
    this.addClass('jp-HpoForm');
  }

  protected render(): JSX.Element {
    return React.createElement(this._form, { onChange: this._onChange });
  }
}

/** A dialog whose form is not taken over, by Enter either, while something is wrong in it. */
class FormDialog extends Dialog<unknown> {
  isReady = false;

  constructor(
    options: Partial<Dialog.IOptions<unknown>>,
    private readonly _last: number
  ) {
    super(options);
    this.addClass('jp-HpoDialog');
  }

  resolve(index = this._last): void {
    if (index === 0 || this.isReady) {
      super.resolve(index);
    }
  }
}

/**
 * Show a form in a dialog; its buttons wait until nothing is wrong in it.
 *
 * @param buttons The labels of the buttons that take over what is filled in; the last one is that of
 * the Enter key.
 */
export async function askWith<T>(
  title: string,
  cancel: string,
  buttons: string[],
  form: React.ComponentType<IFormProps<T>>
): Promise<IFilled<T> | undefined> {
  let value: T | undefined;
  const body = new Body<T>(form, now => {
    value = now;
    dialog.isReady = now !== undefined;
    for (const node of dialog.node.querySelectorAll('button.jp-mod-accept')) {
      (node as HTMLButtonElement).disabled = !dialog.isReady;
    }
  });
  const dialog = new FormDialog(
    {
      title,
      body,
      buttons: [
        Dialog.cancelButton({ label: cancel }),
        ...buttons.map(label => Dialog.okButton({ label }))
      ],
      defaultButton: buttons.length,
      focusNodeSelector: '.jp-HpoForm select, .jp-HpoForm input'
    },
    buttons.length
  );
  const { button } = await dialog.launch();
  return button.accept ? { value: value!, button: button.label } : undefined;
}
