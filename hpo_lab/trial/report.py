"""`report()`: how a trial sends its metrics while it runs.

A report is one line appended to the trial's metrics file; whoever runs the trial follows
that file. A line is written with a single `write`, so that it is either there or not.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, SupportsFloat, SupportsIndex

from hpo_lab.observation import check_name, is_step, report_document
from hpo_lab.trial.folder import METRICS, TRIAL_FOLDER, append_line, open_own

__all__ = ["number_of", "report", "report_variables", "reported_metrics", "source_of_report"]


def report(step: SupportsIndex | None = None, **metrics: SupportsFloat) -> None:
    """Send values of *metrics* while the trial runs.

    Outside a trial the values are printed and nothing else happens, so that the same code
    runs in a notebook and in a trial.

    Args:
        step: How far the training is: an epoch, a fold, a number of batches. Early stopping
            compares trials at equal steps.
        **metrics: Numbers by metric name: anything `float()` takes that is not text, such
            as NumPy and torch scalars. NaN and infinity are recorded as such.

    Raises:
        TypeError: when a value is no number, or `step` is no integer. Nothing is sent then.
        ValueError: when a store cannot hold it: `step` does not fit into 64 bits, a number does
            not fit into a float, or the name of a metric has more than 1000 bytes.
    """
    if not metrics:
        raise TypeError("report() needs at least one metric, such as report(accuracy=0.9)")
    index = None if step is None else _step(step)
    _send(index, {name: number_of(name, value) for name, value in metrics.items()})


def _send(index: int | None, values: Mapping[str, float]) -> None:
    folder = os.environ.get(TRIAL_FOLDER)
    if folder is None:
        shown = "  ".join(f"{name}={value:g}" for name, value in values.items())
        print(shown if index is None else f"step {index}: {shown}")
        return
    _append(f"{folder}/{METRICS}", index, values)


def report_variables(namespace: Mapping[str, Any], names: Iterable[str]) -> None:
    """Report those of *names* that were never reported, from the variables so called.

    Args:
        namespace: The variables at the end of the trial, usually `globals()`.
        names: The metrics wanted; a name that is not in *namespace* is left out.

    Raises:
        TypeError: when a variable is no number.
    """
    reported = reported_metrics()
    values = {
        name: number_of(name, namespace[name])
        for name in names
        if name in namespace and name not in reported
    }
    if values:
        _send(None, values)


def reported_metrics() -> set[str]:
    """The metrics that this trial has reported; none outside a trial."""
    path = f"{os.environ.get(TRIAL_FOLDER)}/{METRICS}"
    try:
        with open(open_own(path, os.O_RDONLY), "rb") as file:
            return {name for line in file for name in _metrics(line)}
    except OSError:
        return set()


def _metrics(line: bytes) -> Iterable[str]:
    """The metrics of a line; what is wrong with another line, the runner says."""
    try:
        match json.loads(line):
            case {"metrics": dict(metrics)}:
                return metrics
    except (ValueError, RecursionError):
        pass
    return ()


def source_of_report(names: Sequence[str]) -> str:
    """The cell that calls `report_variables` at the end of a trial notebook."""
    return (
        "from hpo_lab.trial import report_variables as _report\n"
        f"_report(globals(), {json.dumps(list(names))})"
    )


def _step(step: SupportsIndex) -> int:
    try:
        index = int(step.__index__())
    except AttributeError:
        raise TypeError(f"step must be an integer, not {step!r}") from None
    if not is_step(index):
        raise ValueError(f"step is {index}; it must fit into 64 bits")
    return index


def number_of(name: str, value: SupportsFloat) -> float:
    """The *value* of a metric; that of an array or a tensor of a single element is its item.

    Raises:
        TypeError: It is no number.
        ValueError: A store cannot hold it.
    """
    check_name(name)
    if isinstance(value, str | bytes):
        raise TypeError(f"metric {name!r} must be a number, not the text {value!r}")
    try:
        # NumPy warns, and later refuses, where an array of a single element is no scalar.
        item = getattr(value, "item", None) if getattr(value, "ndim", 0) else None
        return float(item() if item else value)
    except OverflowError:
        raise ValueError(f"metric {name!r} is an integer that does not fit into a float") from None
    except (TypeError, ValueError):
        kind = type(value).__name__
        raise TypeError(f"metric {name!r} must be a number, not an object of {kind}") from None


def _append(path: str, step: int | None, values: Mapping[str, float]) -> None:
    append_line(path, report_document(time.time(), step, values))
