/** What `ISharedSource` of JupyterLab has, a cell's text among others. */
export interface ISource {
  getSource(): string;
  updateSource(start: number, end: number, value?: string): void;
}

/**
 * Give a text another content by changing only what differs, in one step: the cursor and the marks of
 * other people stay where they are, and one undo takes it back.
 */
export function rewrite(shared: ISource, after: string): void {
  const before = shared.getSource();
  if (before === after) {
    return;
  }
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before[start] === after[start]) {
    start += 1;
  }
  let end = 0;
  while (
    end < most - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  ) {
    end += 1;
  }
  shared.updateSource(
    start,
    before.length - end,
    after.slice(start, after.length - end)
  );
}
