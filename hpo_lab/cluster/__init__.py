"""The place "Kubernetes": what runs an experiment in a cluster."""
