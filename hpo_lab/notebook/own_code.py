"""Follow the functions and classes of the notebook as they run."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field

from hpo_lab.notebook import library
from hpo_lab.notebook.known_calls import PLAIN_BASES
from hpo_lab.notebook.name_table import IN_DOUBT, NameTable
from hpo_lab.notebook.names import names_bound, own_nodes
from hpo_lab.notebook.values import (
    ATOM,
    CLASS,
    FUNCTION,
    IMPORTED,
    INSTANCE,
    LAZY,
    NOTHING,
    UNKNOWN,
    Binding,
    Frame,
    Thing,
    Value,
    in_order,
    reachable,
)

__all__ = ["CACHED", "DEPTH_AT_MOST", "MEMBERS", "RANDOM_NUMBERS", "CallArguments", "OwnCode"]

_STEPS_OF_A_CALL = 20
DEPTH_AT_MOST = 25
_SEEDS = frozenset({"generator", "random_seed", "random_state", "rng", "seed"})
CACHED = "(cached)"
"""The field of a function with the results that it holds, under a decorator for that."""
MEMBERS = "(members)"
"""The field of an enumeration with its members."""
RANDOM_NUMBERS = "random numbers of "
"""In front of the name under which the state of a global random generator is followed."""
_GENERATORS = ("numpy.random", "random", "tensorflow", "torch")


@dataclass(slots=True)
class CallArguments:
    """What a call is passed.

    Attributes:
        positional: In order.
        named: By keyword; `**` for what came in a dictionary.
        anything: What any parameter may get, where the code does not tell.
        texts: The constants among the keywords, as they are written.
    """

    positional: list[Value] = field(default_factory=list)
    named: dict[str, Value] = field(default_factory=dict)
    anything: Value = NOTHING
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def every(self) -> Value:
        """All of them."""
        return self.anything.union(*self.positional, *self.named.values())


class OwnCode(NameTable, ABC):
    """A table of names on which the functions and classes of the notebook are followed."""

    def __init__(self, kinds: Mapping[tuple[int, str], str] | None = None) -> None:
        """Start without names."""
        super().__init__(kinds)
        self._running: dict[Thing, Value] = {}
        self._ran_code: set[Thing] = set()
        self._followed_before: dict[Hashable, tuple[object, Value]] = {}
        self._anything = frozenset({Thing(UNKNOWN)})
        self._raised = NOTHING  # the exceptions that the code has raised so far
        self._depth = 0  # of calls in calls
        self._what = ""  # the call that is being followed, as it is written

    @abstractmethod
    def run(self, body: Iterable[ast.stmt]) -> None:
        """Follow statements that run one after the other."""

    @abstractmethod
    def _value(self, node: ast.expr) -> Value:
        """Follow an expression."""

    @abstractmethod
    def _call_thing(self, thing: Thing, arguments: CallArguments, site: Hashable) -> Value:
        """Follow a call of anything."""

    @abstractmethod
    def _call_method(
        self, thing: Thing, name: str, arguments: CallArguments, site: Hashable
    ) -> Value:
        """Follow the call of a method of *thing*."""

    @abstractmethod
    def _unknown(self, value: Collection[Thing], site: Hashable) -> Value:
        """Follow a call of which nothing is known."""

    @abstractmethod
    def _draw(self, generator: str) -> None:
        """Follow how random numbers are drawn from a global generator."""

    # Of the notebook

    def _inline(self, function: Thing, arguments: CallArguments, site: Hashable) -> Value:
        """Follow the body of a function of the notebook as it runs for *arguments*."""
        node = function.node
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if self._leads_too_far(_STEPS_OF_A_CALL) or len(self._site) > DEPTH_AT_MOST:
            return self._give_up()
        if function in self._running:
            self._change(self._reachable(arguments.every))
            return self._running[function] | arguments.every
        passed = (tuple(arguments.positional), frozenset(arguments.named.items()))
        key = (function, *passed, arguments.anything, self.cell)
        state, result = self._followed_before.get(key, (None, NOTHING))
        if state == self._state and (self._ran_code or len(self._site) > 2):
            return result  # nothing has changed since it was followed
        body: list[ast.stmt] = (
            [ast.Return(node.body)] if isinstance(node, ast.Lambda) else node.body
        )
        own = list(own_nodes(body))
        yields = any(isinstance(part, ast.Yield | ast.YieldFrom) for part in own)
        result = self._run_body(function, node.args, body, own, arguments, site)
        if CACHED in function.fields:
            self._change({function})  # it holds its results from now on
            self._set_field(function, CACHED, result)
            result = function.fields[CACHED]
        self._followed_before[key] = (self._state, result)
        if not yields:
            return result
        generator = self._thing(LAZY, site, result)
        for thing in generator:
            # The body runs when its items are taken, which may be in a later cell.
            thing.items = lambda: self._run_body(function, node.args, body, own, arguments, site)
        return generator

    def _give_up(self) -> Value:
        """Take what leads too far as code that reads, changes and mixes everything."""
        (anything,) = self._anything
        if self.cell not in self.given_up:
            self.given_up.add(self.cell)
            what = f"{self._what}()" if self._what else "the cell"
            self.keep(f"{what}: calls more than can be followed, {IN_DOUBT}")
            things = set[Thing]()
            for name, binding in list(self._notebook.names.items()):
                more = reachable(binding.value, things)
                self._use_binding(name, binding)
                self._use_things(name, more)
                things |= more
            self._change(things)
            things = {thing for thing in things if thing.kind not in (ATOM, IMPORTED)}
            self._add(anything, things)
            for thing in things:
                self._add(thing, self._anything)
                if thing.kind == INSTANCE:
                    self._set_field(thing, "*", self._anything)
        return self._anything

    def _start_again(self) -> None:
        """Leave whatever was being followed."""
        self._frame, self._conditional, self._site, self._what = self._notebook, 0, (), ""
        self._depth = 0
        self._running.clear()
        self._ran_code.clear()

    def _run_body(
        self,
        function: Thing,
        parameters: ast.arguments,
        body: list[ast.stmt],
        own: list[ast.AST],
        arguments: CallArguments,
        site: Hashable,
    ) -> Value:
        declared = {
            name: isinstance(part, ast.Global)
            for part in own
            if isinstance(part, ast.Global | ast.Nonlocal)
            for name in part.names
        }
        passed = self._by_parameter(function, parameters, arguments, site)
        local = frozenset(names_bound(body)) - declared.keys()
        frame = Frame(parent=function.frame, local=local, depth=self._conditional, owner=function)
        for name, is_global in declared.items():
            frame.outer[name] = self._notebook if is_global else self._frame_of(name, function)
        for name, value in passed.items():
            frame.names[name] = Binding(value, frozenset({self.cell}))
        if function in self._running:
            return self._running[function]
        before, self._site = self._site, (*self._site, site)
        self._running[function] = NOTHING
        try:
            with self._in_frame(frame):
                for _ in range(3):
                    self.run(body)
                    if frame.results <= self._running[function]:
                        break
                    self._running[function] |= frame.results
        finally:
            self._site = before
            del self._running[function]
        return frame.results

    def _frame_of(self, name: str, function: Thing) -> Frame:
        frame = function.frame
        while frame is not None and frame.parent is not None:
            if name in frame.names or name in frame.local:
                return frame
            frame = frame.parent
        return self._notebook

    def _by_parameter(
        self, function: Thing, parameters: ast.arguments, arguments: CallArguments, site: Hashable
    ) -> dict[str, Value]:
        names = [each.arg for each in [*parameters.posonlyargs, *parameters.args]]
        named = {**arguments.named}
        spread = arguments.anything | named.pop("**", NOTHING)
        passed: dict[str, Value] = {}
        for name, value in zip(names, arguments.positional, strict=False):
            passed[name] = value
        for name in [*names, *(each.arg for each in parameters.kwonlyargs)]:
            if name not in passed:
                default = function.fields.get(f"{name}=", NOTHING)
                passed[name] = named.pop(name, NOTHING) | spread | default
        if parameters.vararg is not None:
            rest = spread.union(*arguments.positional[len(names) :])
            passed[parameters.vararg.arg] = self._thing("tuple", (site, "*"), rest)
        if parameters.kwarg is not None:
            rest = spread.union(*named.values())
            passed[parameters.kwarg.arg] = self._thing("dict", (site, "**"), rest)
        return passed

    def _instantiate(self, of: Thing, arguments: CallArguments, site: Hashable) -> Value:
        """Follow how an instance of a class of the notebook is made."""
        if MEMBERS in of.fields:
            return of.fields[MEMBERS]
        value = self._thing(INSTANCE, (site, of))
        (instance,) = value
        instance.receivers = frozenset({of})
        started = False
        for name in ("__new__", "__post_init__", "__init__"):
            for member in in_order(self._members(of, name)):
                if member.kind == FUNCTION:
                    started |= name == "__init__"
                    inner = CallArguments(
                        [value, *arguments.positional], arguments.named, arguments.anything
                    )
                    if name == "__post_init__":
                        inner = CallArguments([value])
                    self._inline(member, inner, (site, name))
        if not started:
            self._set_field(instance, "*", arguments.every)
            self._add(instance, arguments.every)
            self._call_method(instance, "__init__", arguments, site)
        for path in self._imported_bases(of):
            call = library.of_function(path)
            if call is None:
                self._unknown({instance, *arguments.every}, site)
            elif call.draws:
                self._draw(call.draws)
        if self._members(of, "__metaclass__"):
            self._unknown({instance, *arguments.every}, site)
        return value

    def _enumerate(self, of: Thing) -> None:
        """Make the members of an enumeration out of what its class body assigns."""
        assert of.frame is not None
        things = [thing for thing in _ancestors(of) if thing.kind == IMPORTED]
        if not any(thing.path.startswith("enum.") for thing in things):
            return
        members = NOTHING
        for name, binding in of.frame.names.items():
            assigned = frozenset(thing for thing in binding.value if thing.kind != FUNCTION)
            if assigned and not name.startswith("_"):
                parts = assigned.union(*(thing.holds for thing in assigned))
                value = self._instantiate(of, CallArguments(anything=parts), ("member", name))
                for member in value:
                    member.fields.pop("*", None)
                    for field_name in ("value", "_value_"):
                        self._set_field(member, field_name, assigned)
                of.frame.names[name] = Binding(value, binding.sources)
                members |= value
        if members:
            self._set_field(of, MEMBERS, members)

    def _members(self, of: Thing, name: str) -> Value:
        """What the class *of* has under *name*, itself or from its bases."""
        found, pending, seen = NOTHING, [of], set[Thing]()
        while pending:
            each = pending.pop()
            if each.kind != CLASS or each in seen:
                continue
            seen.add(each)
            value = each.fields.get(name, NOTHING) | each.fields.get("*", NOTHING)
            if each.frame is not None and name in each.frame.names:
                value |= each.frame.names[name].value
            found |= value
            if not value or each.fields:
                pending.extend(each.receivers)
        return found

    def _imported_bases(self, of: Thing) -> list[str]:
        things = [thing for thing in in_order(_ancestors(of)) if thing.kind == IMPORTED]
        return [thing.path for thing in things if thing.path not in PLAIN_BASES]

    def _run_code(self, value: Iterable[Thing], passed: Value) -> None:
        """Follow what somebody may do with functions and objects of the notebook."""
        is_outermost = not self._ran_code
        direct, things = frozenset(value), self._reachable(value)
        passed = frozenset(thing for thing in passed if thing.kind != IMPORTED)
        code = [thing for thing in things if thing.kind in (FUNCTION, CLASS, INSTANCE)]
        for thing in in_order(code):
            if self._leads_too_far():
                self._give_up()
                break
            if thing.kind == FUNCTION and thing not in direct and thing.receivers & things:
                continue  # a method: it runs with the instances of its class
            if thing in self._ran_code:
                # It ran for other arguments: to follow each would take for ever.
                self._change(self._reachable(passed))
                continue
            self._ran_code.add(thing)
            anything = CallArguments(anything=passed)
            if thing.kind == FUNCTION:
                self._inline(thing, anything, ("run", thing))
            elif thing.kind == CLASS:
                made = self._instantiate(thing, anything, ("run", thing))
                self._run_methods(made, passed)
            else:
                self._run_methods({thing}, passed)
        if is_outermost:
            self._ran_code.clear()

    def _run_methods(self, value: Iterable[Thing], passed: Value, prefix: str = "") -> Value:
        """Follow the methods of instances whose names start with *prefix*."""
        results = NOTHING
        for thing in in_order(thing for thing in value if thing.kind == INSTANCE):
            if self._leads_too_far():
                self._give_up()
                break
            names = {
                name
                for each in _ancestors(*thing.receivers)
                if each.kind == CLASS and each.frame is not None
                for name in [*each.frame.names, *each.fields]
            }
            for name in sorted(names):
                if name.startswith(prefix) and name not in ("__init__", "__new__"):
                    for of in thing.receivers:
                        for member in in_order(self._members(of, name)):
                            if member.kind == FUNCTION and member not in self._running:
                                arguments = CallArguments([frozenset({thing})], anything=passed)
                                results |= self._inline(member, arguments, ("run", thing, name))
        return results

    def _run_operators(self, value: Iterable[Thing], operands: Value = NOTHING) -> None:
        """Follow the comparisons, `__repr__` and the like of all that *value* is made of."""
        self._run_methods(self._reachable(value), operands, "_")

    def _set_field(self, thing: Thing, name: str, value: Value) -> None:
        old = thing.fields.get(name, NOTHING)
        if not value <= old and thing.kind != ATOM:
            thing.fields[name] = old | value
            self._growth += 1


def _ancestors(*classes: Thing) -> set[Thing]:
    ancestors: set[Thing] = set()
    pending = list(classes)
    while pending:
        each = pending.pop()
        if each not in ancestors:
            ancestors.add(each)
            if each.kind == CLASS:
                pending.extend(each.receivers)
    return ancestors
