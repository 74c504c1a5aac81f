"""The abstract objects by which a notebook is followed without running it."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = [
    "ATOM",
    "CLASS",
    "FUNCTION",
    "IMPORTED",
    "INSTANCE",
    "LAZY",
    "METHOD",
    "NOTHING",
    "UNKNOWN",
    "Binding",
    "Frame",
    "Thing",
    "Value",
    "in_order",
    "plain",
    "reachable",
]

ATOM = "atom"
"""Numbers, texts, None: what cannot change."""
CLASS = "class"
FUNCTION = "function"
IMPORTED = "imported"
"""A module, or what was imported from it and not called yet."""
INSTANCE = "instance"
"""An object of a class of the notebook."""
LAZY = "iterator"
METHOD = "method"
"""A method together with its object."""
UNKNOWN = "unknown"
"""An object whose type the code does not tell, with all that it may be made of."""

_numbers = itertools.count()


@dataclass(eq=False, slots=True)
class Thing:
    """An object of the notebook, or several that the code does not tell apart.

    Attributes:
        kind: A kind above, or one of `hpo_lab.notebook.known_types`.
        path: Of something imported: `numpy.random.seed`. Of a method: its name.
        holds: The things it may refer to.
        shares: The things that change when it changes.
        changed: The cells that may change it.
        fields: The attributes that were assigned, by name; `*` for any name.
        node: The syntax of a function or class.
        frame: Where a function was defined; the names inside a class.
        receivers: The object of a method; the classes of an instance; the bases of a class.
        items: Gives the items of an iterator, which runs the code behind it.
        draws: The random generators that it draws from when it works.
    """

    kind: str
    path: str = ""
    holds: set[Thing] = field(default_factory=set, repr=False)
    shares: set[Thing] = field(default_factory=set, repr=False)
    changed: set[int] = field(default_factory=set)
    fields: dict[str, Value] = field(default_factory=dict, repr=False)
    node: ast.AST | None = None
    frame: Frame | None = field(default=None, repr=False)
    receivers: frozenset[Thing] = field(default=frozenset(), repr=False)
    items: Callable[[], Value] | None = None
    draws: frozenset[str] = frozenset()
    number: int = field(default_factory=lambda: next(_numbers))

    def neighbours(self) -> set[Thing]:
        """The things that can be reached from this one without running anything."""
        things = self.holds.union(self.shares, self.receivers, *self.fields.values())
        if self.kind == CLASS and self.frame is not None:
            things.update(*(binding.value for binding in self.frame.names.values()))
        return things


Value = frozenset[Thing]
"""The things that an expression may stand for."""
NOTHING: Value = frozenset()
_ATOM = Thing(ATOM)


def plain() -> Value:
    """The value of numbers and texts."""
    return frozenset({_ATOM})


class Binding(NamedTuple):
    """What a name stands for, and the cells that may have bound it."""

    value: Value
    sources: frozenset[int]


@dataclass(eq=False, slots=True)
class Frame:
    """The names of the notebook, or of a run of a function, a class or a comprehension.

    Attributes:
        parent: Where names are looked up that are not here.
        local: The names that belong here although they may not be bound yet.
        outer: Names declared `global` or `nonlocal`, with the frame that they belong to.
        depth: How many blocks that may not run the frame is inside of.
        results: What the function may have returned so far.
        owner: The function that runs.
        is_class: Functions inside do not see these names.
    """

    parent: Frame | None = None
    names: dict[str, Binding] = field(default_factory=dict)
    local: frozenset[str] = frozenset()
    outer: dict[str, Frame] = field(default_factory=dict)
    depth: int = 0
    results: Value = NOTHING
    owner: Thing | None = None
    is_class: bool = False


def reachable(value: Iterable[Thing], but: AbstractSet[Thing] = NOTHING) -> set[Thing]:
    """The things of *value* and all that can be reached from them, *but* for those and theirs."""
    things = set(value) - but
    pending = list(things)
    while pending:
        more = pending.pop().neighbours() - things - but
        things |= more
        pending.extend(more)
    return things


def in_order(value: Iterable[Thing]) -> list[Thing]:
    """The things of *value* in the order in which they came up."""
    return sorted(value, key=lambda thing: thing.number)
