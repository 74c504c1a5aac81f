"""Follow attributes and items: what reading one runs, and what assigning one changes."""

from __future__ import annotations

import ast
from abc import ABC

from hpo_lab.notebook import library
from hpo_lab.notebook.calls import Calls
from hpo_lab.notebook.known_types import KINDS
from hpo_lab.notebook.name_table import IN_DOUBT
from hpo_lab.notebook.own_code import CACHED, MEMBERS, CallArguments
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
)

__all__ = ["Attributes"]

_OPERATORS_GIVE = ("array", "tensor", "set", "list", "dict", "tuple", "value", "plot", "collection")
_GETS = frozenset({"__class__", "__dict__", "__self__", "__func__"})
_OF_OBJECT = frozenset(
    {"__delattr__", "__getattribute__", "__getstate__", "__reduce__", "__reduce_ex__"}
    | {"__setattr__", "__setstate__"}
)
"""Methods that every object has and that give or change its state."""
_OF_FUNCTION = frozenset(
    {"__closure__", "__defaults__", "__globals__", "__kwdefaults__", "__wrapped__", "cache_clear"}
)

_FRAMES = frozenset({"ag_frame", "cr_frame", "f_globals", "f_locals", "gi_frame", "tb_frame"})


class Attributes(Calls, ABC):
    """A table of names on which attributes and items are followed."""

    def _attribute(self, value: Value, name: str, node: ast.AST) -> Value:
        if self._leads_too_far(len(value)):
            return self._give_up()
        if name in _FRAMES:
            self.keep(f".{name}: reaches the names of code that runs, {IN_DOUBT}")
        results = [self._attribute_of(thing, name, node) for thing in in_order(value)]
        return NOTHING.union(*results)

    def _attribute_of(self, thing: Thing, name: str, node: ast.AST) -> Value:
        if thing.kind == IMPORTED:
            return self._imported(f"{thing.path}.{name}")
        if thing.kind == UNKNOWN:
            return frozenset({thing})
        if name == "__class__" and thing.kind == INSTANCE:
            return thing.receivers
        if name == "__dict__" and thing.kind in (INSTANCE, FUNCTION, "namespace"):
            parts = frozenset(thing.holds).union(*thing.fields.values())
            value = self._thing("dict", ("__dict__", thing), parts | plain())
            for each in value:
                self._link(each, thing)
            self._set_field(thing, "__dict__", value)
            return value
        if name in _GETS and thing.kind != METHOD:
            return frozenset({thing})
        if thing.kind == INSTANCE:
            return self._instance_attribute(thing, name, node)
        if thing.kind == CLASS:
            value = self._members(thing, name)
            bound = [each for each in value if each.path == "classmethod"]
            value -= frozenset(bound)
            if bound:
                value |= self._method(thing, name, frozenset({self._as_instance(thing)}))
            if not value and MEMBERS in thing.fields:  # `__members__`
                return self._thing("dict", (MEMBERS, thing), thing.fields[MEMBERS] | plain())
            return value or self._class_attribute(thing, name)
        if thing.kind == FUNCTION:
            if name in _OF_FUNCTION:
                return self._thing(UNKNOWN, (node, thing), {thing})
            return thing.fields.get(name, NOTHING) | thing.fields.get("*", NOTHING) or plain()
        if thing.kind == METHOD:
            return thing.receivers if name == "__self__" else plain()
        kind = library.attribute_kind(thing.kind, name)
        if thing.kind == "namespace":
            own = thing.fields.get("__dict__", NOTHING)
            return thing.fields.get(name, NOTHING).union(thing.holds, *(d.holds for d in own))
        if kind:
            if kind == ATOM:
                return plain()
            value = self._thing(kind, (node, thing.number), thing.holds)
            for each in value:
                self._link(each, thing)
            return value
        if thing.kind == "estimator" and name.endswith("_") and not name.startswith("_"):
            return self._shared("array", thing, node)
        if thing.kind == "bunch":
            return self._shared("array", thing, node)
        if library.has_method(thing.kind, name):
            return self._method(thing, name)
        if KINDS[thing.kind].is_closed:
            return (
                plain() if any(hasattr(t, name) for t in KINDS[thing.kind].is_closed) else NOTHING
            )
        return frozenset({thing})

    def _shared(self, kind: str, thing: Thing, node: ast.AST) -> Value:
        value = self._thing(kind, (node, thing.number))
        for each in value:
            self._link(each, thing)
        return value

    def _as_instance(self, of: Thing) -> Thing:
        (thing,) = self._thing(INSTANCE, ("class", of))
        thing.receivers = frozenset({of})
        return thing

    def _class_attribute(self, thing: Thing, name: str) -> Value:
        paths = self._imported_bases(thing)
        return NOTHING.union(*(self._imported(f"{path}.{name}") for path in paths))

    def _method(self, thing: Thing, name: str, receivers: Value = NOTHING) -> Value:
        value = self._thing(METHOD, ("method", thing, name))
        for method in value:
            method.path, method.receivers = name, receivers or frozenset({thing})
        return value

    def _instance_attribute(self, thing: Thing, name: str, node: ast.AST) -> Value:
        result = thing.fields.get(name, NOTHING) | thing.fields.get("*", NOTHING)
        is_own = bool(result)
        if not is_own:
            result = result.union(*(each.holds for each in thing.fields.get("__dict__", NOTHING)))
        for of in in_order(thing.receivers):
            for member in in_order(self._members(of, name)):
                is_own = True
                if member.kind == FUNCTION and member.path == "property":
                    result |= self._inline(
                        member, CallArguments([frozenset({thing})]), (node, member)
                    )
                    if CACHED in member.fields:
                        self._change({thing})
                        self._set_field(thing, name, result)
                elif member.kind in (FUNCTION, METHOD, IMPORTED, UNKNOWN):
                    result |= self._method(thing, name)
                else:
                    result |= frozenset({member})
                    # A descriptor runs code of its own.
                    self._run_methods({member}, frozenset({thing}), "__")
            for hook in ("__getattr__", "__getattribute__"):
                for member in in_order(self._members(of, hook)):
                    result |= (
                        self._inline(
                            member, CallArguments([frozenset({thing}), plain()]), (node, hook)
                        )
                        if member.kind == FUNCTION
                        else NOTHING
                    )
        paths = {path for of in thing.receivers for path in self._imported_bases(of)}
        calls = [library.of_function(path) for path in paths]
        kinds = {call.gives for call in calls if call and call.gives in KINDS}
        for kind in sorted({library.attribute_kind(each, name) for each in kinds} - {""}):
            if name not in thing.fields:
                held = thing.holds.union(*thing.fields.values())
                result |= self._thing(kind, (node, thing.number), held)
                is_own = True
        if not is_own and name in _OF_OBJECT:
            return self._thing(UNKNOWN, (node, thing), {thing})
        if not is_own and any(
            self._imported_bases(of) or of.kind == IMPORTED for of in thing.receivers
        ):
            is_method = name.startswith("__") or any(
                library.has_method(each, name) for each in kinds
            )
            return self._method(thing, name) | (NOTHING if is_method else {thing})
        return result

    def _subscript(self, value: Value, key: Value, node: ast.AST) -> Value:
        result = NOTHING
        for thing in in_order(value):
            if thing.kind == INSTANCE:
                result |= self._run_methods({thing}, key, "__")
                result |= thing.holds
                result |= (
                    frozenset({thing})
                    if any(map(self._imported_bases, thing.receivers))
                    else NOTHING
                )
            elif thing.kind == UNKNOWN:
                self._change({thing})
                result |= {thing}
            elif thing.kind in (ATOM, "value", CLASS, IMPORTED, FUNCTION):
                result |= plain() if thing.kind in (ATOM, "value") else {thing}
                result |= thing.fields.get(MEMBERS, NOTHING)
            elif thing.kind in ("list", "tuple", "dict", "set", "collection"):
                result |= thing.holds
                if any(each.kind == ATOM for each in key) is False and thing.kind in (
                    "list",
                    "tuple",
                ):
                    result |= {thing}
                if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
                    result |= self._thing(thing.kind, (node, thing.number), thing.holds)
            elif thing.kind == LAZY:
                result |= thing.holds
            else:
                result |= {thing}
                result |= (
                    thing.holds
                    if thing.kind in ("array", "module", "estimator", "bunch")
                    else NOTHING
                )
        return result

    # Assignments

    def _assign(self, target: ast.expr, value: Value) -> None:
        match target:
            case ast.Name(id=name):
                self._bind(name, value)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                items = self._items(value)
                for part in parts:
                    if isinstance(part, ast.Starred):
                        self._assign(part.value, self._thing("list", part, items))
                    else:
                        self._assign(part, items)
            case ast.Starred(value=inner):
                self._assign(inner, value)
            case ast.Attribute(value=base, attr=name):
                self._set_attribute(self._value(base), name, value, ast.unparse(target))
            case ast.Subscript(value=base):
                key = self._value(target.slice)
                holder = self._value(base)
                self._set_items(holder, key, value, ast.unparse(target))

    def _set_items(self, holder: Value, key: Value, value: Value, what: str) -> None:
        self._change(holder)
        self._run_methods(holder, key | value, "__")
        for thing in in_order(holder):
            if thing.kind == IMPORTED:
                self._set_on_library(thing, value, what)
            elif thing.kind in ("array", "tensor"):
                held = value if thing.kind == "tensor" else NOTHING
                self._add(thing, held | _objects(value))
            elif thing.kind != ATOM:
                self._add(thing, value | key)

    def _set_attribute(self, holder: Value, name: str, value: Value, what: str) -> None:
        self._change(holder)
        for thing in [] if self._leads_too_far(len(holder)) else in_order(holder):
            if thing.kind == IMPORTED:
                self._set_on_library(thing, value, what)
            elif thing.kind in (INSTANCE, CLASS, FUNCTION, "namespace"):
                self._set_field(thing, name, value)
                if name == "__dict__":
                    self._link_all(value, frozenset({thing}))
                if thing.kind == INSTANCE:
                    for of in thing.receivers:
                        for member in (*self._members(of, name), *self._members(of, "__setattr__")):
                            if member.path == "property" or member.kind in (INSTANCE, UNKNOWN):
                                self._run_methods({thing, member}, value, "")
            elif thing.kind != ATOM:
                if thing.kind == "estimator" and name in library.TELLS_MORE:
                    thing.draws |= {"numpy.random"}
                self._add(thing, _objects(value) if thing.kind == "array" else value)

    def _set_on_library(self, thing: Thing, value: Value, what: str) -> None:
        self.keep(f"{what} is set: for its effect on the process, {IN_DOUBT}")
        if not library.import_is_plain(thing.path):
            self._set_field(self._library(thing.path), "passed", value)
        code = frozenset(
            each for each in value if each.kind in (FUNCTION, CLASS, METHOD, INSTANCE, UNKNOWN)
        )
        self._add(self._library(thing.path), code)
        if code and thing.path.startswith("sys."):
            self._add(self._library("builtins"), code)


def _objects(value: Value) -> Value:
    """What of *value* an array keeps as it is, rather than a copy."""
    return frozenset(
        thing
        for thing in value
        if thing.kind in (CLASS, FUNCTION, INSTANCE, UNKNOWN, "estimator", "module")
    )
