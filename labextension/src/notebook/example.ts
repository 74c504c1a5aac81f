/** A cell that is tuned, to begin with; *store* is where it is recorded, empty for the usual. */
export function example(store: string): string {
  return [
    `%%tune maximize accuracy${storeOption(store)}`,
    'lr = 0.1  # tune: uniform(0, 1)',
    'model = fit(lr)',
    'accuracy = model.score(X, y)'
  ].join('\n');
}

/** A notebook that tunes something at once, without data and without other packages. */
export function exampleNotebook(store: string): string[] {
  return [
    LOAD,
    `import math, time

def train(lr, units):
    """Your training would stand here; this takes a moment and is best at 0.01 and 64."""
    time.sleep(0.5)
    return math.exp(-abs(math.log10(lr / 0.01)) - abs(units - 64) / 64)`,
    `%%tune maximize accuracy${storeOption(store)}
lr = 0.1  # tune: loguniform(1e-4, 1)
units = 32
accuracy = train(lr, units)`
  ];
}

/** What a kernel needs to know `%%tune`. */
export const LOAD = '%load_ext hpo_lab';

function storeOption(store: string): string {
  // As a shell quotes: on a line, `#` would begin a comment.
  const isPlain = /^[\w@%+=:,./-]*$/.test(store);
  const quoted = isPlain ? store : `'${store.replace(/'/g, `'"'"'`)}'`;
  return store ? ` --store ${quoted}` : '';
}
