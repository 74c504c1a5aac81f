"""Katib's gRPC services: ours for a Katib, a Katib's for us, and the one that trials report to."""
