"""Follow expressions: what they read, what they change, what their value shares."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from hpo_lab.notebook import library, magic_effects
from hpo_lab.notebook.name_table import IN_DOUBT, NameTable
from hpo_lab.notebook.names import Comprehension, stored
from hpo_lab.notebook.parsed_cell import is_own_magic, magic_argument, magic_call
from hpo_lab.notebook.values import NOTHING, Code, Value, union

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
            self._assign_items(generator.target, generator.iter)
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
        passed = union(arguments)
        self._may_run(passed)
        if callee.defined:
            self._may_run(callee)
            return union(
                self._run(code, _by_parameter(code, node, arguments)) for code in callee.code
            )
        symbols = {code.stands_for for code in callee.code}
        if isinstance(node.func, ast.Name) and not callee.path and symbols == {node.func.id}:
            return self._call_symbol(node.func.id, passed)
        what = ast.unparse(node.func)
        behaviour = _behaviour(receiver, callee, node, discarded=discarded)
        if behaviour.effect:
            self.keep(f"{what}(): {behaviour.effect}, {IN_DOUBT}")
        if behaviour.changes_receiver or _is_in_place(node):
            self._change(receiver if isinstance(node.func, ast.Attribute) else callee)
        if behaviour.changes_arguments or _is_in_place(node):
            self._change(passed)
        for keyword, value in zip(node.keywords, arguments[len(node.args) :], strict=True):
            if keyword.arg == "out":
                self._change(value)
        if behaviour.stores:
            self._store(receiver, passed)
        ran = [self._run(code, {"self": receiver, "**": passed}) for code in callee.code]
        imported = callee.path is not None and not callee.path.startswith("builtins.")
        result = Value(new=True, path=f"{callee.path}()" if imported else None)
        if behaviour.shares:
            result = replace(result, objects=callee.objects, code=callee.code)
        if behaviour.shares_arguments:
            result = replace(result, objects=result.objects | passed.objects)
        # An instance may call the arguments of its class, though it keeps none of their state.
        if behaviour.shares_arguments or what.rpartition(".")[2][:1].isupper():
            result = replace(result, code=result.code | passed.code)
        return replace(union([result, *ran]), path=result.path)

    def _run(
        self, code: Code, arguments: Mapping[str, Value], running: frozenset[str] = frozenset()
    ) -> Value:
        """Follow a call of *code* with *arguments* by parameter; its result."""

        def resolve(symbol: str) -> Value:
            if symbol == "(**)":
                return union(arguments.values())
            if symbol.startswith("("):
                return arguments.get(symbol[1:-1], arguments.get("**", NOTHING))
            return self._peek(symbol)

        results: dict[str, list[Value]] = {}
        for name, symbols in sorted(code.calls, key=lambda call: call[0]):
            passed = union(resolve(s) for s in symbols if not s.endswith("()"))
            function = self._peek(name)
            if name in running:
                continue
            if not function.defined and not function.path:
                self._change(passed)
            for inner in function.code:
                result = self._run(inner, {"**": passed}, running | {name})
                results.setdefault(f"{name}()", []).append(result)
        for parameter, value in arguments.items():
            if parameter != "self" and code.may_change(parameter):
                self._change(value)
        for holder, held in sorted(code.links):
            for value in results.get(held, [resolve(held)]):
                self._store(resolve(holder), value)
        returned = [v for s in code.returns for v in results.get(s, [resolve(s)])]
        handed: set[Code] = set()
        for later in code.hands_out:
            named = self._reachable(self._peek(later.stands_for)) if later.stands_for else {later}
            handed |= named
        objects = union(returned).objects
        return Value(objects=objects, new=True, code=frozenset(handed) | union(returned).code)

    def _call_symbol(self, name: str, arguments: Value) -> Value:
        """Follow the call of a function that only the caller knows."""
        raise NotImplementedError(name)  # only the body of a function has symbols

    def _magic(self, name: str, text: str) -> None:
        self.fill_in(text)
        kind = magic_effects.kind_of(name)
        if kind is magic_effects.MagicKind.CODE:
            tree = magic_argument(text).tree
            if isinstance(tree, SyntaxError):
                kind = magic_effects.MagicKind.OTHER
            else:
                self.run(tree.body)
        if kind is magic_effects.MagicKind.OTHER and not is_own_magic(name, text):
            shown = "!" + text.split()[0] if name == "!" and text.split() else f"%{name}"
            what = "shell command" if name == "!" else "magic"
            self.keep(f"{shown}: {what}, {IN_DOUBT}")

    def _assign_items(self, target: ast.expr, items: ast.expr) -> None:
        """Assign what iterating over *items* gives to *target*."""
        match items, target:
            case (
                ast.Call(func=ast.Name(id="zip"), args=[*several], keywords=[]),
                ast.Tuple(elts=parts) | ast.List(elts=parts),
            ) if len(parts) == len(several) and not _has_star([*several, *parts]):
                for part, items_of_part in zip(parts, several, strict=True):
                    self._assign_items(part, items_of_part)
            case (
                ast.Call(func=ast.Name(id="enumerate"), args=[counted, *_]),
                ast.Tuple(elts=[number, part]),
            ):
                self._assign(number, NOTHING)
                self._assign_items(part, counted)
            case _:
                value = self._value(items)
                self._assign(target, Value(new=True) if library.makes_items(value.path) else value)

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


def _has_star(nodes: Iterable[ast.expr]) -> bool:
    return any(isinstance(node, ast.Starred) for node in nodes)


def _by_parameter(code: Code, node: ast.Call, arguments: Sequence[Value]) -> dict[str, Value]:
    """The *arguments* of the call *node* by the parameters of *code*."""
    if _has_star(node.args):
        return {"**": union(arguments)}
    names = [*code.parameters[: len(node.args)]]
    names += ["*"] * (len(node.args) - len(names))
    names += [keyword.arg or "*" for keyword in node.keywords]
    by_name: dict[str, Value] = {}
    for name, value in zip(names, arguments, strict=True):
        by_name[name] = union([by_name[name], value]) if name in by_name else value
    return by_name


def _is_in_place(node: ast.Call) -> bool:
    """Whether the call says `inplace=True`."""
    return any(
        keyword.arg == "inplace"
        and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False)
        for keyword in node.keywords
    )
