/** A part of rows of the same height. */
export interface IWindow {
  /** The first row, and the one behind the last. */
  start: number;
  end: number;
}

/**
 * The rows that are in view, and some above and below.
 *
 * @param top How far it is scrolled, in pixels.
 * @param room How high the view is, in pixels.
 * @param height Of a row, in pixels.
 * @param count How many rows there are.
 * @param more How many rows above and below the view.
 */
export function rowsInView(
  top: number,
  room: number,
  height: number,
  count: number,
  more = 8
): IWindow {
  const first = Math.floor(Math.max(0, top) / height);
  const last = Math.ceil((Math.max(0, top) + room) / height);
  const end = Math.min(count, last + more);
  // Rows may have gone since it was scrolled.
  const latest = end - Math.ceil(room / height);
  return { start: Math.max(0, Math.min(first - more, latest)), end };
}

/** How far to scroll so that a row is in view; as it is where it is. */
export function scrolledTo(
  row: number,
  top: number,
  room: number,
  height: number
): number {
  if (row * height < top) {
    return row * height;
  }
  return Math.max(top, (row + 1) * height - room);
}
