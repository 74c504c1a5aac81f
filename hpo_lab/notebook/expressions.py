"""Follow expressions: what they read, what they change, what their value shares."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import replace

from hpo_lab.notebook import library, magic_effects
from hpo_lab.notebook.cell_source import is_own_magic, magic_call, parse_cell
from hpo_lab.notebook.name_table import IN_DOUBT, NameTable
from hpo_lab.notebook.names import Comprehension, stored
from hpo_lab.notebook.values import NOTHING, Code, Object, Value, union

__all__ = ["Expressions"]


class Expressions(NameTable, ABC):
    """A table of names that expressions and assignments are followed on."""

    @abstractmethod
    def run(self, body: Iterable[ast.stmt]) -> None:
        """Follow statements that run one after the other."""

    @abstractmethod
    def _code_of(self, arguments: ast.arguments, body: Sequence[ast.stmt], name: str = "") -> Code:
        """What running a function may do."""

    def _returned(self, value: Value) -> None:
        """Nothing to note: only a function returns."""

    def _value(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant():
                return NOTHING
            case ast.Name(id=name):
                return self._load(name)
            case ast.NamedExpr(target=target, value=inner):
                value = self._numbered(self._value(inner))
                self._assign(target, value)
                return value
            case ast.Attribute(value=inner, attr=attribute):
                return _attribute(self._value(inner), attribute)
            case ast.Subscript(value=inner, slice=key):
                self._value(key)
                return replace(self._value(inner), defined=False)
            case ast.Await(value=inner) | ast.Starred(value=inner):
                return self._value(inner)
            case ast.Yield(value=inner) | ast.YieldFrom(value=inner):
                if inner is not None:
                    self._returned(self._value(inner))
                return Value(new=True)
            case ast.Call():
                return self._call(node)
            case ast.Lambda(args=arguments, body=body):
                for default in [*arguments.defaults, *filter(None, arguments.kw_defaults)]:
                    self._value(default)
                code = self._code_of(arguments, [ast.Return(body)])
                return Value(new=True, code=frozenset({code}), defined=True)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self._comprehension(node)
            case ast.IfExp() | ast.BoolOp() | ast.List() | ast.Tuple() | ast.Set() | ast.Dict():
                parts = union([self._value(part) for part in _parts(node)])
                holds = not isinstance(node, ast.IfExp | ast.BoolOp)
                return replace(parts, new=parts.new or holds)
            case _:  # operators, comparisons, slices, f-strings: a result of their own
                for part in _parts(node):
                    self._value(part)
                return Value(new=not isinstance(node, ast.JoinedStr | ast.Compare))

    def _comprehension(self, node: Comprehension) -> Value:
        outside, bound_outside = dict(self._names), dict(self.binds[self.cell])
        targets: list[str] = []
        for generator in node.generators:
            self._assign(generator.target, self._value(generator.iter))
            targets += stored(generator.target)
            for test in generator.ifs:
                self._value(test)
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        result = union([self._value(part) for part in parts])
        for name in targets:
            self._names.pop(name, None)
            if name in outside:
                self._names[name] = outside[name]
            if name not in bound_outside:
                self.binds[self.cell].pop(name, None)
        return replace(result, new=True)

    def _call(self, node: ast.Call, *, discarded: bool = False) -> Value:
        magic = magic_call(node)
        if magic is not None:
            self._magic(*magic)
            return Value(new=True)
        receiver = NOTHING
        if isinstance(node.func, ast.Attribute):
            receiver = self._value(node.func.value)
            callee = _attribute(receiver, node.func.attr)
        else:
            callee = self._value(node.func)
        arguments = [self._value(a) for a in [*node.args, *(k.value for k in node.keywords)]]
        given = union(arguments)
        self._may_run(given)
        if callee.defined:
            return self._call_defined(callee, given)
        what = ast.unparse(node.func)
        behaviour = _behaviour(receiver, callee, node, discarded=discarded)
        if behaviour.effect:
            self.keep(f"{what}(): {behaviour.effect}, {IN_DOUBT}")
        if behaviour.changes_receiver or _is_in_place(node):
            self._change(receiver if isinstance(node.func, ast.Attribute) else callee)
        if behaviour.changes_arguments or _is_in_place(node):
            self._change(given)
        for keyword, value in zip(node.keywords, arguments[len(node.args) :], strict=True):
            if keyword.arg == "out":
                self._change(value)
        if behaviour.stores:
            self._store(receiver, given)
        imported = callee.path is not None and not callee.path.startswith("builtins.")
        result = Value(new=True, path=f"{callee.path}()" if imported else None)
        if behaviour.shares:
            result = replace(result, objects=callee.objects, code=callee.code)
        if behaviour.shares_arguments:
            result = replace(result, objects=result.objects | given.objects)
        # What a class makes may call what it was given, though it keeps none of its state.
        if behaviour.shares_arguments or what.rpartition(".")[2][:1].isupper():
            result = replace(result, code=result.code | given.code)
        return result

    def _call_defined(self, callee: Value, given: Value) -> Value:
        self._may_run(callee)
        if any(run.changes_arguments for run in callee.code):
            self._change(given)
        code: frozenset[Code] = frozenset()
        for handed in frozenset().union(*(run.hands_out for run in callee.code)):
            name = handed.stands_for
            code |= self._reachable(self._peek(name)) if name else {handed}
        objects: frozenset[Object] = frozenset()
        for name in sorted(frozenset().union(*(run.returns for run in callee.code))):
            objects |= self._peek(name).objects
        if any(run.returns_arguments for run in callee.code):
            objects |= given.objects
            code |= given.code
        return Value(objects=objects, new=True, code=code)

    def _magic(self, name: str, text: str) -> None:
        self.fill_in(text)
        kind = magic_effects.kind_of(name)
        if kind is magic_effects.MagicKind.CODE:
            try:
                self.run(parse_cell(text).body)
            except SyntaxError:
                kind = magic_effects.MagicKind.OTHER
        if kind is magic_effects.MagicKind.OTHER and not is_own_magic(name, text):
            shown = "!" + text.split()[0] if name == "!" and text.split() else f"%{name}"
            what = "shell command" if name == "!" else "magic"
            self.keep(f"{shown}: {what}, {IN_DOUBT}")

    def _assign(self, target: ast.expr, value: Value) -> None:
        match target:
            case ast.Name(id=name):
                self._bind(name, value)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                for part in parts:
                    self._assign(part, value)
            case ast.Starred(value=inner):
                self._assign(inner, value)
            case ast.Attribute(value=base) | ast.Subscript(value=base):
                if isinstance(target, ast.Subscript):
                    self._value(target.slice)
                holder = self._value(base)
                self._change(holder, ast.unparse(target))
                self._store(holder, value)


def _parts(node: ast.AST) -> list[ast.expr]:
    """The expressions directly inside *node*."""
    return [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]


def _attribute(value: Value, name: str) -> Value:
    path = f"{value.path}.{name}" if value.path else None
    return replace(value, path=path, defined=False)


def _behaviour(
    receiver: Value, callee: Value, node: ast.Call, *, discarded: bool
) -> library.Behaviour:
    """What a call of something that is not a function of the notebook may do."""
    if callee.path is not None and not library.is_instance(callee.path):
        modes = [k.value for k in node.keywords if k.arg == "mode"] + node.args[1:2]
        mode = next((str(m.value) for m in modes if isinstance(m, ast.Constant)), "")
        return library.of_function(callee.path, discarded=discarded, mode=mode)
    if not isinstance(node.func, ast.Attribute):
        return library.of_instance(callee.path)
    behaviour = library.of_method(receiver.path, node.func.attr)
    if receiver.code and not behaviour.shares:
        # A class of the notebook need not keep to the conventions of others.
        return library.UNKNOWN
    return behaviour


def _is_in_place(node: ast.Call) -> bool:
    """Whether the call says `inplace=True`."""
    return any(
        keyword.arg == "inplace"
        and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False)
        for keyword in node.keywords
    )
