"""Trials in forks of a process that has what they share, and notebooks in kernels."""
