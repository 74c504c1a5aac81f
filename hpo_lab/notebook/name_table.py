"""The names of a notebook, and the state of what they stand for, while its cells are followed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass

from hpo_lab.notebook import library, magic_effects
from hpo_lab.notebook.known_types import KINDS
from hpo_lab.notebook.values import (
    ATOM,
    IMPORTED,
    METHOD,
    NOTHING,
    UNKNOWN,
    Binding,
    Frame,
    Thing,
    Value,
    plain,
    reachable,
)

__all__ = ["IN_DOUBT", "NameTable", "Use"]

IN_DOUBT = "kept when in doubt"
_STEPS_AT_MOST = 20_000
"""In a cell; what takes more is not followed to the end, and the cell is kept."""
_STEPS_IN_ALL_AT_MOST = 100_000
"""In all cells; an ordinary cell takes some dozens, and a step some 5 microseconds."""
_UNCHANGING = frozenset({ATOM, IMPORTED, METHOD})


@dataclass(frozen=True, slots=True)
class Use:
    """The cell `reader` reads a name that has its value or its state from the cell `provider`."""

    reader: int
    name: str
    provider: int
    changes: bool


class NameTable:
    """The names of the notebook, cell by cell.

    Attributes:
        cell: The number of the cell that is being followed.
        uses: Which cell reads what from which earlier cell.
        binds: The names that each cell may assign.
        unbound: The names that each cell reads although no cell above has bound them.
        effects: Why a cell matters whatever it binds.
        installs: The cells that install packages.
        given_up: The cells that call more than can be followed.
        submodules: By package, the cells that import submodules of it.
        steps: How much was followed so far: statements, calls, and the things looked at.
        unknown: The names whose type the code does not tell, with how often a cell binds them.
    """

    def __init__(self, kinds: Mapping[tuple[int, str], str] | None = None) -> None:
        """Start without names.

        Args:
            kinds: The kinds of objects that the kernel tells, by cell and name.
        """
        self.cell = 0
        self.uses: dict[Use, None] = {}
        self.binds: defaultdict[int, dict[str, None]] = defaultdict(dict)
        self.unbound: defaultdict[int, set[str]] = defaultdict(set)
        self.effects: dict[int, str] = {}
        self.installs: set[int] = set()
        self.given_up: set[int] = set()
        self.steps = 0
        self.submodules: defaultdict[str, set[int]] = defaultdict(set)
        self.unknown: dict[tuple[int, str], int] = {}
        self._kinds = kinds or {}
        self._started = (0, 0)  # a cell, and the steps before it
        self._notebook = Frame()
        self._frame = self._notebook
        self._conditional = 0
        self._site: tuple[Hashable, ...] = ()
        self._things: dict[Hashable, Thing] = {}
        self._growth = 0
        self._binds = 0
        self._changes = 0
        self._reached: dict[Value, tuple[int, Value]] = {}
        self._used: dict[Hashable, int] = {}
        self._changed: set[Thing] = set()  # what was changed, with all that this changes,
        self._changed_at = (-1, 0)  # in this cell, at this shape

    @property
    def _shape(self) -> int:
        """What differs after a thing was made, or came to hold another."""
        return self._growth - self._changes

    @property
    def _state(self) -> tuple[int, int, int]:
        """What differs after anything new was learned."""
        return self._growth, self._binds, self._conditional

    def fill_in(self, text: str) -> None:
        """Follow the text of a magic, into which IPython fills the values of names."""
        for name in magic_effects.names_in_text(text):
            self._load(name)

    def keep(self, reason: str) -> None:
        """Note why this cell matters whatever it binds; the first reason stays."""
        self.effects.setdefault(self.cell, reason)

    def bind_names(self, names: Iterable[str]) -> None:
        """Bind *names* to new values that may be anything."""
        for name in names:
            self._bind(name, self._thing(UNKNOWN, name))

    def _leads_too_far(self, steps: int = 1) -> bool:
        """Whether the cell takes too long to follow, after that many more *steps*."""
        if self._started[0] != self.cell:
            self._started = (self.cell, self.steps)
        self.steps += steps
        return (
            self.cell in self.given_up
            or self.steps - self._started[1] > _STEPS_AT_MOST
            or self.steps > _STEPS_IN_ALL_AT_MOST
        )

    # What things there are

    def _thing(self, kind: str, site: Hashable, holds: Iterable[Thing] = ()) -> Value:
        """The thing of *kind* that comes into being at a place of the code.

        Its number of runs does not count, so that loops come to an end; a place in a function
        counts anew for each call of the function.
        """
        if kind == ATOM:
            return plain()
        key = (self.cell, self._site[-2:], site, kind)
        thing = self._things.get(key)
        if thing is None:
            thing = self._things[key] = Thing(kind)
            self._growth += 1
        self._add(thing, holds)
        return frozenset({thing})

    def _reachable(self, value: Iterable[Thing]) -> AbstractSet[Thing]:
        """What can be reached from *value*, which stays the same while no thing changes shape."""
        key = frozenset(value)
        shape, things = self._reached.get(key, (-1, key))
        if shape != self._shape:
            things = frozenset(reachable(key))
            self._reached[key] = (self._shape, things)
            self.steps += len(things)
        return things

    def _imported(self, path: str) -> Value:
        thing = self._things.get(("imported", path))
        if thing is None:
            thing = self._things["imported", path] = Thing(IMPORTED, path)
            if "." in path:
                # What is patched into a library concerns all of it.
                thing.holds = {*self._imported(path.partition(".")[0])}
        return frozenset({thing})

    def _library(self, path: str) -> Thing:
        """The library that *path* belongs to, as a thing that holds what is patched into it."""
        (thing,) = self._imported(path.partition(".")[0])
        return thing

    def _add(self, holder: Thing, held: Iterable[Thing]) -> None:
        more = {thing for thing in held if thing is not holder} - holder.holds
        if more and holder.kind != ATOM:
            holder.holds |= more
            self._growth += 1

    def _link(self, thing: Thing, other: Thing) -> None:
        """Note that a change of one thing is a change of the other."""
        if thing is not other and other not in thing.shares:
            if ATOM in (thing.kind, other.kind):
                return
            thing.shares.add(other)
            other.shares.add(thing)
            self._growth += 1

    def _change(self, value: Iterable[Thing]) -> None:
        """Note that this cell changes the things of *value* in place."""
        if self._changed_at != (self.cell, self._shape):
            self._changed_at = (self.cell, self._shape)
            self._changed.clear()
        pending = list(frozenset(value) - self._changed)
        before = len(self._changed)
        self._changed.update(pending)
        while pending:
            thing = pending.pop()
            more = set(thing.shares)
            if thing.kind == METHOD:
                more |= thing.receivers
            if thing.kind == UNKNOWN or (thing.kind in KINDS and KINDS[thing.kind].deep):
                parts = thing.neighbours()
                if thing.kind == "estimator":  # it holds data, and leaves them as they are
                    parts = {part for part in parts if part.kind not in ("array", "bunch")}
                more |= parts
            if thing.kind not in _UNCHANGING and self.cell not in thing.changed:
                thing.changed.add(self.cell)
                self._growth += 1
                self._changes += 1
            more -= self._changed
            self._changed |= more
            pending.extend(more)
        self.steps += len(self._changed) - before

    # Names

    def _bind(self, name: str, value: Value, *, sources: frozenset[int] = frozenset()) -> None:
        frame = self._frame.outer.get(name, self._frame)
        if frame is self._notebook:
            self._binds += 1
            value = self._as_the_kernel_says(name, value)
            self.binds[self.cell].setdefault(name)
        sources |= {self.cell}
        old = frame.names.get(name)
        if old is not None and frame is not self._frame and frame.depth < self._conditional:
            value, sources = value | old.value, sources | old.sources
        frame.names[name] = Binding(value, sources)
        if frame.is_class:
            self._growth += 1
        if frame is not self._frame and frame.names[name] != old:
            self._growth += 1

    def _as_the_kernel_says(self, name: str, value: Value) -> Value:
        if not any(thing.kind == UNKNOWN for thing in value):
            return value
        key = (self.cell, name)
        self.unknown[key] = self.unknown.get(key, 0) + 1
        kind = self._kinds.get(key)
        if kind is None:
            return value
        typed = self._thing(kind, ("kernel", name))
        for thing in value:
            for new in typed:
                if kind not in (ATOM, "value") and thing.kind == UNKNOWN:
                    self._link(new, thing)
                    if kind != "array":  # of what is in it, nothing is known
                        self._add(new, value)
        return typed

    def _load(self, name: str) -> Value:
        frame: Frame | None = self._frame
        while frame is not None:
            if name in frame.outer:
                frame = frame.outer[name]
            binding = frame.names.get(name)
            if binding is not None and (not frame.is_class or frame is self._frame):
                self._use(name, binding)
                return binding.value
            if name in frame.local:
                return NOTHING
            frame = frame.parent
        return self._missing(name)

    def _missing(self, name: str) -> Value:
        self.unbound[self.cell].add(name)
        path = library.builtin_path(name)
        if path is not None:
            return self._imported(path)
        # What a star-import, `exec` or a magic may have defined.
        key = ("missing", name)
        if key not in self._things:
            self._things[key] = Thing(UNKNOWN)
        self._use(name, Binding(frozenset({self._things[key]}), frozenset()))
        return frozenset({self._things[key]})

    def _use(self, name: str, binding: Binding) -> None:
        """Note that this cell reads *name*."""
        self._use_binding(name, binding)
        key = (self.cell, name, binding.value)
        if self._used.get(key) != self._shape:
            self._used[key] = self._shape
            self._use_things(name, self._reachable(binding.value))

    def _use_binding(self, name: str, binding: Binding) -> None:
        for provider in sorted(binding.sources - {self.cell}):
            self.uses.setdefault(Use(self.cell, name, provider, changes=False))

    def _use_things(self, name: str, things: AbstractSet[Thing]) -> None:
        self.steps += len(things)
        for thing in things:
            # Who changes an object has read it, and so needs those who changed it before.
            last = max(thing.changed - {self.cell}, default=None)
            if last is not None:
                self.uses.setdefault(Use(self.cell, name, last, changes=True))

    # Blocks

    @contextmanager
    def _in_frame(self, frame: Frame) -> Iterator[Frame]:
        before, self._frame = self._frame, frame
        try:
            yield frame
        finally:
            self._frame = before

    @contextmanager
    def _maybe(self) -> Iterator[None]:
        """Follow a block that may not run: the values from before stay possible."""
        frame = self._frame
        before = dict(frame.names)
        self._conditional += 1
        try:
            yield
        finally:
            self._conditional -= 1
            for name, old in before.items():
                new = frame.names.get(name)
                if new is None:
                    frame.names[name] = old
                elif new != old:
                    frame.names[name] = Binding(old.value | new.value, old.sources | new.sources)

    def _until_stable(self) -> Iterator[None]:
        """Rounds of a loop, until another round would tell nothing new."""
        for _ in range(6):
            growth, names = self._growth, dict(self._frame.names)
            yield
            if self._leads_too_far():
                return
            if self._growth == growth and self._frame.names == names:
                return
