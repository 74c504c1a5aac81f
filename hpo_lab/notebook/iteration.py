"""Follow what takes things from others: iterations, and random numbers drawn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping

from hpo_lab.notebook.known_types import KINDS
from hpo_lab.notebook.own_code import MEMBERS, RANDOM_NUMBERS, OwnCode
from hpo_lab.notebook.values import (
    ATOM,
    FUNCTION,
    IMPORTED,
    INSTANCE,
    METHOD,
    NOTHING,
    UNKNOWN,
    Binding,
    Thing,
    Value,
    in_order,
    plain,
)

__all__ = ["Iteration"]

_GENERATORS = ("numpy.random", "random", "tensorflow", "torch")


class Iteration(OwnCode, ABC):
    """A table of names on which iterations are followed."""

    def __init__(self, kinds: Mapping[tuple[int, str], str] | None = None) -> None:
        """Start without names."""
        super().__init__(kinds)
        self._ran_lazily: set[Hashable] = set()

    @abstractmethod
    def _pass(
        self, passed: Value, *, quiet: bool = False, gives: str = "", own: Value = NOTHING
    ) -> Value:
        """Follow what a known function does with what it is passed; the items of it."""

    def _items(self, value: Value) -> Value:
        """Follow an iteration over *value*; what it gives."""
        items = NOTHING
        for thing in in_order(value):
            kind = thing.kind
            if MEMBERS in thing.fields:
                items |= thing.fields[MEMBERS]
            elif kind == INSTANCE:
                given = self._run_methods({thing}, NOTHING, "__")
                parts = given.union(thing.holds, *thing.fields.values())
                items |= given | (frozenset(self._reachable(parts)) - {thing})
            elif kind == UNKNOWN:
                self._change({thing})
                for generator in _GENERATORS:
                    self._draw(generator)
                items |= {thing}
            elif kind in (ATOM, "value", "plots"):
                items |= plain()
            elif kind in ("list", "tuple", "set", "dict", "collection", "queue"):
                items |= thing.holds
            elif kind == "loader":
                for generator in thing.draws:
                    self._draw(generator)
                self._run_code({thing}, self._thing("tensor", "passed"))
                items |= self._thing("tensor", ("item", thing))
            elif kind == "tensor":
                items |= {thing}
            elif kind in KINDS:
                items |= self._lazy_items(thing)
        return items

    def _lazy_items(self, thing: Thing) -> Value:
        if not KINDS[thing.kind].is_consumed:
            return frozenset({thing}) | thing.holds
        if self.cell in thing.changed and ("items", thing) in self._ran_lazily:
            return frozenset(thing.holds)
        self._change({thing})
        key = ("items", thing)
        if key in self._ran_lazily:
            return frozenset(thing.holds)
        self._ran_lazily.add(key)
        try:
            items = frozenset(thing.holds)
            if thing.items is not None:
                items |= thing.items()
            for each in in_order(thing.holds):
                if each.kind in KINDS and KINDS[each.kind].is_consumed:
                    items |= self._lazy_items(each)
                elif each.kind == UNKNOWN:
                    self._change({each})
            code = frozenset(t for t in thing.holds if t.kind in (FUNCTION, METHOD, IMPORTED))
            if code:
                self._pass(code | (items - code))
            return items | plain()
        finally:
            self._ran_lazily.discard(key)

    # Random numbers

    def _draw(self, generator: str) -> None:
        """Note that random numbers are drawn, which counts once the generator was seeded."""
        name = f"{RANDOM_NUMBERS}{generator}"
        state = self._notebook.names.get(name)
        if state is not None:
            self._use(name, state)
            self._change(state.value)

    def _seed(self, generator: str) -> None:
        name = f"{RANDOM_NUMBERS}{generator}"
        value = self._thing("generator", ("seed", generator))
        sources = frozenset({self.cell})
        old = self._notebook.names.get(name)
        if old is not None and self._conditional:
            value, sources = value | old.value, sources | old.sources
        self._notebook.names[name] = Binding(value, sources)
