"""Decisions about a running experiment, as pure functions of plain data."""
