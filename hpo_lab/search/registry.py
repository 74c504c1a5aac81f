"""Classes that installed packages register under a group of entry points."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TypeVar

from hpo_lab.problems import nearest
from hpo_lab.search.setting import Configurable, missing_names

__all__ = ["all_registered", "new_registered", "registered_names"]

C = TypeVar("C", bound=Configurable)


def registered_names(group: str) -> list[str]:
    """The names that are registered in a *group* of entry points, sorted; nothing is loaded."""
    return sorted({entry.name for entry in entry_points(group=group)})


def new_registered(group: str, name: str, base: type[C], kind: str) -> C:
    """A new object of the class that is registered as *name* in a *group* of entry points.

    Args:
        group: The group.
        name: The name.
        base: What the class has to be derived from.
        kind: What the group holds, for messages.

    Raises:
        LookupError: There is none, its package cannot load it, or it is not such a class.
    """
    entries = tuple(entry_points(group=group, name=name))
    if not entries:
        names = registered_names(group)
        raise LookupError(
            f"{name!r} is no {kind}; there are {', '.join(names) or 'none installed'}"
            + nearest(name, names)
        )
    entry = entries[0]
    try:
        return _new(entry.load(), base)
    except Exception as error:
        package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "unknown"
        raise LookupError(
            f"{entry.name!r} of the package {package} cannot be loaded: "
            f"{type(error).__name__}: {error}"
        ) from error


def all_registered(group: str, base: type[C], kind: str) -> list[C]:
    """New objects of all classes of a *group* that can be loaded, by name.

    The arguments are those of `new_registered`.
    """
    objects = []
    for name in registered_names(group):
        try:
            objects.append(new_registered(group, name, base, kind))
        except LookupError:
            # Whoever names it is told why.
            continue
    return objects


def _new(registered: object, base: type[C]) -> C:
    wanted = f"{base.__module__}.{base.__qualname__}"
    if not isinstance(registered, type) or not issubclass(registered, base):
        raise TypeError(f"{registered!r} is no class derived from {wanted}")
    if missing := missing_names(registered):
        raise TypeError(f"{registered.__qualname__} lacks {' and '.join(missing)}; see {wanted}")
    return registered()
