"""The magics `%%tune` and `%hpo`, which `%load_ext hpo_lab` registers."""
