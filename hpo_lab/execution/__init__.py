"""Execution of notebooks: in forks of a process that has run the set-up, or in kernels."""
