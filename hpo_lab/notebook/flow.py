"""Follow the names of a notebook through its cells without running them.

An abstract interpretation in the order of execution: each name stands for the cells that
may have bound it and the objects it may share state with; each function for the global
names that running it reads, changes and binds. Where the code does not say, more is
assumed to happen rather than less. What well-known libraries do is in
`hpo_lab.notebook.library`.

A limit: calls that draw from a global random state change it, and this change is not
followed; seed in the tuned cell, or tag the drawing cell `tune-keep`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from hpo_lab.notebook import library
from hpo_lab.notebook.expressions import Expressions
from hpo_lab.notebook.name_table import IN_DOUBT
from hpo_lab.notebook.names import captured, is_store, names_bound, own_nodes
from hpo_lab.notebook.values import NOTHING, Code, Value, join, union

__all__ = ["Scope"]

_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Scope(Expressions):
    """The names of a notebook; set `cell` to the number of the next cell and `run` it."""

    def run(self, body: Iterable[ast.stmt]) -> None:
        """Follow statements that run one after the other."""
        for statement in body:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Expr(value=ast.Call() | ast.Await(value=ast.Call()) as value):
                call = value.value if isinstance(value, ast.Await) else value
                assert isinstance(call, ast.Call)
                self._call(call, discarded=True)
            case ast.Assign():
                self._assign_all(node.targets, node.value)
            case ast.AnnAssign():
                self._value(node.annotation)
                if node.value is not None:
                    self._assign_all([node.target], node.value)
            case ast.AugAssign():
                self._augment(node.target, self._value(node.value))
            case ast.For() | ast.AsyncFor():
                for _ in range(2):  # a second round sees what the first has bound
                    self._maybe(node.body, lambda: self._assign_items(node.target, node.iter))
                self._maybe(node.orelse)
            case ast.While():
                self._value(node.test)
                for _ in range(2):
                    self._maybe(node.body)
                self._maybe(node.orelse)
            case ast.If():
                self._value(node.test)
                self._maybe(node.body)
                self._maybe(node.orelse)
            case ast.With() | ast.AsyncWith():
                self._with(node)
            case ast.Try() | ast.TryStar():
                self._maybe(node.body)
                for handler in node.handlers:
                    if handler.type is not None:
                        self._value(handler.type)
                    caught = [handler.name] if handler.name else []
                    self._maybe(handler.body, partial(self.bind_names, caught))
                self._maybe(node.orelse)
                self._maybe(node.finalbody)
            case ast.Match():
                self._match(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._function(node)
            case ast.ClassDef():
                self._class(node)
            case ast.Import() | ast.ImportFrom():
                self._import(node)
            case ast.Delete(targets=targets):
                for target in targets:
                    self._delete(target)
            case ast.Return(value=value) if value is not None:
                self._returned(self._value(value))
            case _:  # assert, raise, expressions, `type X = ...`, global, pass
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr) and not is_store(child):
                        self._value(child)
                    elif isinstance(child, ast.Name):
                        self._bind(child.id, Value(new=True))

    def _maybe(
        self,
        body: Sequence[ast.stmt],
        start: Callable[[], None] | None = None,
    ) -> None:
        """Follow a block that may not run: the values from before stay possible."""
        if not body:
            return
        before = dict(self._names)
        if start is not None:
            start()
        self.run(body)
        for name, old in before.items():
            new = self._names.get(name, old)
            self._names[name] = new if new == old else join(old, new)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            value = self._value(item.context_expr)
            if item.optional_vars is not None:
                self._assign(item.optional_vars, self._numbered(value))
        if any("suppress" in ast.unparse(item.context_expr) for item in node.items):
            self._maybe(node.body)
        else:
            self.run(node.body)

    def _match(self, node: ast.Match) -> None:
        subject = self._value(node.subject)
        for case in node.cases:
            before = dict(self._names)
            for part in ast.walk(case.pattern):
                if isinstance(part, ast.expr):
                    self._value(part)
                for name in captured(part):
                    self._bind(name, subject)
            if case.guard is not None:
                self._value(case.guard)
            self.run(case.body)
            for name, old in before.items():
                self._names[name] = join(old, self._names.get(name, old))

    def _function(self, node: _Function) -> None:
        defaults = [*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
        arguments = ast.walk(node.args)
        hints = [a.annotation for a in arguments if isinstance(a, ast.arg) and a.annotation]
        for part in [*defaults, *hints, *([node.returns] if node.returns else [])]:
            self._value(part)
        code = self._code_of(node.args, node.body, name=node.name)
        self._bind(node.name, Value(new=True, code=frozenset({code}), defined=True))
        self._decorate(node)

    def _class(self, node: ast.ClassDef) -> None:
        bases = union(
            self._value(part) for part in [*node.bases, *(k.value for k in node.keywords)]
        )
        outside, bound_outside = dict(self._names), dict(self.binds[self.cell])
        self.run(node.body)
        self.binds[self.cell] = bound_outside
        inside = {name: value for name, value in self._names.items() if value != outside.get(name)}
        bound_inside = names_bound(node.body)
        for name in bound_inside:
            self._names.pop(name, None)
            if name in outside:
                self._names[name] = outside[name]
        members = {name: inside[name].code for name in bound_inside if name in inside}
        # An instance may run any method later, and may keep what it was made of.
        methods = frozenset().union(*members.values())
        made = Code(returns=frozenset({"(**)"}), hands_out=methods)
        constructors = frozenset(
            replace(code, parameters=code.parameters[1:], returns=made.returns, hands_out=methods)
            for code in members.get("__init__", frozenset())
        )
        code = bases.code | constructors or frozenset({made})
        if methods and not constructors:
            code |= {made}
        self._bind(node.name, Value(new=True, code=code, defined=True))
        self._decorate(node)

    def _decorate(self, node: _Function | ast.ClassDef) -> None:
        """A decorator is called with what it decorates, and may keep hold of it."""
        for decorator in node.decorator_list:
            value = self._value(decorator)
            if value.path is None:
                self._change(value)
                self._store(value, self._names.get(node.name, NOTHING))
            decorated = self._names.get(node.name, NOTHING)
            self._names[node.name] = replace(decorated, code=decorated.code | value.code)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                name, path = alias.asname or alias.name.partition(".")[0], alias.name
                if not alias.asname:
                    path = name
                bound = self._names.get(name, NOTHING)
                # `import a.b` after `import a.c` adds to the module, it does not replace it.
                before = bound.sources if bound.path == path else frozenset()
                self._bind(name, Value(path=path), sources=before)
            return
        module = "." * node.level + (node.module or "")
        if module in ("__future__", "sklearn.experimental"):
            self.keep(f"from {module} import: changes how later cells work")
        for alias in node.names:
            if alias.name == "*":
                self.keep(f"from {module} import *: may define any name, {IN_DOUBT}")
            else:
                path = f"{module}.{alias.name}"
                self._bind(alias.asname or alias.name, Value(path=path))

    def _delete(self, target: ast.expr) -> None:
        match target:
            case ast.Name(id=name):
                self._load(name)
                # Where the name is read later, the deletion is part of its history.
                self._names[name] = Value(sources=frozenset({self.cell}))
            case ast.Attribute(value=base) | ast.Subscript(value=base):
                self._change(self._value(base))
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                for part in parts:
                    self._delete(part)

    def _assign_all(self, targets: Sequence[ast.expr], value: ast.expr) -> None:
        if len(targets) == 1 and _pairs(targets[0], value):
            target = targets[0]
            assert isinstance(target, ast.Tuple | ast.List)
            assert isinstance(value, ast.Tuple | ast.List)
            parts = [self._value(part) for part in value.elts]
            for name, part in zip(target.elts, parts, strict=True):
                self._assign(name, part)
            return
        result = self._value(value)
        if len(targets) > 1:  # an object under several names
            result = self._numbered(result)
        for target in targets:
            self._assign(target, result)

    def _augment(self, target: ast.expr, value: Value) -> None:
        if not isinstance(target, ast.Name):
            self._assign(target, value)
            return
        old = self._load(target.id)
        self._change(old)
        self._bind(target.id, replace(old, code=old.code | value.code))

    def _code_of(self, arguments: ast.arguments, body: Sequence[ast.stmt], name: str = "") -> Code:
        inner = _FunctionScope(self, arguments, body, name)
        inner.run(body)
        return inner.code()


class _FunctionScope(Scope):
    """The names of a function's body; those it does not bind are symbols for globals."""

    def __init__(
        self, outer: Scope, arguments: ast.arguments, body: Sequence[ast.stmt], name: str
    ) -> None:
        super().__init__()
        self._outer = outer
        self._symbols: dict[str, str] = {}
        self._reads: set[str] = set()
        self._global_binds: set[str] = set()
        self._calls: set[tuple[str, frozenset[str]]] = set()
        self._result: list[Value] = []
        declared = [n for n in own_nodes(body) if isinstance(n, ast.Global | ast.Nonlocal)]
        self._declared = {name for node in declared for name in node.names}
        parameters = [node.arg for node in ast.walk(arguments) if isinstance(node, ast.arg)]
        self._local = (set(names_bound(body)) | set(parameters)) - self._declared
        self._positional = tuple(a.arg for a in [*arguments.posonlyargs, *arguments.args])
        rest = {a.arg for a in (arguments.vararg, arguments.kwarg) if a is not None}
        for parameter in parameters:
            symbol = "(*)" if parameter in rest else f"({parameter})"
            self._names[parameter] = Value(frozenset({symbol}))
            self._symbols[parameter] = symbol

    def code(self) -> Code:
        """What running the function may do."""
        for name in self._declared & set(self._names):
            self._may_run(self._names[name])
        for kept in list(self._stored.values()):
            self._may_run(Value(code=kept))
        result = union(self._result)
        changed = {thing for thing in self._changed if isinstance(thing, str)}
        return Code(
            reads=frozenset(self._reads),
            changes=frozenset(c for c in changed if not c.endswith(")")),
            binds=frozenset(self._global_binds),
            effect=self.effects.get(self.cell, ""),
            parameters=self._positional,
            changes_arguments=frozenset(
                c[1:-1] for c in changed if c.startswith("(") and c != "(self)"
            ),
            links=frozenset(self._links()),
            calls=frozenset(self._calls),
            returns=frozenset(self._visible(result)),
            hands_out=result.code,
        )

    def _visible(self, value: Value) -> set[str]:
        """The symbols of *value*, and those of globals that share an object with it."""
        shared = {name for name in self._global_binds if self._names[name].objects & value.objects}
        return shared | {thing for thing in value.objects if isinstance(thing, str)}

    def _links(self) -> Iterable[tuple[str, str]]:
        for name in [*self._symbols, *self._global_binds]:
            own = self._symbols.get(name, name)
            for symbol in self._visible(self._names.get(name, NOTHING)) - {own}:
                yield own, symbol

    def _missing(self, name: str) -> Value:
        if name in self._local:
            return NOTHING
        self._reads.add(name)
        outer = self._outer._peek(name)
        builtin = None if outer.sources else library.builtin_path(name)
        value = Value(
            objects=frozenset({name}),
            code=frozenset({Code(reads=frozenset({name}), stands_for=name)}),
            path=outer.path or builtin,
        )
        if value.path is None:
            self._names[name] = value
            self._symbols[name] = name
        return value

    def _call_symbol(self, name: str, arguments: Value) -> Value:
        self._calls.add((name, frozenset(self._visible(arguments))))
        return Value(
            objects=arguments.objects | {f"{name}()"},
            new=True,
            code=arguments.code | {Code(reads=frozenset({name}), stands_for=name)},
        )

    def _peek(self, name: str) -> Value:
        return self._names.get(name) or self._missing(name)

    def _bind(self, name: str, value: Value, *, sources: frozenset[int] = frozenset()) -> None:
        if name in self._declared:
            self._global_binds.add(name)
        super()._bind(name, value, sources=sources)

    def _use(self, name: str, value: Value) -> None:
        """Nothing to note: what is read is read when the function runs."""

    def _returned(self, value: Value) -> None:
        self._result.append(value)


def _pairs(target: ast.expr, value: ast.expr) -> bool:
    """Whether *value* can be assigned to *target* item by item."""
    sequences = ast.Tuple | ast.List
    return (
        isinstance(target, sequences)
        and isinstance(value, sequences)
        and len(target.elts) == len(value.elts)
        and not any(isinstance(e, ast.Starred) for e in [*target.elts, *value.elts])
    )
