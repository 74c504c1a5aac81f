"""The trial kind `FunctionTrial`: calls a Python function with the assignment.

The function is pickled by value (cloudpickle), with its closure and the globals it uses, so
that one written in a notebook runs as it is. Beside it lies the text of the files it was
written in, so that a traceback shows the lines that run, also where a file has changed since
or is a cell of a notebook.
"""

from __future__ import annotations

import functools
import inspect
import json
import linecache
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FunctionType
from typing import Any

from hpo_lab.problems import nearest
from hpo_lab.trial.attributes import set_attribute
from hpo_lab.trial.folder import Task
from hpo_lab.trial.report import number_of, report, report_variables, reported_metrics

__all__ = [
    "FUNCTION",
    "SOURCES",
    "WithChoices",
    "cached",
    "load_function",
    "report_result",
    "result_of",
    "run_function",
    "unpickled",
    "variables_of",
]

FUNCTION = "function.pkl"
SOURCES = "sources.json"
"""The lines of each file whose code is in the pickle, by its name."""


def run_function(task: Task, folder: Path) -> None:
    """Call the function and report what it returns; its random numbers are those of a fork."""
    from hpo_lab.execution.randomness import Randomness

    randomness = Randomness()
    function = load_function(task.spec, Path(task.source))
    randomness.end_of_set_up()
    randomness.renew(task.seed, variables_of(function))
    report_result(function, task)


def load_function(spec: Mapping[str, Any], source: Path) -> Callable[..., Any]:
    """Load the function of an experiment, in its working directory and with its import path.

    Args:
        spec: The `spec` of the trial object.
        source: Folder with the experiment's source files.
    """
    sys.path[:0] = [path for path in spec.get("path", []) if path not in sys.path]
    os.chdir(spec["workingDirectory"])
    # An experiment of an earlier version has no such file.
    kept = source / SOURCES
    sources = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    return unpickled((source / FUNCTION).read_bytes(), sources)


def unpickled(pickled: bytes, sources: Mapping[str, list[str]]) -> Callable[..., Any]:
    """A function as it was recorded.

    Args:
        pickled: The function.
        sources: The lines of each file whose code is in it, for tracebacks.
    """
    import cloudpickle

    for file, lines in sources.items():
        # Without a time of change, `linecache` does not compare the lines with the file.
        linecache.cache[file] = (sum(map(len, lines)), None, lines, file)
    function: Callable[..., Any] = cloudpickle.loads(pickled)
    return function


def variables_of(function: Callable[..., Any]) -> dict[str, Any]:
    """The global and closed-over values of *function* by name."""
    if not isinstance(function, FunctionType):
        return {}
    return {**function.__globals__, **inspect.getclosurevars(function).nonlocals}


def result_of(function: Callable[..., Any], call: str, assignments: Mapping[str, Any]) -> Any:
    """What *function* returns for *assignments*, values by parameter name.

    Args:
        function: The function.
        call: `keywords`, or `mapping` where it takes all values in one argument.
        assignments: The values.
    """
    return function(**assignments) if call == "keywords" else function(dict(assignments))


def report_result(function: Callable[..., Any], task: Task) -> None:
    """Call *function* with the values of *task* and report what it returns.

    That is the objective; several values in the order of the objectives; or metrics by name,
    where a text that is no metric becomes an attribute of the trial.
    """
    result = result_of(function, task.spec["call"], task.assignments)
    if isinstance(result, tuple | list):
        result = _in_order(result, task.metrics)
    if isinstance(result, Mapping):
        wanted = _wanted(result, task.metrics)
        texts = {
            name: value
            for name, value in wanted.items()
            if isinstance(value, str) and name not in task.metrics
        }
        numbers: dict[str, Any] = {}
        for name, value in wanted.items():
            if name not in texts:
                try:
                    numbers[name] = number_of(name, value)
                except TypeError as error:
                    if name in task.metrics:
                        raise
                    print(f"left out of the metrics: {error}")
        if numbers:
            report(**numbers)
        for name, text in texts.items():
            set_attribute(name, text)
    elif result is not None:
        report_variables({task.metrics[0]: result}, task.metrics[:1])


def cached(function: Callable[..., Any], maxsize: int | None, typed: bool) -> Callable[..., Any]:
    """*function* with an empty cache, as `functools.lru_cache` makes it; for pickles."""
    return functools.lru_cache(maxsize, typed)(function)


class WithChoices:
    """A function that is called with the objects that the names of choices stand for.

    Attributes:
        function: The function.
        objects: By parameter name, and then by the name of the choice.
    """

    def __init__(
        self, function: Callable[..., Any], objects: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self.function = function
        self.objects = objects

    def __call__(self, *mapping: Mapping[str, Any], **values: Any) -> Any:
        """Call the function, with one mapping or with keywords."""
        return self.function(*map(self._with_objects, mapping), **self._with_objects(values))

    def _with_objects(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: self.objects[name][value]
            if isinstance(value, str) and value in self.objects.get(name, ())
            else value
            for name, value in values.items()
        }


def _in_order(values: Sequence[Any], metrics: tuple[str, ...]) -> dict[str, Any]:
    """The *values* that a function returned, by the metrics in their order."""
    if len(values) > len(metrics):
        raise ValueError(
            f"the function returned {len(values)} values for {', '.join(map(repr, metrics))}"
        )
    return dict(zip(metrics, values, strict=False))


def _wanted(result: Mapping[str, Any], metrics: tuple[str, ...]) -> dict[str, Any]:
    """The metrics that a function returned, by name.

    Raises:
        ValueError: The objective is not among them, nor was it reported before.
    """
    objective = metrics[0]
    if objective not in result and objective not in reported_metrics():
        names = [str(name) for name in result]
        listed = ", ".join(map(repr, names)) or "no metrics"
        raise ValueError(
            f"the function returned {listed}; the objective {objective!r} is needed"
            f"{nearest(objective, names)}"
        )
    return {str(name): value for name, value in result.items()}
