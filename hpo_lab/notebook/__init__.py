"""From an annotated notebook cell to the notebook that a trial executes."""
