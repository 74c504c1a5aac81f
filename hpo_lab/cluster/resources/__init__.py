"""The custom resources of an experiment: their definitions, and documents from and to them."""
