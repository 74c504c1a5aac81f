"""What a call of a library gives: an object of its own, a view of another, or the same."""

from __future__ import annotations

from abc import ABC
from collections.abc import Hashable, Iterable

from hpo_lab.notebook import library
from hpo_lab.notebook.iteration import Iteration
from hpo_lab.notebook.known_calls import Call
from hpo_lab.notebook.known_types import KINDS
from hpo_lab.notebook.own_code import CallArguments
from hpo_lab.notebook.values import (
    ATOM,
    IMPORTED,
    INSTANCE,
    LAZY,
    NOTHING,
    UNKNOWN,
    Thing,
    Value,
    plain,
    reachable,
)

__all__ = ["Results", "is_in_place", "odd"]

_CHOOSES = frozenset({"choice", "choices", "sample", "permutation", "permuted"})
_DATA = frozenset({ATOM, "array", "bunch", "data", "dict", "list", "set", "tuple", "value"})


class Results(Iteration, ABC):
    """A table of names on which the results of calls are followed."""

    def _result(
        self,
        call: Call,
        callee: Thing,
        arguments: CallArguments,
        items: Value,
        site: Hashable,
        draws: str,
    ) -> Value:
        passed = arguments.every
        if call.gives == "items":
            return items | frozenset(t for t in passed if t.kind not in (LAZY, "list", "tuple"))
        if call.gives == "same":
            return passed
        if call.gives == "copy":
            kinds = {thing.kind for thing in passed}
            results = [
                self._thing(kind, (site, kind), self._reachable(passed)) for kind in sorted(kinds)
            ]
            for thing in NOTHING.union(*results):
                if thing.kind == INSTANCE:
                    self._growth += 1
                    thing.receivers = thing.receivers.union(*(each.receivers for each in passed))
                    self._set_field(thing, "*", NOTHING.union(*arguments.named.values()))
                    for each in passed:
                        for name, value in each.fields.items():
                            if name == "__dict__":
                                name, value = "*", value.union(*(part.holds for part in value))
                            self._set_field(thing, name, value)
            return NOTHING.union(*results)
        if call.gives == UNKNOWN:
            return self._thing(UNKNOWN, site, passed)
        if call.gives in ("list", "tuple", "set", "dict", "collection"):
            held = items.union(plain(), *arguments.named.values())
            return self._thing(call.gives, site, held | passed if call.holds else held)
        if call.gives == LAZY:
            inner = self._thing("tuple", (site, "item"), items)
            value = self._thing(LAZY, site, passed | items | inner)
            return value
        if call.gives == ATOM:
            return plain()
        held = passed if call.holds else odd(passed)
        if call.gives == "exception":  # a group hands out the exceptions of its list
            held = frozenset(self._reachable(passed))
        if call.gives == "array" and callee.path.startswith("sklearn."):
            # Scores and predictions of models do not hold the models.
            held = frozenset(thing for thing in held if thing.kind != "estimator")
        value = self._thing(call.gives, site, held)
        self._link_all(value, arguments.named.get("out", NOTHING))
        for thing in value:
            if call.gives == "module" and is_in_place(arguments):
                self._set_field(thing, "in place", plain())
            if call.is_view:
                for each in passed:
                    if each.kind in ("array", "tensor", UNKNOWN):
                        self._link(thing, each)
            thing.draws |= {draws} - {""}
            for each in self._reachable(held):
                thing.draws |= each.draws
                if each.kind == IMPORTED and library.draws_unless_told(each.path, frozenset()):
                    thing.draws |= {"numpy.random"}
        if any(arguments.texts.get(name) == "False" for name in ("copy", "copy_X")):
            return self._thing(UNKNOWN, site, value | passed)
        return value

    def _link_all(self, value: Value, others: Value) -> None:
        """Note that a change of anything in *value* is a change of all *others*."""
        for thing in value:
            for other in others:
                self._link(thing, other)

    def _method_result(
        self, thing: Thing, kind: str, name: str, passed: Value, reads: bool, site: Hashable
    ) -> Value:
        behaviour = KINDS[kind]
        if kind == "generator" and name in _CHOOSES:
            items = self._items(passed)
            chosen = self._thing(result_kind := library.result_of_method(kind, name), site, items)
            return chosen | (items if result_kind == "array" else NOTHING)
        if name in behaviour.items:
            return frozenset(thing.holds) | passed | plain()
        if name in behaviour.views:
            if kind in ("array", "dict", "data", "collection") and name == "items":
                held = {thing, *thing.holds} if kind == "array" else thing.holds
                inner = self._thing("tuple", (site, "item"), {*held, *plain()})
                return self._thing("list", site, inner)
            result_kind = library.result_of_method(kind, name)
            if result_kind != kind and kind in ("array", "tensor", "module", "estimator"):
                if result_kind == "dict":
                    inner = self._thing("tensor", (site, "item"), thing.holds)
                    self._link_all(inner, frozenset({thing}))
                    return self._thing(result_kind, site, inner | plain())
                result = self._thing(result_kind, site, thing.holds)
                self._link_all(result, frozenset({thing}))
                return result
            return frozenset({thing})
        result_kind = (
            "tensor"
            if kind == "module" and name == "__call__"
            else library.result_of_method(kind, name)
        )
        if result_kind == kind and not reads:
            return frozenset({thing}) if kind not in ("list", "set", "dict", "file") else plain()
        if result_kind == "array iterator":
            row = self._thing("array", (site, "row"), odd(frozenset(thing.holds)))
            inner = self._thing("tuple", (site, "item"), row | plain())
            return self._thing("list", site, inner | row)
        holds = {*thing.holds, *odd(passed)} if result_kind != ATOM else set()
        if kind == "dict":
            holds |= passed  # of `fromkeys`
        elif kind == "array" and result_kind in ("list", "dict"):
            holds |= {thing}  # its items may be lists
        if kind == "estimator" and result_kind == "array":
            holds = {part for part in holds if part.kind not in ("array", "bunch")}
        if kind in ("tensor", "module"):
            holds |= {thing, *passed}
        if kind == ATOM and result_kind == "list":
            holds = {*plain()}
        return self._thing(
            result_kind, site, {*holds, *plain()} if result_kind == "list" else holds
        )


def odd(value: Iterable[Thing]) -> Value:
    """Of all that *value* holds, what is no data: an array of objects may hand it out again."""
    kinds = {thing for thing in reachable(value) if thing.kind not in _DATA}
    return frozenset(thing for thing in kinds if thing.kind not in (IMPORTED, LAZY, "generator"))


def is_in_place(arguments: CallArguments) -> bool:
    """Whether the call says `inplace=True`, or that it may overwrite what it is passed."""
    return any(
        name.startswith(("inplace", "overwrite")) and arguments.texts.get(name) != "False"
        for name in arguments.named
    ) or any(name.startswith("copy") and text == "False" for name, text in arguments.texts.items())
