/** A cell to tune, as small as can be: what an empty list of experiments shows. */
export const EXAMPLE = `%%tune maximize accuracy
lr = 0.1  # tune: loguniform(1e-4, 1)
model = fit(lr)
accuracy = model.score(X, y)`;

/** A notebook that tunes something at once, without data and without other packages. */
export const EXAMPLE_NOTEBOOK: readonly string[] = [
  '%load_ext hpo_lab',
  `import math, time

def train(lr, units):
    """Your training would stand here; this takes a moment and is best at 0.01 and 64."""
    time.sleep(0.5)
    return math.exp(-abs(math.log10(lr / 0.01)) - abs(units - 64) / 64)`,
  `%%tune maximize accuracy
lr = 0.1  # tune: loguniform(1e-4, 1)
units = 32
accuracy = train(lr, units)`
];
