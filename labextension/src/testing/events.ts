import type { Event } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import { CHANGED, type IChangeEvent } from '../model/experiments';

/** Events of the server that a test tells. */
export class FakeEvents {
  readonly stream = new Signal<this, Event.Emission>(this);

  /** What stands where the events of a server are wanted. */
  get manager(): Event.IManager {
    return this as unknown as Event.IManager;
  }

  /** Tell that experiments changed, or were deleted. */
  tell(change: Partial<IChangeEvent>): void {
    const event = {
      schema_id: CHANGED,
      store: 'a.db',
      changed: [],
      deleted: [],
      ...change
    };
    this.stream.emit(event as unknown as Event.Emission);
  }

  /** Tell that these experiments changed. */
  change(...uids: string[]): void {
    this.tell({ changed: uids.map(uid => ({ uid, revision: 2, state: 'Running' })) });
  }
}
