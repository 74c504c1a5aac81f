"""Follow expressions: what they read, what they change, what they stand for."""

from __future__ import annotations

import ast
import re
from abc import ABC
from collections.abc import Sequence

from hpo_lab.notebook import magic_effects
from hpo_lab.notebook.attributes import Attributes
from hpo_lab.notebook.known_types import KINDS
from hpo_lab.notebook.name_table import IN_DOUBT
from hpo_lab.notebook.names import Comprehension, stored
from hpo_lab.notebook.own_code import CallArguments
from hpo_lab.notebook.parsed_cell import is_own_magic, magic_argument, magic_call
from hpo_lab.notebook.values import (
    CLASS,
    FUNCTION,
    IMPORTED,
    INSTANCE,
    LAZY,
    METHOD,
    NOTHING,
    UNKNOWN,
    Frame,
    Value,
    plain,
)

__all__ = ["Expressions"]

_OPERATORS_GIVE = ("array", "tensor", "set", "list", "dict", "tuple", "value", "plot", "collection")
_WORD = re.compile(r"[^\W\d]\w*")
_HAS_COLUMNS = frozenset({"array", "bunch", "module", "tensor"})
"""Kinds whose attributes may have the name of a method that another class of the kind has."""


class Expressions(Attributes, ABC):
    """A table of names that expressions and assignments are followed on."""

    def _value(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant():
                return plain()
            case ast.Name(id=name):
                return self._load(name)
            case ast.NamedExpr(target=target, value=inner):
                value = self._value(inner)
                frame = self._frame
                while frame.parent is not None and frame.owner is None and not frame.is_class:
                    frame = frame.parent  # out of comprehensions
                before, self._frame = self._frame, frame
                self._assign(target, value)
                self._frame = before
                return value
            case ast.Attribute():
                return _or_object(self._read_attribute(node))
            case ast.Subscript(value=inner, slice=key):
                return self._subscript(self._value(inner), self._value(key), node)
            case ast.Await(value=inner):
                return self._value(inner)
            case ast.Starred(value=inner):
                return self._items(self._value(inner))
            case ast.Yield(value=inner):
                return self._yielded(NOTHING if inner is None else self._value(inner), node)
            case ast.YieldFrom(value=inner):
                return self._yielded(self._items(self._value(inner)), node)
            case ast.Call():
                return self._call(node)
            case ast.Lambda(args=arguments):
                return self._function_thing(node, arguments)
            case ast.GeneratorExp():
                frame = self._frame
                value = self._thing(LAZY, node, self._comprehension(node))
                for thing in value:
                    thing.items = lambda: self._again(node, frame)
                return value
            case ast.ListComp() | ast.SetComp() | ast.DictComp():
                kind = {ast.ListComp: "list", ast.SetComp: "set", ast.DictComp: "dict"}[type(node)]
                return self._thing(kind, node, self._comprehension(node))
            case ast.List() | ast.Tuple() | ast.Set() | ast.Dict():
                kind = type(node).__name__.lower()
                held = NOTHING
                for part in _parts(node):
                    held |= self._value(part)
                if isinstance(node, ast.Dict) and None in node.keys:
                    held |= self._items(held)
                return self._thing(kind, node, held)
            case ast.IfExp() | ast.BoolOp():
                values = [self._value(part) for part in _parts(node)]
                self._run_methods(NOTHING.union(*values), NOTHING, "__")
                return NOTHING.union(*values)
            case _:  # operators, comparisons, slices, f-strings: a result of their own
                values = [self._value(part) for part in _parts(node)]
                return self._operator(node, values)

    def _read_attribute(self, node: ast.Attribute) -> Value:
        return self._attribute(self._value(node.value), node.attr, node)

    def _again(self, node: Comprehension, frame: Frame) -> Value:
        with self._in_frame(frame):
            return self._comprehension(node)

    def _yielded(self, value: Value, node: ast.AST) -> Value:
        self._returned(value)
        return self._thing(UNKNOWN, node) if isinstance(node, ast.Yield) else value

    def _returned(self, value: Value) -> None:
        frame: Frame | None = self._frame
        while frame is not None and frame.owner is None:
            frame = frame.parent
        if frame is not None:
            frame.results |= value

    def _operator(self, node: ast.expr | ast.AugAssign, values: Sequence[Value]) -> Value:
        operands = NOTHING.union(*values)
        results = self._run_methods(operands, operands, "_")
        unknown = frozenset(thing for thing in operands if thing.kind == UNKNOWN)
        if isinstance(node, ast.Compare):
            self._change(unknown)
            self._run_operators(operands, operands)
            if any(isinstance(each, ast.In | ast.NotIn) for each in node.ops):
                self._items(
                    frozenset(t for t in operands if t.kind in KINDS and KINDS[t.kind].is_consumed)
                )
        elif isinstance(node, ast.BinOp | ast.AugAssign):
            self._change(unknown)
        elif isinstance(node, ast.JoinedStr | ast.FormattedValue):
            self._run_operators(operands)
            return plain()
        elif isinstance(node, ast.Slice):
            return operands
        for kind in _OPERATORS_GIVE:
            same = [thing for thing in operands if thing.kind == kind]
            if same and (kind in ("array", "tensor") or not isinstance(node, ast.Compare)):
                held = {each for thing in same for each in thing.holds}
                if kind == "tensor":
                    held |= operands - plain()
                results |= self._thing(kind, (node, kind), held)
        if unknown:
            results |= self._thing(UNKNOWN, node, operands - plain())
        return results or plain()

    def _comprehension(self, node: Comprehension) -> Value:
        names = frozenset(name for each in node.generators for name in stored(each.target))
        frame = Frame(parent=self._frame, local=names, depth=self._conditional)
        outer = self._frame
        result = NOTHING
        # The first iterable belongs to the names outside; a class's own names are seen there.
        first = self._items(self._value(node.generators[0].iter))
        if outer.is_class:
            frame.parent = outer.parent
        self._conditional += 1
        with self._in_frame(frame):
            for _ in self._until_stable():
                for number, generator in enumerate(node.generators):
                    items = first if number == 0 else self._items(self._value(generator.iter))
                    self._assign(generator.target, items)
                    for test in generator.ifs:
                        self._value(test)
                parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
                result = result.union(*(self._value(part) for part in parts))
        self._conditional -= 1
        return result

    # Calls

    def _call(self, node: ast.Call) -> Value:
        magic = magic_call(node)
        if magic is not None:
            self._magic(*magic)
            return self._thing("list", node, plain())
        func = node.func
        callee = (
            self._read_attribute(func) if isinstance(func, ast.Attribute) else self._value(func)
        )
        arguments, has_star = CallArguments(), False
        for argument in node.args:
            value = self._value(argument)
            has_star |= isinstance(argument, ast.Starred)
            if has_star:
                arguments.anything |= value
            else:
                if isinstance(argument, ast.Constant):
                    arguments.texts[str(len(arguments.positional))] = repr(argument.value)
                arguments.positional.append(value)
        for keyword in node.keywords:
            value = self._value(keyword.value)
            if keyword.arg is None and isinstance(keyword.value, ast.Dict):
                arguments.anything |= self._items(value)
                for key, part in zip(keyword.value.keys, keyword.value.values, strict=True):
                    name = str(key.value) if isinstance(key, ast.Constant) else "**"
                    arguments.named[name] = self._value(part)
                    if isinstance(part, ast.Constant):
                        arguments.texts[name] = repr(part.value)
            elif keyword.arg is None:
                arguments.named["**"] = self._items(value)
            else:
                arguments.named[keyword.arg] = value
                if isinstance(keyword.value, ast.Constant):
                    arguments.texts[keyword.arg] = repr(keyword.value.value)
        before, self._what = self._what, ast.unparse(node.func)
        special = self._special(node, callee, arguments)
        result = self._call_all(callee, arguments, node) if special is None else special
        self._what = before
        return result

    def _special(self, node: ast.Call, callee: Value, arguments: CallArguments) -> Value | None:
        """What a call means for which a table has no words; None for any other."""
        paths = {thing.path for thing in callee if thing.kind == IMPORTED}
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("query", "eval"):
            self._read_names_in(node)
        if paths == {"builtins.vars"} and len(arguments.positional) == 1:
            return self._attribute(arguments.positional[0], "__dict__", node)
        if paths == {"builtins.super"}:
            frame: Frame | None = self._frame
            while frame is not None and (frame.owner is None or not frame.owner.receivers):
                frame = frame.parent
            if frame is None or frame.owner is None:
                return None
            return self._super(frame, node)
        if paths == {"builtins.open"}:
            modes = [k.value for k in node.keywords if k.arg == "mode"] + node.args[1:2]
            mode = next((str(m.value) for m in modes if isinstance(m, ast.Constant)), "r")
            if set(mode) & set("wax+"):
                self.keep(f"{self._what}(): writes files, {IN_DOUBT}")
        if paths == {"builtins.type"} and len(arguments.positional) == 1:
            return NOTHING.union(*(thing.receivers for thing in arguments.every)) or plain()
        if paths == {"builtins.getattr"} and len(arguments.positional) > 1:
            name = node.args[1]
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                value = self._attribute(arguments.positional[0], name.value, node)
                return value.union(*arguments.positional[2:])
            # A method whose name the code does not tell.
            return self._thing(UNKNOWN, node, arguments.every - plain())
        if paths == {"builtins.setattr"} and len(arguments.positional) == 3:
            name = node.args[1]
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                target = ast.unparse(node.args[0]) + "." + name.value
                self._set_attribute(
                    arguments.positional[0], name.value, arguments.positional[2], target
                )
                return plain()
        return None

    def _read_names_in(self, node: ast.Call) -> None:
        """Follow the names in the text of a query of a table, all where the code has no text."""
        parts = [*node.args, *(keyword.value for keyword in node.keywords)][:1]
        own = [part for argument in parts for part in ast.walk(argument)]
        texts = [part.value for part in own if isinstance(part, ast.Constant)]
        names = _WORD.findall(" ".join(map(str, texts)))
        if not texts:
            names = [n for n in self._notebook.names if n.isidentifier() and n != "_"]
        for name in dict.fromkeys(names):
            if name in self._notebook.names or name in self._frame.names:
                self._load(name)

    def _super(self, frame: Frame, node: ast.Call) -> Value:
        """The object of the running method, with the classes above the method's class."""
        assert frame.owner is not None
        instances = [
            thing
            for binding in list(frame.names.values())[:1]
            for thing in binding.value
            if thing.kind in (INSTANCE, CLASS)
        ]
        bases = frozenset(
            base for of in frame.owner.receivers if of.kind == CLASS for base in of.receivers
        )
        result = NOTHING
        for instance in instances:
            value = self._thing(INSTANCE, (node, instance.number))
            for thing in value:
                thing.receivers = bases
                thing.fields, thing.holds = instance.fields, instance.holds
                self._link(thing, instance)
            result |= value
        if not any(base.kind == CLASS for base in bases) and result:
            # A library's own class: it makes the object what its kind says, and no more.
            return frozenset({*result})
        return result

    def _magic(self, name: str, text: str) -> None:
        self.fill_in(text)
        kind = magic_effects.kind_of(name)
        if kind is magic_effects.MagicKind.CODE or name in magic_effects.MEASURING:
            tree = magic_argument(magic_effects.without_options(text)).tree
            if isinstance(tree, SyntaxError):
                kind = magic_effects.MagicKind.OTHER
            elif kind is magic_effects.MagicKind.CODE:
                self.run(tree.body)
            else:
                self.measure(tree.body)
        if kind is magic_effects.MagicKind.OTHER and not is_own_magic(name, text):
            if magic_effects.is_install(name, text):
                self.installs.add(self.cell)
                return
            is_shell = name in ("!", "!!")
            shown = "!" + text.split()[0] if is_shell and text.split() else f"%{name}"
            what = "shell command" if is_shell else "magic"
            self.keep(f"{shown}: {what}, {IN_DOUBT}")

    def measure(self, body: Sequence[ast.stmt]) -> None:
        """Follow what `%timeit` runs, again and again, in a function of its own."""
        with self._in_frame(Frame(parent=self._frame, depth=self._conditional)), self._maybe():
            self.run(body)

    def _function_thing(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, arguments: ast.arguments
    ) -> Value:
        """The function that *node* defines here."""
        value = self._thing(FUNCTION, (node, self._site))
        (thing,) = value
        thing.node, thing.frame = node, self._frame
        positional = [*arguments.posonlyargs, *arguments.args]
        pairs = list(zip(reversed(positional), reversed(arguments.defaults), strict=False))
        pairs += [
            (each, default)
            for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
            if default is not None
        ]
        for parameter, default in reversed(pairs):
            self._set_field(thing, f"{parameter.arg}=", self._value(default))
        return value


def _or_object(value: Value) -> Value:
    """*value*, with the objects of its methods where the name may be that of a column."""
    methods = [thing for thing in value if thing.kind == METHOD]
    objects = NOTHING.union(*(method.receivers for method in methods))
    return value | {thing for thing in objects if thing.kind in _HAS_COLUMNS}


def _parts(node: ast.AST) -> list[ast.expr]:
    """The expressions directly inside *node*."""
    return [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
