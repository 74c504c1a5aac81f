"""Follow calls: of functions and classes of the notebook, and of libraries that are known."""

from __future__ import annotations

import ast
from abc import ABC
from collections.abc import Collection, Hashable, Iterable

from hpo_lab.notebook import library, overwriting
from hpo_lab.notebook.known_types import KINDS
from hpo_lab.notebook.name_table import IN_DOUBT
from hpo_lab.notebook.own_code import DEPTH_AT_MOST, CallArguments
from hpo_lab.notebook.results import Results, is_in_place, odd
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
_GENERATORS = ("numpy.random", "random", "tensorflow", "torch")
_ARRAYS = frozenset({"numpy", "scipy", "pandas", "sklearn", "torch"})
_READS_PARTS = frozenset({"**", "chunksize", "iterator"})
_TAKES_ITEMS = frozenset({"extend", "extendleft", "update", "__init__"})
_OUTPUTS = ("out", "output")
_KEEPS_NOTHING = frozenset({"array", "generator", "plot", "plots", FUNCTION, METHOD})
_HANDS_ON = frozenset({"fit_resample", "fit_transform", "inverse_transform", "transform"})
"""Methods of estimators that may give what they are passed, as `FunctionTransformer` does."""
_RANDOM_FILLS = frozenset(
    {"bernoulli_", "cauchy_", "exponential_", "geometric_", "log_normal_", "normal_", "random_"}
    | {"uniform_"}
)


