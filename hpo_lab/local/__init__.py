"""Runs experiments as processes on this machine."""
