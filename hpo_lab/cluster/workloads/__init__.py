"""The objects that trials run in a cluster, and what their states say of the trials."""
