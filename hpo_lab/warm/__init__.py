"""Trials forked from a process that has already run the set-up cells of their notebook."""