class Calls(Results, ABC):
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
            if thing.kind == IMPORTED and not library.import_is_plain(thing.path):
                self._set_field(self._library(thing.path), "passed", frozenset(things))
        for thing in things:  # each may refer to any other from now on
            if thing.kind not in _KEEPS_NOTHING:
                self._add(thing, result)
                if thing.kind == INSTANCE:
                    self._set_field(thing, "*", result)
        self._run_code(things, result | frozenset(things))
        self._change(things)
        for generator in _GENERATORS:
            self._draw(generator)
        return result

    def _call_imported(self, thing: Thing, arguments: CallArguments, site: Hashable) -> Value:
        path, passed = thing.path, arguments.every
        kind = library.kind_with_method(path)
        if kind and arguments.positional:
            inner = CallArguments(
                arguments.positional[1:], arguments.named, arguments.anything, arguments.texts
            )
            return self._call_known_methods(
                arguments.positional[0], kind, path.rpartition(".")[2], inner, site
            )
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
        root = path.partition(".")[0]
        if is_in_place(arguments) or (root in _ARRAYS and _may_overwrite(root, arguments)):
            self._change(passed)
        for name in _OUTPUTS:
            self._change(arguments.named.get(name, NOTHING))
        self._change(NOTHING.union(*arguments.positional[overwriting.first_overwritten(path) :]))
        if path == "builtins.print":
            self._change(arguments.named.get("file", NOTHING))
            self._run_methods(arguments.named.get("file", NOTHING), passed)
        if path.endswith(".register"):
            self.keep(f"{self._what}(): for its effect on the process, {IN_DOUBT}")
        if path.startswith("builtins.") and path.endswith(("setattr", "delattr", "setattr__")):
            self._set_attributes(arguments)
        if call.changes or (path.startswith("torch.") and library.is_in_place(path)):
            self._change(passed)
        items = self._pass(passed, quiet=call.is_quiet, gives=call.gives)
        if path.startswith("pandas.read_") and not _READS_PARTS.isdisjoint(arguments.named):
            return self._thing(LAZY, site, {*passed, *self._thing("array", (site, "part"))})
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
        kind = library.kind_with_method(thing.path)
        if kind:
            inner = CallArguments(anything=handed)
            name = thing.path.rpartition(".")[2]
            self._call_known_methods(handed, kind, name, inner, ("pass", thing))
            return
        call = library.of_function(thing.path)
        if call is None or self._library(thing.path).holds:
            self._unknown({thing, *handed}, ("pass", thing))
            return
        if call.effect:
            self.keep(f"{thing.path}: {call.effect}, {IN_DOUBT}")
        if call.changes or thing.path == "builtins.next":
            self._change(self._reachable(handed))
        draws = "numpy.random" if library.draws_unless_told(thing.path, frozenset()) else ""
        if call.draws or draws:
            self._draw(call.draws or draws)

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

    def _call_known_methods(
        self, value: Value, kind: str, name: str, arguments: CallArguments, site: Hashable
    ) -> Value:
        """Follow the call of a method that the code takes from its class."""
        result = NOTHING
        for each in in_order(value):
            if each.kind in (kind, UNKNOWN, INSTANCE):
                result |= self._call_method(each, name, arguments, (site, each.number))
            elif name in KINDS[kind].changes:  # of what it holds
                self._change({each})
        return result or plain()

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
            if not path.startswith("builtins."):
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
        behaviour, passed, own = KINDS[kind], arguments.every, frozenset({thing})
        is_call = name == "__call__"
        if name == "__init__" and kind in ("module", "estimator"):
            self._change({thing})
            self._add(thing, passed)
            return plain()
        if is_call:
            reads, changes = behaviour.calls == "reads", behaviour.calls == "changes"
        else:
            if not library.has_method(kind, name):
                if behaviour.is_closed:
                    return NOTHING  # it was another thing when it ran
                return self._unknown({thing, *passed}, site)
            changes = not behaviour.changes.isdisjoint({name, "*"})
            changes |= kind == "tensor" and library.is_in_place(name)
            reads = not changes
        classes = {path.partition(".")[0] for path in behaviour.classes}
        patched = {each for root in classes for each in self._imported(root) if each.holds}
        if patched:
            return self._unknown({thing, *passed, *patched}, site)
        if name in behaviour.writes:
            self.keep(f"{self._what}(): writes files, {IN_DOUBT}")
        if changes:
            self._change({thing})
        if is_in_place(arguments):
            self._change({thing, *passed})
        self._change(arguments.named.get("out", NOTHING))
        if kind == "array" and library.result_of_method(kind, name) != "plot":
            first = overwriting.method_overwrites_from(name)
            self._change(NOTHING.union(*arguments.positional[first:]))
            if "**" in arguments.named or _has_true(arguments, 0 if name == "byteswap" else 1):
                self._change({thing})
        if kind == "tensor" and name in _RANDOM_FILLS:
            self._draw("torch")
        if kind == "estimator" and not library.TELLS_MORE.isdisjoint(arguments.named):
            thing.draws |= {"numpy.random"}
        if name == "shuffle":
            self._change(passed)
        for generator in sorted(thing.draws):
            self._draw(generator)
        if kind == "array" and name == "sample" and "random_state" not in arguments.named:
            self._draw("numpy.random")
        if is_call and any("in place" in each.fields for each in self._reachable(own)):
            self._change(passed)
        items = self._pass(passed, gives=kind, own=own if kind in ("array", "module") else NOTHING)
        if behaviour.runs or name == "backward":  # which calls hooks
            self._run_code(own, passed | own)
        elif kind not in (ATOM, "value"):
            self._run_operators({thing, *passed}, passed)
        if name in behaviour.stores or (is_call and kind == "module"):
            held = passed | (items if name in _TAKES_ITEMS else NOTHING)
            if kind == "estimator" and name != "set_params":
                held = frozenset(each for each in held if each.kind in ("array", "bunch"))
            self._add(thing, odd(held) if kind == "array" else held)
        result = self._method_result(thing, kind, name, passed, reads, site)
        shared = arguments.named.get("out", NOTHING)
        by_position = {arguments.texts.get(str(n)) for n in range(len(arguments.positional))}
        if "False" in by_position or any(
            arguments.texts.get(each) == "False" for each in ("copy", "deep")
        ):
            shared |= own
        if kind == "estimator" and name in _HANDS_ON:
            shared |= passed
        self._link_all(result, shared)
        return result


def _has_true(arguments: CallArguments, first: int) -> bool:
    """Whether an argument at position *first* or after it is the word `True`."""
    return any(
        arguments.texts.get(str(position)) == "True"
        for position in range(first, len(arguments.positional))
    )


def _may_overwrite(root: str, arguments: CallArguments) -> bool:
    """Whether a flag by position, or what a dictionary spreads, may allow to overwrite."""
    texts = {arguments.texts.get(str(n)) for n in range(1, len(arguments.positional))}
    if root in ("sklearn", "numpy"):
        return "False" in texts or (root == "numpy" and "True" in texts)
    return "True" in texts or "**" in arguments.named


def _code_in(value: Iterable[Thing]) -> Value:
    return frozenset(
        thing
        for thing in reachable(value)
        if thing.kind in (FUNCTION, CLASS, METHOD, INSTANCE, UNKNOWN)
    )
