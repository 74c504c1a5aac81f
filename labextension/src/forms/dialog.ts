import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';

/** What a form is shown with. */
export interface IFormOptions {
  title: string;
  /** The labels of the buttons that take the form over; the last one is that of the Enter key. */
  accept: readonly string[];
  /** The fields. */
  body: JSX.Element;
  trans: TranslationBundle;
  /** Takes the form over; the dialog stays open where the answer is false. */
  send?: () => Promise<boolean>;
}

class Body extends ReactWidget {
  constructor(private readonly _fields: JSX.Element) {
    super();
    this.addClass('hpo');
    this.addClass('jp-HpoForm');
  }

  protected render(): JSX.Element {
    return this._fields;
  }
}

/** A dialog with a form, which is not taken over, by Enter either, unless it is ready. */
export class FormDialog extends Dialog<unknown> {
  constructor(private readonly _form: IFormOptions) {
    super({
      title: _form.title,
      body: new Body(_form.body),
      buttons: [
        Dialog.cancelButton({ label: _form.trans.__('Cancel') }),
        ..._form.accept.map(label => Dialog.okButton({ label }))
      ],
      defaultButton: _form.accept.length,
      focusNodeSelector: '.jp-HpoForm select, .jp-HpoForm input'
    });
    this.addClass('jp-HpoDialog');
  }

  /** Whether there is something to take over, and nothing known to be wrong. */
  set isReady(isReady: boolean) {
    this._isReady = isReady;
    for (const node of this.node.querySelectorAll('button.jp-mod-accept')) {
      (node as HTMLButtonElement).disabled = !isReady;
    }
  }

  /** The label of the button that took the form over; undefined where none did. */
  async ask(): Promise<string | undefined> {
    const { button } = await this.launch();
    return button.accept ? button.label : undefined;
  }

  resolve(index = this._form.accept.length): void {
    if (index === 0) {
      super.resolve(index);
    } else if (this._isReady && !this._isSending) {
      this._isSending = true;
      void this._send(index);
    }
  }

  protected onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    // The first field takes the focus when it is rendered. Keys that come before it, such as
    // Escape, are the dialog's too, not those of the notebook beneath.
    this.node.tabIndex = -1;
    this.node.focus();
  }

  private async _send(index: number): Promise<void> {
    const isTaken = (await this._form.send?.()) ?? true;
    this._isSending = false;
    if (isTaken) {
      super.resolve(index);
    }
  }

  private _isReady = true;
  private _isSending = false;
}
