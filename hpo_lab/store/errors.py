"""What can go wrong with a record, as exceptions of its own."""

from __future__ import annotations

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

__all__ = ["LeaseLost", "NameTaken", "NotFound", "StoreGone", "StoreUnavailable", "outage"]


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


class StoreUnavailable(RuntimeError):
    """The store did not answer for minutes; what it holds can be continued when it does."""


class StoreGone(RuntimeError):
    """The store was deleted, or another one is in its place."""


def outage(error: BaseException) -> str:
    """Why a store does not answer, in a line: a lock, a full disk, a server that is away.

    Returns:
        Nothing where *error* is of another kind, which waiting does not mend.
    """
    if not isinstance(error, OperationalError | InterfaceError | PoolTimeout):
        return ""
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().partition("\n")[0] or type(cause).__name__
