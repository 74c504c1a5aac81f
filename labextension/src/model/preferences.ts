import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Signal, type ISignal } from '@lumino/signaling';

/** The orders of the list. */
export type Sort = 'newest' | 'name' | 'progress';

/** The settings of the extension; `schema/panel.json` describes them. */
export interface ISettings {
  sort: Sort;
  group: boolean;
  refreshSeconds: number;
  showInStatusBar: boolean;
  notify: boolean;
  store: string;
}

/** What holds before settings are read, and where there are none. */
const DEFAULTS: ISettings = {
  sort: 'newest',
  group: true,
  refreshSeconds: 30,
  showInStatusBar: true,
  notify: true,
  store: ''
};

/** What the user prefers; changes have an effect at once. */
export class Preferences {
  /** A setting has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get current(): Readonly<ISettings> {
    return this._current;
  }

  /** Follow *settings*. */
  follow(settings: ISettingRegistry.ISettings): void {
    this._settings = settings;
    settings.changed.connect(this._read, this);
    this._read();
  }

  /** Change a setting, and keep it where settings are kept. */
  async set<Key extends keyof ISettings>(
    key: Key,
    value: ISettings[Key]
  ): Promise<void> {
    if (this._settings) {
      await this._settings.set(key, value);
    } else {
      this._current = { ...this._current, [key]: value };
      this._changed.emit();
    }
  }

  private _read(): void {
    const composite = this._settings?.composite as Partial<ISettings> | undefined;
    this._current = { ...DEFAULTS, ...composite };
    this._changed.emit();
  }

  private _current = DEFAULTS;
  private _settings: ISettingRegistry.ISettings | undefined;
  private readonly _changed = new Signal<this, void>(this);
}
