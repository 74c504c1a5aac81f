"""Katib's gRPC services: our services for a Katib, clients of Katib's, and a DB manager."""
