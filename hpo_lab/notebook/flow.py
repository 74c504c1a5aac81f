"""Follow the names of a notebook through its cells without running them.

An abstract interpretation in the order of execution: each name stands for the cells that
may have bound it and the objects it may share state with; each function for the global
names that running it reads, changes and binds. Where the code does not say, more is
assumed to happen rather than less. What well-known libraries do is in
`hpo_lab.notebook.library`.

One limit is known: calls that draw from a global random state change it, and that is not
followed; seed in the tuned cell, or tag the drawing cell `tune-keep`.
"""

from __future__ import annotations

import ast
import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hpo_lab.notebook import library, magic_effects
from hpo_lab.notebook.cell_source import is_own_magic, magic_call, parse_cell
from hpo_lab.notebook.values import ARGUMENT, NOTHING, Code, Object, Value, join, union

__all__ = ["Scope", "Use", "names_bound"]

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
_IN_DOUBT = "kept when in doubt"


@dataclass(frozen=True, slots=True)
class Use:
    """That one cell reads a name to which another gave its value or its state."""

    reader: int
    name: str
    provider: int
    changes: bool


class Scope:
    """The names of the notebook, cell by cell.

    Set `cell` to the number of the next cell and `run` its statements.

    Attributes:
        uses: Which cell reads what from which earlier cell.
        binds: The names that each cell may assign.
        unbound: The names that each cell reads although no cell above has bound them.
        effects: Why a cell matters whatever it binds.
    """

    def __init__(self) -> None:
        self.cell = 0
        self.uses: dict[Use, None] = {}
        self.binds: defaultdict[int, dict[str, None]] = defaultdict(dict)
        self.unbound: defaultdict[int, set[str]] = defaultdict(set)
        self.effects: dict[int, str] = {}
        self._names: dict[str, Value] = {}
        self._changed: defaultdict[Object, set[int]] = defaultdict(set)
        self._stored: defaultdict[Object, frozenset[Code]] = defaultdict(frozenset)
        self._numbers = itertools.count()

    def fill_in(self, text: str) -> None:
        """Follow the text of a magic, into which IPython fills the values of names."""
        for name in magic_effects.names_in_text(text):
            self._load(name)

    def keep(self, reason: str) -> None:
        """Note why this cell matters whatever it binds; the first reason stays."""
        self.effects.setdefault(self.cell, reason)

    def bind_names(self, names: Iterable[str]) -> None:
        """Bind *names* to values of which nothing is known."""
        for name in names:
            self._bind(name, Value(new=True))

    # Statements

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
            case ast.Assign(targets=targets, value=value):
                self._assign_all(targets, value)
            case ast.AnnAssign(target=target, value=value, annotation=annotation):
                self._value(annotation)
                if value is not None:
                    self._assign_all([target], value)
            case ast.AugAssign(target=target, value=value):
                self._augment(target, self._value(value))
            case ast.For() | ast.AsyncFor():
                items = self._value(node.iter)
                for _ in range(2):  # a second round sees what the first has bound
                    self._maybe(node.body, target=node.target, value=items)
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
                    caught = ast.Name(handler.name, ast.Store()) if handler.name else None
                    self._maybe(handler.body, target=caught, value=Value(new=True))
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
                    if isinstance(child, ast.expr) and not _is_store(child):
                        self._value(child)
                    elif isinstance(child, ast.Name):
                        self._bind(child.id, Value(new=True))

    def _maybe(
        self,
        body: Sequence[ast.stmt],
        *,
        target: ast.expr | None = None,
        value: Value = NOTHING,
    ) -> None:
        """Follow a block that may not run: what was known before stays possible."""
        if not body:
            return
        before = dict(self._names)
        if target is not None:
            self._assign(target, value)
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
                for name in _captured(part):
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
        members = union(inside[name] for name in bound_inside if name in inside)
        # An instance may run any method later, and may keep what it was made of.
        methods = frozenset(
            replace(code, returns_arguments=True, hands_out=code.hands_out | {code})
            for code in members.code | bases.code
        )
        code = methods or frozenset({Code(returns_arguments=True)})
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
                known = self._names.get(name, NOTHING)
                # `import a.b` after `import a.c` adds to the module, it does not replace it.
                before = known.sources if known.path == path else frozenset()
                self._bind(name, Value(path=path), sources=before)
            return
        module = "." * node.level + (node.module or "")
        if module in ("__future__", "sklearn.experimental"):
            self.keep(f"from {module} import: changes how later cells work")
        for alias in node.names:
            if alias.name == "*":
                self.keep(f"from {module} import *: may define any name, {_IN_DOUBT}")
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

    # Assignments

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
        if len(targets) > 1:  # one object under several names
            result = self._numbered(result)
        for target in targets:
            self._assign(target, result)

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

    def _augment(self, target: ast.expr, value: Value) -> None:
        if not isinstance(target, ast.Name):
            self._assign(target, value)
            return
        old = self._load(target.id)
        self._change(old)
        self._bind(target.id, replace(old, code=old.code | value.code))

    def _bind(
        self, name: str, value: Value, *, sources: frozenset[int] = frozenset()
    ) -> None:
        self.binds[self.cell].setdefault(name)
        self._names[name] = replace(self._numbered(value), sources=sources | {self.cell})

    def _numbered(self, value: Value) -> Value:
        if not value.new:
            return value
        return replace(value, new=False, objects=value.objects | {next(self._numbers)})

    def _change(self, value: Value, what: str = "") -> None:
        """Note that this cell changes the objects of *value*."""
        if what and value.path is not None and not library.is_instance(value.path):
            self.keep(f"{what} is set: for its effect on the process, {_IN_DOUBT}")
        for number in value.objects:
            self._changed[number].add(self.cell)

    def _store(self, holder: Value, value: Value) -> None:
        """Note that the objects of *holder* now keep *value*."""
        for number in holder.objects:
            self._stored[number] |= value.code
        # A table copies the columns it is given; a list or dictionary keeps its items.
        if value.objects and holder.objects and holder.path is None:
            for name, known in self._names.items():
                if known.objects & holder.objects:
                    self._names[name] = replace(known, objects=known.objects | value.objects)

    def _returned(self, value: Value) -> None:
        """Nothing to note: only a function returns."""

    # Names

    def _load(self, name: str) -> Value:
        value = self._names.get(name)
        if value is None:
            return self._missing(name)
        self._use(name, value)
        self._may_run(value)
        return value

    def _missing(self, name: str) -> Value:
        self.unbound[self.cell].add(name)
        return Value(path=library.builtin_path(name))

    def _peek(self, name: str) -> Value:
        return self._names.get(name, NOTHING)

    def _use(self, name: str, value: Value) -> None:
        for provider in sorted(value.sources - {self.cell}):
            self.uses.setdefault(Use(self.cell, name, provider, changes=False))
        for number in value.objects:
            for provider in sorted(self._changed[number] - {self.cell}):
                self.uses.setdefault(Use(self.cell, name, provider, changes=True))

    def _may_run(self, value: Value) -> None:
        """Whoever holds a function may call it: now is when it reads its global names."""
        seen: set[Code] = set()
        pending = set(self._reachable(value))
        while pending:
            code = pending.pop()
            seen.add(code)
            for name in sorted(code.reads):
                read = self._peek(name)
                self._use(name, read)
                pending |= self._reachable(read) - seen
            for name in sorted(code.changes):
                self._change(self._peek(name))
            for name in sorted(code.binds):
                old = self._peek(name)
                self._bind(name, Value(new=True))
                self._names[name] = join(old, self._names[name])
            if code.effect:
                self.keep(code.effect)

    def _reachable(self, value: Value) -> frozenset[Code]:
        return value.code.union(*(self._stored[number] for number in value.objects))

    # Expressions

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

    def _comprehension(self, node: _Comprehension) -> Value:
        outside, bound_outside = dict(self._names), dict(self.binds[self.cell])
        targets: list[str] = []
        for generator in node.generators:
            self._assign(generator.target, self._value(generator.iter))
            targets += _stored(generator.target)
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
            self.keep(f"{what}(): {behaviour.effect}, {_IN_DOUBT}")
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
        if any(code.changes_arguments for code in callee.code):
            self._change(given)
        hands_out = frozenset().union(*(code.hands_out for code in callee.code))
        objects: frozenset[Object] = frozenset()
        for name in sorted(frozenset().union(*(code.returns for code in callee.code))):
            objects |= self._peek(name).objects
        code = hands_out
        if any(code.returns_arguments for code in callee.code):
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
            self.keep(f"{shown}: {what}, {_IN_DOUBT}")

    def _code_of(
        self, arguments: ast.arguments, body: Sequence[ast.stmt], name: str = ""
    ) -> Code:
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
        self._reads: set[str] = set()
        self._global_binds: set[str] = set()
        self._result: list[Value] = []
        declared = [n for n in _own_nodes(body) if isinstance(n, ast.Global | ast.Nonlocal)]
        self._declared = {name for node in declared for name in node.names}
        parameters = [node.arg for node in ast.walk(arguments) if isinstance(node, ast.arg)]
        self._local = (set(names_bound(body)) | set(parameters)) - self._declared
        every = [*arguments.posonlyargs, *arguments.args]
        first = every[0].arg if every else ""
        for parameter in parameters:
            # A method changes its own object as a matter of course.
            own = parameter == first and parameter in ("self", "cls")
            self._names[parameter] = Value(frozenset({"(self)" if own else ARGUMENT}))

    def code(self) -> Code:
        """What running the function may do."""
        result = union(self._result)
        changed = {str(thing) for thing in self._changed if isinstance(thing, str)}
        symbols = {str(thing) for thing in result.objects if isinstance(thing, str)}
        not_global = {ARGUMENT, "(self)"}
        return Code(
            reads=frozenset(self._reads),
            changes=frozenset(changed - not_global),
            binds=frozenset(self._global_binds),
            effect=self.effects.get(self.cell, ""),
            changes_arguments=ARGUMENT in changed,
            returns=frozenset(symbols - not_global),
            returns_arguments=ARGUMENT in symbols,
            hands_out=result.code,
        )

    def _missing(self, name: str) -> Value:
        if name in self._local:
            return NOTHING
        self._reads.add(name)
        known = self._outer._peek(name)
        symbol = Code(
            reads=frozenset({name}),
            changes_arguments=any(code.changes_arguments for code in known.code),
            returns_arguments=any(code.returns_arguments for code in known.code),
            hands_out=frozenset({Code(reads=frozenset({name}))}) if known.code else frozenset(),
        )
        return Value(
            objects=frozenset({name}),
            code=frozenset({symbol}),
            defined=known.defined,
            path=known.path or (None if known.sources else library.builtin_path(name)),
        )

    def _peek(self, name: str) -> Value:
        return self._names.get(name) or self._missing(name)

    def _bind(
        self, name: str, value: Value, *, sources: frozenset[int] = frozenset()
    ) -> None:
        if name in self._declared:
            self._global_binds.add(name)
        super()._bind(name, value, sources=sources)

    def _use(self, name: str, value: Value) -> None:
        """Nothing to note: what is read is read when the function runs."""

    def _returned(self, value: Value) -> None:
        self._result.append(value)


