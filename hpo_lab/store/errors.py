"""What can go wrong with a record, as exceptions of its own."""

from __future__ import annotations

__all__ = ["LeaseLost", "NameTaken", "NotFound"]


class NotFound(LookupError):
    """No such experiment or trial in the store."""


class NameTaken(ValueError):
    """The project already holds an experiment of this name."""

    def __init__(self, name: str, namespace: str) -> None:
        super().__init__(f"experiment {name!r} exists already in namespace {namespace!r}")
        self.name = name
        self.namespace = namespace


class LeaseLost(RuntimeError):
    """The runner no longer holds the experiment's lease; nothing was written."""
