"""Trials that are Kubernetes objects, run as processes of this machine."""
