"""The abstract values by which a notebook is followed without running it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

__all__ = ["NOTHING", "Code", "Object", "Value", "join", "union"]

Object = int | str
"""Something that can be changed in place: a number, or the global name that stands for it."""

_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Code:
    """What running a function, or using an instance of a class, may do.

    Objects that only a call can tell are written as symbols: `name` for that of a global
    name, `(name)` for the argument of a parameter, `name()` for what a function returns.
    The parameter `*` stands for `*args` and `**kwargs`, the parameter `**` for every parameter.

    Attributes:
        reads: The global names that it reads.
        changes: The global names whose objects it changes in place.
        binds: The global names that it assigns.
        effect: What it does to the process or its files.
        parameters: The positional parameters, in order.
        changes_arguments: The parameters whose objects it changes in place.
        links: Symbols, in pairs, of which the first comes to hold the second.
        calls: The global functions that it calls, each with the symbols of its arguments.
        returns: The symbols of what it returns.
        hands_out: What may be run later through its result.
        stands_for: The global name whose code this is, whatever that is when it is run.
    """

    reads: frozenset[str] = _NONE
    changes: frozenset[str] = _NONE
    binds: frozenset[str] = _NONE
    effect: str = ""
    parameters: tuple[str, ...] = ()
    changes_arguments: frozenset[str] = _NONE
    links: frozenset[tuple[str, str]] = frozenset()
    calls: frozenset[tuple[str, frozenset[str]]] = frozenset()
    returns: frozenset[str] = _NONE
    hands_out: frozenset[Code] = frozenset()
    stands_for: str = ""

    def may_change(self, parameter: str) -> bool:
        """Whether the objects passed to *parameter* may be changed."""
        if parameter == "**":
            return bool(self.changes_arguments)
        rest = "*" in self.changes_arguments and parameter not in self.parameters
        return rest or parameter in self.changes_arguments


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a name or an expression, as far as it can be told.

    Attributes:
        objects: The objects it may share state with.
        new: Whether it may be an object of its own that has no number yet.
        sources: The cells that may have bound the name.
        code: What may be run through it.
        defined: Whether it is a function or class of the notebook.
        path: The dotted path of what was imported; `()` stands for a call.
    """

    objects: frozenset[Object] = frozenset()
    new: bool = False
    sources: frozenset[int] = frozenset()
    code: frozenset[Code] = frozenset()
    defined: bool = False
    path: str | None = None


NOTHING = Value()


def union(values: Iterable[Value]) -> Value:
    """What holds all of *values*, such as a list of them."""
    every = list(values)
    paths = {value.path for value in every}
    return Value(
        objects=frozenset().union(*(value.objects for value in every)),
        new=any(value.new for value in every),
        code=frozenset().union(*(value.code for value in every)),
        path=paths.pop() if len(paths) == 1 else None,
    )


def join(value: Value, other: Value) -> Value:
    """Either of two values, as after an `if`."""
    return replace(
        union((value, other)),
        sources=value.sources | other.sources,
        defined=value.defined and other.defined,
    )
