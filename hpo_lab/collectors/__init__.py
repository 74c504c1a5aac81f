"""Metric collectors, which make observations of a trial's output, files and pages."""
