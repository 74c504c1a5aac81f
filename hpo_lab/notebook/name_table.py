"""The values of the names of a notebook while its cells are followed."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from hpo_lab.notebook import library, magic_effects
from hpo_lab.notebook.values import NOTHING, Code, Object, Value, join

__all__ = ["IN_DOUBT", "NameTable", "Use"]

IN_DOUBT = "kept when in doubt"


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
    """

    def __init__(self) -> None:
        self.cell = 0
        self.uses: dict[Use, None] = {}
        self.binds: defaultdict[int, dict[str, None]] = defaultdict(dict)
        self.unbound: defaultdict[int, set[str]] = defaultdict(set)
        self.effects: dict[int, str] = {}
        self._names: dict[str, Value] = {}
        self._changed: defaultdict[Object, set[int]] = defaultdict(set)
        self._stored: defaultdict[Object, frozenset[Code]] = defaultdict(frozenset)
        self._numbers = itertools.count()

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
            self._bind(name, Value(new=True))

    def _bind(self, name: str, value: Value, *, sources: frozenset[int] = frozenset()) -> None:
        self.binds[self.cell].setdefault(name)
        self._names[name] = replace(self._numbered(value), sources=sources | {self.cell})

    def _numbered(self, value: Value) -> Value:
        if not value.new:
            return value
        return replace(value, new=False, objects=value.objects | {next(self._numbers)})

    def _change(self, value: Value, what: str = "") -> None:
        """Note that this cell changes the objects of *value*."""
        if what and value.path is not None and not library.is_instance(value.path):
            self.keep(f"{what} is set: for its effect on the process, {IN_DOUBT}")
        for number in value.objects:
            self._changed[number].add(self.cell)

    def _store(self, holder: Value, value: Value) -> None:
        """Note that the objects of *holder* now keep *value*."""
        for number in holder.objects:
            self._stored[number] |= value.code
        if value.objects and not library.copies_items(holder.path):
            for name, named in self._names.items():
                if named.objects & holder.objects:
                    self._names[name] = replace(named, objects=named.objects | value.objects)

    def _load(self, name: str) -> Value:
        value = self._names.get(name)
        if value is None:
            return self._missing(name)
        self._use(name, value)
        self._may_run(value)
        return value

    def _missing(self, name: str) -> Value:
        self.unbound[self.cell].add(name)
        return Value(path=library.builtin_path(name))

    def _peek(self, name: str) -> Value:
        return self._names.get(name, NOTHING)

    def _use(self, name: str, value: Value) -> None:
        for provider in sorted(value.sources - {self.cell}):
            self.uses.setdefault(Use(self.cell, name, provider, changes=False))
        for number in value.objects:
            # Who changes an object has read it, and so needs those who changed it before.
            last = max(self._changed[number] - {self.cell}, default=None)
            if last is not None:
                self.uses.setdefault(Use(self.cell, name, last, changes=True))

    def _may_run(self, value: Value) -> None:
        """The holder of a function may call it: now is when it reads its global names."""
        seen: set[Code] = set()
        pending = set(self._reachable(value))
        while pending:
            code = pending.pop()
            seen.add(code)
            pending |= code.hands_out - seen
            for name in sorted(code.reads):
                read = self._peek(name)
                self._use(name, read)
                pending |= self._reachable(read) - seen
            for name in sorted(code.changes):
                self._change(self._peek(name))
            for name in sorted(code.binds):
                old = self._peek(name)
                self._bind(
                    name, Value(new=True, code=frozenset({replace(code, binds=frozenset())}))
                )
                self._names[name] = join(old, self._names[name])
            if code.effect:
                self.keep(code.effect)

    def _reachable(self, value: Value) -> frozenset[Code]:
        return value.code.union(*(self._stored[number] for number in value.objects))
