"""The trial kind `FunctionTrial`: calls a Python function with the assignment.

The function is pickled by value (cloudpickle), with its closure and the globals it uses, so
that one written in a notebook runs as it is. Beside it lies the text of the files it was
written in, so that a traceback shows the lines that run, also where a file has changed since
or is a cell of a notebook.
"""

from __future__ import annotations

import functools
import json
import linecache
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hpo_lab.trial.folder import Task
from hpo_lab.trial.report import report, report_variables

__all__ = [
    "FUNCTION",
    "SOURCES",
    "cached",
    "load_function",
    "report_result",
    "result_of",
    "run_function",
    "unpickled",
]

FUNCTION = "function.pkl"
SOURCES = "sources.json"
"""The lines of each file whose code is in the pickle, by its name."""


def run_function(task: Task, folder: Path) -> None:
    """Call the function and report what it returns: the objective, or metrics by name."""
    report_result(load_function(task.spec, Path(task.source)), task)


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


def result_of(function: Callable[..., Any], call: str, assignments: Mapping[str, Any]) -> Any:
    """What *function* returns for *assignments*, values by parameter name.

    Args:
        function: The function.
        call: `keywords`, or `mapping` where it takes all values in one argument.
        assignments: The values.
    """
    return function(**assignments) if call == "keywords" else function(dict(assignments))


def report_result(function: Callable[..., Any], task: Task) -> None:
    """Call *function* with the values of *task* and report what it returns."""
    result = result_of(function, task.spec["call"], task.assignments)
    if isinstance(result, Mapping):
        report(**_wanted(result, task.metrics))
    elif result is not None:
        report_variables({task.metrics[0]: result}, task.metrics[:1])


def cached(function: Callable[..., Any], maxsize: int | None, typed: bool) -> Callable[..., Any]:
    """*function* with an empty cache, as `functools.lru_cache` makes it; for pickles."""
    return functools.lru_cache(maxsize, typed)(function)


def _wanted(result: Mapping[str, Any], metrics: tuple[str, ...]) -> dict[str, Any]:
    if not result:
        raise ValueError(f"the function returned no metrics; {metrics[0]!r} is needed")
    return {str(name): value for name, value in result.items()}
