"""From a Python function and a search space to an experiment."""

from __future__ import annotations

import ast
import functools
import inspect
import io
import json
import linecache
import marshal
import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from types import CodeType
from typing import Any

from hpo_lab.experiment.model import Parameter
from hpo_lab.experiment.space import Domain
from hpo_lab.notebook.annotations import parse_parameter
from hpo_lab.options import TuneOptions
from hpo_lab.prepare.checking import every_problem
from hpo_lab.prepare.function_uses import function_parts
from hpo_lab.prepare.prepared import Prepared, default_names, trial_template
from hpo_lab.prepare.project import function_place, names_of_function, project_here
from hpo_lab.prepare.wording import Dialect, Wording, worded
from hpo_lab.problems import InvalidInput, Problem, nearest
from hpo_lab.trial.function import FUNCTION, SOURCES, WithChoices, cached

__all__ = ["prepare_function"]

_MAPPINGS = {
    *("params", "parameters", "hparams", "hyperparameters", "config", "configuration", "cfg"),
    *("args", "kwargs", "settings", "options", "point", "assignment", "space"),
}
"""Usual names of an argument that takes all parameters."""
_CACHED = type(functools.cache(len))


def prepare_function(
    function: Callable[..., Any], space: Mapping[str, Domain | str], options: TuneOptions
) -> Prepared:
    """Make an experiment whose trials call *function*.

    Raises:
        InvalidInput: when the space and the function's arguments do not fit.
    """
    if not callable(function):
        message = f"found {function!r}; a function or the path of a file is needed"
        raise InvalidInput([Problem("objective", message)], "tune()")
    if not isinstance(space, Mapping) or not space:
        message = f"found {space!r}; domains by parameter name are needed"
        problem = Problem("space", f'{message}: {{"lr": hpo_lab.loguniform(1e-4, 1e-1)}}')
        raise InvalidInput([problem], "tune()")
    problems = [
        Problem(option.argument, "is for notebooks; a function has none")
        for option in options.said
        if option.for_notebooks
    ]
    parameters = []
    for name, domain in space.items():
        try:
            parameters.append(_parameter(name, domain))
        except ValueError as error:
            problems.append(Problem(f"space[{name!r}]", str(error)))
    call, mismatches = _call(function, list(space))
    problems += mismatches
    if problems:
        raise InvalidInput(problems, "tune()")
    objects = {
        name: domain.objects
        for name, domain in space.items()
        if isinstance(domain, Domain) and domain.objects
    }
    called = WithChoices(function, objects) if objects else function
    parts = function_parts(called)
    try:
        pickled, files = _pickled(called)
    except Exception as error:
        message = f"cannot be sent to another process: {error}; make that inside the function"
        raise InvalidInput([Problem("objective", message)], "tune()") from error
    template = trial_template(
        "FunctionTrial",
        {
            "call": call,
            "uses": parts,
            "workingDirectory": str(Path.cwd()),
            # An interactive interpreter has the working directory there as an empty text.
            "path": [str(Path(path).absolute()) for path in sys.path],
        },
    )
    file, own = function_place(function)
    names = default_names(*names_of_function(file, own))
    experiment = options.experiment(names[0], parameters, template)
    places = [f"space[{name!r}]" for name in space]
    broken = every_problem(experiment)
    if broken:
        problems = [worded(problem, Dialect.ARGUMENT, places, "") for problem in broken]
        raise InvalidInput(problems, "tune()")
    sources = {file: linecache.getlines(file) for file in sorted(files)}
    return Prepared(
        experiment,
        {
            FUNCTION: ("application/octet-stream", pickled),
            SOURCES: ("application/json", json.dumps(sources).encode()),
        },
        project=project_here(),
        names=names if options.name is None else (),
        file=file,
        cell=own,
        wording=Wording(
            Dialect.ARGUMENT,
            fresh="fresh=True",
            places=dict(zip(space, places, strict=True)),
            spaces={name: domain for name, domain in space.items() if isinstance(domain, str)},
        ),
    )


def _pickled(function: Callable[..., Any]) -> tuple[bytes, set[str]]:
    """The pickle of *function*, and the names of the files whose code is in it."""
    import cloudpickle

    files: set[str] = set()

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        """Keeps the names of files, which cloudpickle leaves out from version 3.1.3 on.

        Functions with a cache go by value like all others, where cloudpickle takes them by name.
        """

        def reducer_override(self, obj: Any) -> Any:
            if isinstance(obj, CodeType):
                files.add(obj.co_filename)
                return marshal.loads, (marshal.dumps(obj),)
            if isinstance(obj, _CACHED) and obj.__module__ == "__main__":
                return cached, (obj.__wrapped__, *obj.cache_parameters().values())
            return super().reducer_override(obj)

    file = io.BytesIO()
    Pickler(file).dump(function)
    return file.getvalue(), files


