"""Checks for what other packages add to hpo_lab, and a simulated place to run experiments at."""
