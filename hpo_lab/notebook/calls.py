"""Follow calls: of functions and classes of the notebook, and of libraries that are known."""

from __future__ import annotations

import ast
from abc import ABC
from collections.abc import Collection, Hashable, Iterable

from hpo_lab.notebook import library
from hpo_lab.notebook.iteration import Iteration
from hpo_lab.notebook.known_calls import Call
from hpo_lab.notebook.known_types import KINDS
from hpo_lab.notebook.name_table import IN_DOUBT
from hpo_lab.notebook.own_code import DEPTH_AT_MOST, CallArguments
from hpo_lab.notebook.values import (
    ATOM,
    CLASS,
    FUNCTION,
    IMPORTED,
    INSTANCE,
    LAZY,
    METHOD,
    NOTHING,
    UNKNOWN,
    Thing,
    Value,
    in_order,
    plain,
    reachable,
)

__all__ = ["Calls"]

_SEEDS = frozenset({"generator", "random_seed", "random_state", "rng", "seed"})
_DATA = frozenset({ATOM, "array", "value", "list", "dict", "tuple", "set", "data"})
_GENERATORS = ("numpy.random", "random", "tensorflow", "torch")


class Calls(Iteration, ABC):
    """A table of names on which calls are followed."""

    def _call_all(self, callee: Value, arguments: CallArguments, node: ast.AST) -> Value:
        results = [self._call_thing(thing, arguments, node) for thing in in_order(callee)]
        return NOTHING.union(*results)

    def _call_thing(self, thing: Thing, arguments: CallArguments, site: Hashable) -> Value:
        if self._leads_too_far() or self._depth > 2 * DEPTH_AT_MOST:
            return self._give_up()
        self._depth += 1
        try:
            return self._call_one(thing, arguments, site)
        finally:
            self._depth -= 1

    def _call_one(self, thing: Thing, arguments: CallArguments, site: Hashable) -> Value:
        if thing.kind == FUNCTION:
            return self._inline(thing, arguments, site)
        if thing.kind == CLASS:
            return self._instantiate(thing, arguments, site)
        if thing.kind == METHOD:
            return self._call_bound(thing, arguments, site)
        if thing.kind == IMPORTED:
            return self._call_imported(thing, arguments, site)
        if thing.kind == INSTANCE:
            return self._call_method(thing, "__call__", arguments, site)
        if thing.kind == ATOM:
            return NOTHING  # what cannot be called was another thing when it ran
        if thing.kind in KINDS and KINDS[thing.kind].calls:
            return self._call_method(thing, "__call__", arguments, site)
        return self._unknown({thing, *arguments.every}, site)

    # Of libraries

    def _unknown(self, value: Collection[Thing], site: Hashable) -> Value:
        """Follow a call of which nothing is known: it may change all that it can reach."""
        self.keep(f"{self._what}(): what it changes is not known, {IN_DOUBT}")
        things = {thing for thing in self._reachable(value) if thing.kind not in (ATOM, IMPORTED)}
        result = self._thing(UNKNOWN, site, things)
        code = {thing for thing in things if thing.kind in (FUNCTION, CLASS)}
        for thing in value:
            if thing.kind == IMPORTED and code:
                self._add(self._library(thing.path), code)
        self._run_code(things, result | frozenset(things))
        self._change(things)
        for generator in _GENERATORS:
            self._draw(generator)
        return result

    def _call_imported(self, thing: Thing, arguments: CallArguments, site: Hashable) -> Value:
        path, passed = thing.path, arguments.every
        call = library.of_function(path)
        if call is None or self._library(path).holds:
            return self._unknown({thing, *passed}, site)
        if call.effect:
            self.keep(f"{self._what}(): {call.effect}, {IN_DOUBT}")
        is_random = not any(arguments.texts.get(name, "None") != "None" for name in _SEEDS)
        is_random &= not any(
            name in arguments.named and name not in arguments.texts for name in _SEEDS
        )
        names = frozenset(arguments.named)
        draws = call.draws or ("numpy.random" if library.draws_unless_told(path, names) else "")
        if draws and is_random:
            self._draw(draws)
        if call.seeds:
            self._seed(call.seeds)
        if _is_in_place(arguments):
            self._change(passed)
        self._change(arguments.named.get("out", NOTHING))
        if path.startswith("builtins.") and path[9:] in ("setattr", "delattr"):
            self._set_attributes(arguments)
        if call.changes or (path.startswith("torch.") and library.is_in_place(path)):
            self._change(passed)
        items = self._pass(passed, quiet=call.is_quiet, gives=call.gives)
        return self._result(call, thing, arguments, items, site, draws if is_random else "")

    def _set_attributes(self, arguments: CallArguments) -> None:
        for holder in arguments.positional[:1]:
            for thing in holder:
                if thing.kind == IMPORTED:
                    self.keep(f"{self._what}(): for its effect on the process, {IN_DOUBT}")
                    self._add(self._library(thing.path), _code_in(arguments.every))
                else:
                    self._set_field(thing, "*", arguments.every - holder)

    def _pass(
        self, passed: Value, *, quiet: bool = False, gives: str = "", own: Value = NOTHING
    ) -> Value:
        """Follow what a known function does with what it is passed; the items of it."""
        if quiet:
            self._run_operators(passed)
            return NOTHING
        items = self._items(passed)
        named = frozenset(thing for thing in passed if thing.kind == IMPORTED)
        handed = own | (passed - named) | items | self._thing("array", "passed") | plain()
        if gives in ("tensor", "module", "loader"):
            handed |= self._thing("tensor", "passed")
        if any(thing.kind == UNKNOWN for thing in passed):
            self._change(self._reachable(passed))
        for thing in in_order(passed):
            if thing.kind == METHOD:
                for each in thing.receivers:
                    self._call_method(
                        each, thing.path, CallArguments(anything=handed - {thing}), ("pass", thing)
                    )
            elif thing.kind == IMPORTED and "." in thing.path:
                self._hand_over(thing, handed - {thing})
        for generator in sorted(
            {each for thing in self._reachable(passed) for each in thing.draws}
        ):
            self._draw(generator)
        self._run_code(passed, handed)
        return items

    def _hand_over(self, thing: Thing, handed: Value) -> None:
        """Follow how a library calls a function of a library that it was passed."""
        call = library.of_function(thing.path)
        if call is None or self._library(thing.path).holds:
            self._unknown({thing, *handed}, ("pass", thing))
            return
        if call.effect:
            self.keep(f"{thing.path}: {call.effect}, {IN_DOUBT}")
        if call.changes or thing.path == "builtins.next":
            self._change(self._reachable(handed))
        if call.draws:
            self._draw(call.draws)

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
            for result in results:
                for thing in result:
                    if thing.kind == INSTANCE:
                        self._growth += 1
                        thing.receivers = thing.receivers.union(
                            *(each.receivers for each in passed)
                        )
            return NOTHING.union(*results)
        if call.gives == UNKNOWN:
            return self._thing(UNKNOWN, site, passed)
        if call.gives in ("list", "tuple", "set", "dict"):
            return self._thing(call.gives, site, items | self._dict_values(arguments) | plain())
        if call.gives == LAZY:
            inner = self._thing("tuple", (site, "item"), items)
            value = self._thing(LAZY, site, passed | items | inner)
            return value
        if call.gives == ATOM:
            return plain()
        held = passed if call.holds else _odd(passed)
        if call.gives == "array" and callee.path.startswith("sklearn."):
            # Scores and predictions of models do not hold the models.
            held = frozenset(thing for thing in held if thing.kind != "estimator")
        value = self._thing(call.gives, site, held)
        self._link_all(value, arguments.named.get("out", NOTHING))
        for thing in value:
            if call.gives == "module" and _is_in_place(arguments):
                self._set_field(thing, "in place", plain())
            if call.is_view:
                for each in passed:
                    if each.kind in ("array", "tensor", UNKNOWN):
                        self._link(thing, each)
            thing.draws |= {draws} - {""}
            for each in self._reachable(held):
                thing.draws |= each.draws
        if any(arguments.texts.get(name) == "False" for name in ("copy", "copy_X")):
            return self._thing(UNKNOWN, site, value | passed)
        return value

    def _call_bound(self, method: Thing, arguments: CallArguments, site: Hashable) -> Value:
        """Follow the call of a method that the code holds on to, perhaps in its own instance."""
        if method in self._running:
            self._change(self._reachable(arguments.every | method.receivers))
            return self._running[method] | arguments.every
        self._running[method] = NOTHING
        try:
            results = [
                self._call_method(each, method.path, arguments, site)
                for each in in_order(method.receivers)
            ]
        finally:
            del self._running[method]
        return NOTHING.union(*results)

    def _dict_values(self, arguments: CallArguments) -> Value:
        return NOTHING.union(*(value for value in arguments.named.values()))

    def _call_method(
        self, thing: Thing, name: str, arguments: CallArguments, site: Hashable
    ) -> Value:
        """Follow the call of a method of *thing*."""
        passed = arguments.every
        if thing.kind == UNKNOWN or (thing.kind == INSTANCE and not thing.receivers):
            return self._unknown({thing, *passed}, site)
        if thing.kind == INSTANCE:
            return self._call_own_method(thing, name, arguments, site)
        if thing.kind not in KINDS:
            return self._call_thing(thing, arguments, site) if name == "__call__" else NOTHING
        return self._call_known_method(thing, thing.kind, name, arguments, site)

    def _call_own_method(
        self, thing: Thing, name: str, arguments: CallArguments, site: Hashable
    ) -> Value:
        result, is_own = NOTHING, False
        value = frozenset({thing})
        for of in in_order(thing.receivers):
            for member in in_order(self._members(of, name)):
                is_own = True
                first = [] if member.path == "staticmethod" else [value]
                if member.path == "classmethod":
                    first = [frozenset({of})]
                if member.kind == FUNCTION:
                    inner = CallArguments(
                        [*first, *arguments.positional], arguments.named, arguments.anything
                    )
                    result |= self._inline(member, inner, site)
                else:
                    result |= self._call_thing(member, arguments, site)
        if is_own:
            return result
        for path in sorted({path for of in thing.receivers for path in self._imported_bases(of)}):
            call = library.of_function(path)
            self._run_methods({thing}, arguments.every)
            # What a library's own method does is that it runs those of the subclass.
            if name == "__call__":
                for of in thing.receivers:
                    for member in in_order(self._members(of, "forward")):
                        inner = CallArguments(
                            [value, *arguments.positional], arguments.named, arguments.anything
                        )
                        result |= self._call_thing(member, inner, (site, "forward"))
            if call is None or call.gives not in KINDS:
                result |= self._unknown({thing, *arguments.every}, site)
            else:
                result |= self._call_known_method(thing, call.gives, name, arguments, site)
        return result

    def _call_known_method(
        self, thing: Thing, kind: str, name: str, arguments: CallArguments, site: Hashable
    ) -> Value:
        known, passed, own = KINDS[kind], arguments.every, frozenset({thing})
        is_call = name == "__call__"
        if name == "__init__" and kind in ("module", "estimator"):
            self._change({thing})
            self._add(thing, passed)
            return plain()
        if is_call:
            reads, changes = known.calls == "reads", known.calls == "changes"
        else:
            if not library.has_method(kind, name):
                if known.is_closed:
                    return NOTHING  # it was another thing when it ran
                return self._unknown({thing, *passed}, site)
            changes = not known.changes.isdisjoint({name, "*"})
            changes |= kind == "tensor" and library.is_in_place(name)
            reads = not changes
        classes = {path.partition(".")[0] for path in known.classes}
        patched = {each for root in classes for each in self._imported(root) if each.holds}
        if patched:
            return self._unknown({thing, *passed, *patched}, site)
        if name in known.writes:
            self.keep(f"{self._what}(): writes files, {IN_DOUBT}")
        if changes:
            self._change({thing})
        if _is_in_place(arguments):
            self._change({thing, *passed})
        self._change(arguments.named.get("out", NOTHING))
        if name == "shuffle":
            self._change(passed)
        for generator in sorted(thing.draws):
            self._draw(generator)
        if kind == "array" and name == "sample" and "random_state" not in arguments.named:
            self._draw("numpy.random")
        if is_call and any("in place" in each.fields for each in self._reachable(own)):
            self._change(passed)
        items = self._pass(passed, gives=kind, own=own if kind == "module" else NOTHING)
        if known.runs:
            self._run_code(own, passed | own)
        elif kind not in (ATOM, "value"):
            self._run_operators({thing, *passed}, passed)
        if name in known.stores or (is_call and kind == "module"):
            held = passed | (items if name in ("extend", "update", "extendleft") else NOTHING)
            self._add(thing, _odd(held) if kind == "array" else held)
        result = self._method_result(thing, kind, name, passed, reads, site)
        shared = arguments.named.get("out", NOTHING)
        if any(arguments.texts.get(each) == "False" for each in ("copy", "deep")):
            shared |= own
        self._link_all(result, shared)
        return result

    def _link_all(self, value: Value, others: Value) -> None:
        """Note that a change of anything in *value* is a change of all *others*."""
        for thing in value:
            for other in others:
                self._link(thing, other)

    def _method_result(
        self, thing: Thing, kind: str, name: str, passed: Value, reads: bool, site: Hashable
    ) -> Value:
        known = KINDS[kind]
        if name in known.items:
            return frozenset(thing.holds) | passed | plain()
        if name in known.views:
            if kind in ("array", "dict", "data", "collection") and name == "items":
                held = {thing, *thing.holds} if kind == "array" else thing.holds
                inner = self._thing("tuple", (site, "item"), {*held, *plain()})
                return self._thing("list", site, inner)
            given = library.result_of_method(kind, name)
            if given != kind and kind in ("array", "tensor", "module", "estimator"):
                if given == "dict":
                    inner = self._thing("tensor", (site, "item"), thing.holds)
                    self._link_all(inner, frozenset({thing}))
                    return self._thing(given, site, inner | plain())
                result = self._thing(given, site, thing.holds)
                self._link_all(result, frozenset({thing}))
                return result
            return frozenset({thing})
        given = (
            "tensor"
            if kind == "module" and name == "__call__"
            else library.result_of_method(kind, name)
        )
        if given == kind and not reads:
            return (
                frozenset({thing})
                if kind not in ("list", "set", "dict", "generator", "file")
                else plain()
            )
        if given == "array iterator":
            row = self._thing("array", (site, "row"), _odd(frozenset(thing.holds)))
            inner = self._thing("tuple", (site, "item"), row | plain())
            return self._thing("list", site, inner | row)
        holds = {*thing.holds, *_odd(passed)} if given != ATOM else set()
        if kind in ("tensor", "module"):
            holds |= {thing, *passed}
        if kind == ATOM and given == "list":
            holds = {*plain()}
        return self._thing(given, site, {*holds, *plain()} if given == "list" else holds)


def _odd(value: Iterable[Thing]) -> Value:
    """Of all that *value* holds, what is no data: an array of objects may hand it out again."""
    kinds = {thing for thing in reachable(value) if thing.kind not in _DATA}
    return frozenset(thing for thing in kinds if thing.kind not in (IMPORTED, LAZY, "generator"))


def _code_in(value: Iterable[Thing]) -> Value:
    return frozenset(
        thing
        for thing in reachable(value)
        if thing.kind in (FUNCTION, CLASS, METHOD, INSTANCE, UNKNOWN)
    )


def _is_in_place(arguments: CallArguments) -> bool:
    """Whether the call says `inplace=True`, or that it may overwrite what it is passed."""
    return any(
        name in arguments.named and arguments.texts.get(name) != "False"
        for name in ("inplace", "overwrite_input", "overwrite_a", "overwrite_b", "overwrite_x")
    ) or any(arguments.texts.get(name) == "False" for name in ("copy", "copy_X"))
