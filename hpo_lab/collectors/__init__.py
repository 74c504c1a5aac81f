"""Metric collectors: from what a trial prints, writes or serves to observations."""
