import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { FormBody, type FormModel } from './form';

const CANCEL = 0;

export interface IFormDialogOptions {
  title: string;
  /** What the button says that sends the form. */
  accept: string;
  model: FormModel;
  intro?: string;
  trans: TranslationBundle;
  /** Sends the form; what it throws is shown in the form, which stays open. */
  send: () => Promise<void>;
}

/** A dialog with a form, which closes when the server has accepted what is in it. */
export class FormDialog extends Dialog<void> {
  constructor(private readonly _form: IFormDialogOptions) {
    super({
      title: _form.title,
      body: new FormBody(_form),
      buttons: [
        Dialog.cancelButton({ label: _form.trans.__('Cancel') }),
        Dialog.okButton({ label: _form.accept })
      ],
      defaultButton: 1,
      focusNodeSelector: 'input, select',
      hasClose: true
    });
  }

  resolve(index?: number): void {
    if (index === CANCEL) {
      super.resolve(index);
    } else if (!this._isSending) {
      this._isSending = true;
      void this._send(index);
    }
  }

  private async _send(index?: number): Promise<void> {
    try {
      await this._form.send();
    } catch (error) {
      this._form.model.refuse(error as Error);
      return;
    } finally {
      this._isSending = false;
    }
    super.resolve(index);
  }

  private _isSending = false;
}