def _parameter(name: str, domain: Domain | str) -> Parameter:
    if not isinstance(name, str):
        raise ValueError("the name of a parameter must be text")
    if isinstance(domain, str):
        return parse_parameter(name, domain)
    if not isinstance(domain, Domain):
        raise ValueError(f"found {domain!r}; a domain such as hpo_lab.uniform(0, 1) is needed")
    return domain.named(name)


def _call(function: Callable[..., Any], names: list[str]) -> tuple[str, list[Problem]]:
    """How to call *function* with the parameters *names*, and what does not fit."""
    try:
        arguments = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return "keywords", []
    named = [a.name for a in arguments if a.kind in (a.POSITIONAL_OR_KEYWORD, a.KEYWORD_ONLY)]
    required = [a.name for a in arguments if a.default is a.empty and a.name in named]
    if suggesting := [name for name in _names_read(function) if name.startswith("suggest_")]:
        message = (
            f"calls {suggesting[0]}(), as an objective of Optuna does; here it is called with the "
            "values themselves: docs/coming-from-optuna.md has both side by side"
        )
        return "keywords", [Problem("objective", message)]
    alone = [argument for argument in arguments if [argument.name] in (named, required)]
    if not {*named} & {*names} and any(
        _takes_mapping(function, argument, names, is_single=len(named) == 1) for argument in alone
    ):
        return "mapping", []
    problems = [
        Problem(name, "is an argument of the function without a default or a domain in the space")
        for name in required
        if name not in names
    ]
    if not any(a.kind is a.VAR_KEYWORD for a in arguments):
        problems += [
            Problem(f"space[{name!r}]", f"is no argument of the function{nearest(name, named)}")
            for name in names
            if name not in named
        ]
    return "keywords", problems


def _names_read(function: Callable[..., Any]) -> tuple[str, ...]:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code.co_names if code else ()


def _takes_mapping(
    function: Callable[..., Any], argument: inspect.Parameter, names: list[str], *, is_single: bool
) -> bool:
    """Whether *argument* is meant to be a mapping of the parameters *names*.

    A single argument is, unless its kind, its use or a parameter of nearly its name says that it
    is a value; beside others with defaults it is where something says so.
    """
    if _is_one_value(argument):
        return False
    if "dict" in str(argument.annotation).casefold() or "Mapping" in str(argument.annotation):
        return True
    used = _used_as_mapping(function, argument.name)
    if used is None:
        used = argument.name.casefold() in _MAPPINGS or None
    is_near = any(_is_near(argument.name, str(name)) for name in names)
    return is_single and not is_near if used is None else used


def _is_one_value(argument: inspect.Parameter) -> bool:
    """Whether *argument* is said to be a number, text or a truth value, and so no mapping."""
    kinds = (bool, float, int, str)
    named = [*kinds, *(kind.__name__ for kind in kinds)]
    return argument.annotation in named or isinstance(argument.default, kinds)


def _used_as_mapping(function: Callable[..., Any], name: str) -> bool | None:
    """Whether *function* uses its argument *name* as a mapping; None where that is not seen.

    `p["x"]`, `p.get("x")`, `"x" in p` and `f(**p)` do; `p * 2` and `p < 1` use it as a number.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None

    def is_it(node: ast.AST | None) -> bool:
        return isinstance(node, ast.Name) and node.id == name

    is_number = False
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=value) | ast.Attribute(value=value) if is_it(value):
                return True
            case ast.keyword(arg=None, value=value) if is_it(value):
                return True
            case ast.Compare(comparators=others) if any(map(is_it, [node.left, *others])):
                if any(isinstance(each, ast.In | ast.NotIn) for each in node.ops):
                    return True
                is_number = True
            case ast.BinOp(left=left, right=right) if is_it(left) or is_it(right):
                is_number |= not isinstance(node.op, ast.BitOr | ast.Mod)
            case ast.UnaryOp(op=ast.USub(), operand=operand) if is_it(operand):
                is_number = True
    return False if is_number else None


def _is_near(argument: str, name: str) -> bool:
    """Whether *argument* is a misspelling or an abbreviation of *name*: `lr`, `learning_rate`."""
    short, long = sorted((argument.casefold(), name.casefold()), key=len)
    letters = iter(long)
    is_short = len(short) > 1 and short[0] == long[0] and all(each in letters for each in short)
    return is_short or bool(nearest(argument, [name]))