def names_bound(body: Iterable[ast.stmt]) -> list[str]:
    """The names that *body* may bind in its own scope, in order; not those of functions."""
    found: dict[str, None] = {}
    for node in _own_nodes(body):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                found.setdefault(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.setdefault(name)
            case ast.ClassDef(name=name) | ast.ExceptHandler(name=str(name)):
                found.setdefault(name)
            case ast.alias(name=name, asname=asname) if name != "*":
                found.setdefault(asname or name.partition(".")[0])
            case _:
                for name in _captured(node):
                    found.setdefault(name)
    return list(found)


def _own_nodes(body: Iterable[ast.AST]) -> Iterable[ast.AST]:
    """The nodes of *body* but for those in the scopes of functions and classes inside."""
    for node in body:
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, _Comprehension):
            inner: Iterable[ast.AST] = (
                part for part in ast.walk(node) if isinstance(part, ast.NamedExpr)
            )
            yield from _own_nodes(inner)
            continue
        yield from _own_nodes(ast.iter_child_nodes(node))


def _captured(node: ast.AST) -> list[str]:
    match node:
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return [name]
        case ast.MatchMapping(rest=str(name)):
            return [name]
    return []


def _stored(target: ast.expr) -> list[str]:
    return [node.id for node in ast.walk(target) if isinstance(node, ast.Name) and _is_store(node)]


def _is_store(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _parts(node: ast.AST) -> list[ast.expr]:
    """The expressions directly inside *node*."""
    return [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]


def _pairs(target: ast.expr, value: ast.expr) -> bool:
    """Whether *value* can be assigned to *target* item by item."""
    sequences = ast.Tuple | ast.List
    return (
        isinstance(target, sequences)
        and isinstance(value, sequences)
        and len(target.elts) == len(value.elts)
        and not any(isinstance(e, ast.Starred) for e in [*target.elts, *value.elts])
    )


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
