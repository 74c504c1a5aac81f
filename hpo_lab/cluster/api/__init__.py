"""The client of the Kubernetes API server; it knows nothing of experiments."""
