/*
 * HTML of an experiment's panel, changed as a document that the page never sees: no script of it
 * runs and no image of it is loaded, whoever wrote it.
 */

/**
 * The panel that the server has drawn, with what it cannot know: which earlier cells run in each
 * trial, the part *Set-up* of the output that the kernel has saved.
 */
export function withSetUp(fresh: string, saved: string): string {
  const setUp = parts(parse(saved)).find(each => titleOf(each) === 'Set-up');
  if (!setUp) {
    return fresh;
  }
  const panel = parse(fresh);
  const foot = panel.querySelector('.hpo-foot');
  if (!foot) {
    return fresh;
  }
  foot.before(panel.importNode(setUp, true));
  return panel.body.innerHTML;
}

/** The titles of the parts of a panel that are unfolded. */
export function unfolded(node: ParentNode): Set<string> {
  return new Set(
    parts(node)
      .filter(each => each.open)
      .map(titleOf)
  );
}

/** Unfold the parts that a person had unfolded before the panel was drawn again. */
export function unfold(node: ParentNode, titles: ReadonlySet<string>): void {
  for (const each of parts(node)) {
    each.open ||= titles.has(titleOf(each));
  }
}

function parse(html: string): Document {
  return new DOMParser().parseFromString(html, 'text/html');
}

function parts(node: ParentNode): HTMLDetailsElement[] {
  return [...node.querySelectorAll('details')];
}

/** The word of a part's title that does not change with the numbers behind it. */
function titleOf(part: HTMLDetailsElement): string {
  return part.querySelector('summary')?.firstChild?.textContent?.trim() ?? '';
}
