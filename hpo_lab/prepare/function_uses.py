"""What a function computes with: its parts, which make its identity.

A function goes to its trials by value, with the functions, classes and values that it uses.
Those count by what they are: code by its meaning, values by their content, objects by their
class and their state. What is imported goes by name. Of that the modules of the project count
by the files that a trial would import, with all that they import of the project; installed
packages and Python itself count by name alone.
"""

from __future__ import annotations

import contextlib
import copyreg
import functools
import pickle
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from types import (
    BuiltinFunctionType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any

from hpo_lab.experiment.function_parts import ORDER
from hpo_lab.notebook.source_meaning import READ, READ_ANNOTATIONS, READ_DOCSTRINGS
from hpo_lab.prepare.code_source import (
    code_meaning,
    code_node,
    imported_names,
    read_names,
    used_names,
)
from hpo_lab.prepare.project_modules import imports_of, module_parts, names_in, project_file
from hpo_lab.prepare.value_text import array_text, digest, shortened
from hpo_lab.problems import InvalidInput, Problem

__all__ = ["function_parts"]

_PLAIN = (bool, bytes, complex, float, int, range, str, type(None), type(...))
_FLAT = {bool, float, int, str, type(None)}
_STATE = ("__getstate__", "__reduce__", "__reduce_ex__")
_OF_A_CLASS = {
    *("__dict__", "__weakref__", "__doc__", "__module__", "__qualname__", "__firstlineno__"),
    *("__annotations__", "__annotate__", "__annotate_func__", "__annotations_cache__"),
    *("__static_attributes__", "__abstractmethods__", "_abc_impl", "__parameters__"),
    *("__orig_bases__", "__match_args__", "__slotnames__"),
}


def function_parts(function: Callable[..., Any]) -> dict[str, str]:
    """The parts of *function* by name, equal in every process where nothing has changed.

    Raises:
        InvalidInput: It uses what cannot be sent to a trial, such as a lock or a generator.
    """
    uses = _Uses()
    uses.root(function)
    read = uses.names & (READ | uses.definitions)
    if read:
        # Anything that is used may read the docstrings and annotations of all else.
        uses = _Uses(read)
        uses.root(function)
    if uses.problems:
        raise InvalidInput(uses.problems, "tune()")
    return uses.parts


class _Uses:
    def __init__(self, read: Set[str] = frozenset(), *, is_nested: bool = False) -> None:
        import cloudpickle

        self.names: set[str] = set()
        self.definitions: set[str] = set()
        self._read = read
        self._is_nested = is_nested
        self.parts: dict[str, str] = {}
        self.problems: list[Problem] = []
        self._by_value = cloudpickle.list_registry_pickle_by_value()
        self._reducers: Mapping[type, Callable[[Any], Any]] = cloudpickle.Pickler.dispatch_table
        self._titles: dict[int, str] = {}
        self._labels: dict[int, str] = {}
        self._counts: dict[str, int] = {}
        self._texts: dict[int, str] = {}
        self._open: list[int] = []
        # Objects that are made on the way stay, because an `id` is used again.
        self._alive: list[object] = []
        self._modules: set[str] = set()

    def root(self, called: Any) -> None:
        """Add the parts of what the trials call."""
        if isinstance(called, functools.partial):
            self.root(called.func)
            bound = {**{f"{n}": v for n, v in enumerate(called.args, 1)}, **called.keywords}
            for name, value in bound.items():
                self._part(f"bound {name}", value)
        elif isinstance(called, MethodType):
            self._object(called.__self__)
            self._part("function", called.__func__)
        elif isinstance(called, FunctionType):
            self._titles[id(called)] = f"function {self._label(called)}"
            self._part("function", called)
        else:
            self._object(called)

    def _object(self, value: Any) -> None:
        """Add the parts of the object whose method, or which itself, is called."""
        kind = type(value)
        is_plain = all(getattr(kind, name) is getattr(object, name) for name in _STATE)
        if isinstance(value, type | ModuleType) or not is_plain:
            self._part("object", value)
            return
        self._part("class", kind)
        state = object.__getstate__(value)
        for each in state if isinstance(state, tuple) else (state,):
            for name, attribute in (each or {}).items():
                self._part(f"{_name(kind)}.{name}", attribute, of="the object")

    def _part(self, name: str, value: object, of: str = "") -> None:
        """Add a named value; another of the same name is told apart by what it belongs *of*."""
        try:
            text = self._text(value)
        except (TypeError, ValueError, pickle.PicklingError, RuntimeError) as error:
            kind = type(value).__name__
            message = f"is a {kind}, which cannot be given to a trial ({error}); make it in the"
            self.problems.append(Problem(name, f"{message} function"))
            return
        self._add(name, text, of)

    def _label(self, value: FunctionType | type) -> str:
        """The name of a function or class, with a number where others of that name came before.

        A text holds only this name of it, so its own parts must stand under a name of their own.
        """
        if id(value) not in self._labels:
            self._alive.append(value)
            name = _name(value)
            count = self._counts[name] = self._counts.get(name, 0) + 1
            self._labels[id(value)] = name if count == 1 else f"{name} #{count}"
        return self._labels[id(value)]

    def _add(self, name: str, text: str, of: str) -> None:
        while self.parts.setdefault(name, text) != text:
            name = f"{name} of {of}" if of else f"{name}'"

    def _text(self, value: Any) -> str:
        """The text of a value; functions, classes and modules in it become parts of their own."""
        if type(value) in _PLAIN:
            return shortened(repr(value))
        if id(value) in self._open:
            if isinstance(value, FunctionType | type):
                return self._label(value)
            return f"<{len(self._open) - self._open.index(id(value))} above>"
        if id(value) not in self._texts:
            self._alive.append(value)
            self._open.append(id(value))
            try:
                self._texts[id(value)] = shortened(self._new_text(value))
            finally:
                self._open.pop()
        return self._texts[id(value)]

    def _new_text(self, value: Any) -> str:
        match value:
            case FunctionType():
                return self._function(value)
            case type():
                return self._class(value)
            case ModuleType():
                self._module(value.__name__)
                return value.__name__
            case MethodType():
                return f"{self._text(value.__self__)}.{self._text(value.__func__)}"
            case BuiltinFunctionType() if isinstance(value.__self__, ModuleType | None):
                return f"{value.__module__}.{value.__qualname__}"
            case staticmethod() | classmethod():
                return f"{self._descriptor(value)} {self._text(value.__func__)}"
            case property():
                functions = self._sequence([value.fget, value.fset, value.fdel], "()")
                return f"{self._descriptor(value)} {functions}"
        if type(value) in (list, tuple):
            if {*map(type, value)} <= _FLAT:
                return repr(value)
            return self._sequence(value, "[]" if type(value) is list else "()")
        if type(value) in (frozenset, set):
            members = ", ".join(sorted(map(self._text, self._ordered(value))))
            return f"{{{members}}}" if type(value) is set else f"frozenset({members})"
        if type(value) is dict:
            return self._mapping(value.items())
        array = array_text(value)
        if array is not None:
            return array if isinstance(array, str) else self._sequence(array, "()")
        return self._reduced(value)

    def _descriptor(self, value: Any) -> str:
        """The class of a property or the like, and what it has beside its functions."""
        kind = type(value)
        if kind in (staticmethod, classmethod, property):
            return kind.__name__
        state = {
            name: each
            for name, each in getattr(value, "__dict__", {}).items()
            if not _is_dunder(name)
        }
        return f"{self._text(kind)} {self._text(state)}"

    def _ordered(self, members: Iterable[object]) -> Iterable[object]:
        """The members of a set in an order that is the same in every process."""
        if self._is_nested or all(type(each) in _PLAIN for each in members):
            return members

        def content(member: object) -> str:
            uses = _Uses(self._read, is_nested=True)
            uses._part("member", member)
            return repr(sorted(uses.parts.items()))

        return sorted(members, key=content)

    def _sequence(self, values: Iterable[object], brackets: str) -> str:
        return brackets[0] + ", ".join(map(self._text, values)) + brackets[1]

    def _mapping(self, items: Iterable[tuple[object, object]]) -> str:
        pairs = [f"{self._text(key)}: {self._text(value)}" for key, value in items]
        return "{" + ", ".join(pairs) + "}"

    def _reduced(self, value: Any) -> str:
        """The text of an object: its class, and what a pickle would make it again from."""
        reduce = self._reducers.get(type(value))
        reduced = reduce(value) if reduce else value.__reduce_ex__(4)
        if isinstance(reduced, str):
            self._module(type(value).__module__)
            wrapped = getattr(value, "__wrapped__", None)
            return f"{reduced} {self._text(wrapped)}" if wrapped is not None else reduced
        self._alive.append(reduced)
        make, arguments, *rest = reduced
        state, items, pairs = (*rest, None, None, None)[:3]
        if make is copyreg.__newobj__ and len(arguments) == 1:  # type: ignore[attr-defined]
            texts = [self._text(arguments[0])]
        else:
            texts = [self._text(make), self._text(arguments)]
        if state is not None:
            texts.append(self._text(state))
        if items is not None:
            texts.append(self._sequence(items, "[]"))
        if pairs is not None:
            # Unlike a dict, an OrderedDict has its order to tell.
            texts.append(self._sequence([(key, each) for key, each in pairs], "[]"))
        return " ".join(texts)

    def _module(self, name: str) -> None:
        """Add the module *name*, its packages and what they import, as far as of the project."""
        pending = [name]
        while pending:
            name = pending.pop()
            if name in self._modules or not name:
                continue
            self._modules.add(name)
            file = project_file(name)
            if file is not None:
                names, definitions = names_in(file)
                self.names |= names
                self.definitions |= definitions
                for part, text in module_parts(name, file, self._read).items():
                    self._add(part, text, "")
                pending += [name.rpartition(".")[0], *imports_of(name, file)]

    def _is_imported(self, name: str) -> bool:
        """Whether a trial imports the module *name*, and is not given what is in it."""
        packages = {name[:end] for end, letter in enumerate(f"{name}.") if letter == "."}
        return name in sys.modules and name != "__main__" and not self._by_value & packages

    def _goes_by_name(self, value: Any) -> bool:
        """Whether a pickle holds only the name of a function or class, which is imported."""
        name = getattr(value, "__module__", None) or ""
        if not self._is_imported(name):
            return False
        if isinstance(value, type) and project_file(name) is None:
            return True
        attribute: Any = sys.modules[name]
        for each in value.__qualname__.split("."):
            attribute = getattr(attribute, each, None)
        return attribute is value

    def _function(self, function: FunctionType) -> str:
        if self._goes_by_name(function):
            self._module(function.__module__)
            return f"{function.__module__}.{function.__qualname__}"
        name, code, module = (
            self._label(function),
            function.__code__,
            function.__globals__.get("__name__") or "",
        )
        node = code_node(code)
        self.names |= read_names(code, node)
        self.definitions.add(code.co_name)
        title = self._titles.get(id(function), f"helper {name}")
        text = code_meaning(code, node, self._read)
        self._add(title, digest(text.encode("utf-8", "surrogatepass")), "")
        space = function.__globals__
        for each in imported_names(code, space.get("__package__") or ""):
            self._module(each)
        if project_file(module) is not None or not self._is_imported(module):
            # A closure that an installed package made counts without the globals of that.
            for each in used_names(code):
                if each in space and not _is_dunder(each):
                    self._named(f"global {each}", each, space[each], name)
        for each, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            with contextlib.suppress(ValueError):
                # Nothing may have been assigned to it yet.
                value = cell.cell_contents
                self._named(f"closed-over {each}", each, value, name)
        for each, value in _defaults(function):
            self._part(f"default of {each}", value, of=name)
        self._read_by_others(function, name)
        for each, value in function.__dict__.items():
            self._part(f"{name}.{each}", value)
        return name

    def _read_by_others(self, value: FunctionType | type, name: str) -> None:
        """Add the docstring and the annotations of a function or class, where they are read."""
        if self._read & READ_DOCSTRINGS:
            self._part(f"{name}.__doc__", value.__doc__)
        if self._read & READ_ANNOTATIONS:
            self._part(f"{name}.__annotations__", value.__annotations__)

    def _named(self, title: str, name: str, value: Any, of: str) -> None:
        """Add what has a name, unless it is so called itself, and a part of its own already."""
        if isinstance(value, FunctionType | type | ModuleType):
            text = self._text(value)
            if text in (name, f"{name}()", f"{of}.{name}()"):
                return
        self._part(title, value, of)

    def _class(self, kind: type) -> str:
        if self._goes_by_name(kind):
            self._module(kind.__module__)
            return f"{kind.__module__}.{kind.__qualname__}"
        name = self._label(kind)
        handed = {kind.__name__, f"{kind.__name__}()"}
        self.definitions |= handed
        self._read_by_others(kind, name)
        bases = self._sequence([type(kind), *kind.__bases__], "()")
        self._add(f"class {name}", shortened(bases), "")
        members = {
            member: value
            for member, value in vars(kind).items()
            if member not in _OF_A_CLASS
            and not isinstance(value, MemberDescriptorType | GetSetDescriptorType)
        }
        if len(members) > 1:
            self._add(f"{ORDER}class {name}", digest(repr([*members]).encode()), "")
        around = self._read
        if handed & around or (type(kind), *kind.__bases__) != (type, object):
            # What it derives from, or is given to, may read it and its methods.
            self._add(f"docstring of {name}", _docstring(kind), "")
            self._read = {*around, *members}
        for member, value in sorted(members.items()):
            inner = getattr(value, "__func__", value)
            if isinstance(inner, FunctionType):
                self._titles.setdefault(id(inner), self._label(inner))
            self._named(f"{name}.{member}", member, value, name)
        self._read = around
        return name


def _name(value: FunctionType | type) -> str:
    """What a person calls a function or a class: `evaluate()`, `Model.fit()`, `Model`."""
    name = value.__qualname__.replace("<locals>.", "").replace("<lambda>", "lambda")
    is_named = isinstance(value, FunctionType) and not name.endswith("lambda")
    return f"{name}()" if is_named else name


def _docstring(kind: type) -> str:
    """The docstring of a class, but not that which `dataclass` makes of its defaults."""
    text = kind.__doc__ or ""
    return "" if text.startswith(f"{kind.__name__}(") else shortened(repr(text))


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _defaults(function: FunctionType) -> Iterator[tuple[str, object]]:
    code, defaults = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount]
    yield from zip(names[len(names) - len(defaults) :], defaults, strict=True)
    yield from (function.__kwdefaults__ or {}).items()
