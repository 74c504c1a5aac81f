"""What rules find wrong, told where a person wrote it instead of by the document's fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from hpo_lab.problems import Problem

__all__ = ["as_argument", "as_flag", "worded"]

_OPTIONS = {
    "spec.algorithm.algorithmSettings": "setting",
    "spec.algorithm": "algorithm",
    "spec.earlyStopping": "early-stopping",
    "spec.objective.goal": "goal",
    "spec.objective.constraints": "constraint",
    "spec.objective.metricStrategies": "strategy",
    "spec.objective.additionalMetricNames": "additional-metric",
    "spec.maxTrialCount": "trials",
    "spec.parallelTrialCount": "parallel",
    "spec.maxFailedTrialCount": "max-failed",
    "spec.activeDeadlineSeconds": "timeout",
    "spec.trialActiveDeadlineSeconds": "trial-timeout",
    "spec.seed": "seed",
    "spec.warmStart": "warm-start",
    "metadata.name": "name",
}
"""Options by the fields they fill; the first that a path begins with counts."""
_FIELD = re.compile("|".join(rf"{re.escape(path)}\b" for path in _OPTIONS))
_PARAMETER = re.compile(r"spec\.parameters\[(\d+)\]\.?(.*)")
_PLURAL = {
    "setting": "settings",
    "constraint": "constraints",
    "additional-metric": "additional_metrics",
    "strategy": "strategies",
}


def worded(
    problem: Problem, option: Callable[[str], str], parameters: Sequence[str], rest: str
) -> Problem:
    """*problem* of a document that was made from options and parameters.

    Args:
        problem: What a rule found.
        option: How an option of that name (`max-failed`) is written.
        parameters: Where each parameter is.
        rest: Where the objectives and the parameters as a whole are.
    """
    message = _FIELD.sub(lambda found: option(_OPTIONS[found[0]]), problem.message)
    if found := _PARAMETER.fullmatch(problem.where):
        field = found[2].removeprefix("feasibleSpace").lstrip(".")
        return Problem(parameters[int(found[1])], f"{field} {message}" if field else message)
    if found := _FIELD.match(problem.where):
        return Problem(option(_OPTIONS[found[0]]), message)
    if problem.where == "spec.parameters":
        return Problem(rest, f"parameters: {message}")
    if problem.where.startswith("spec.objective."):
        return Problem(rest, message)
    return Problem(problem.where, message)


def as_flag(option: str) -> str:
    """The *option* as it is written in a command: `--max-failed`."""
    return f"--{option}"


def as_argument(option: str) -> str:
    """The *option* as an argument of `hpo_lab.tune`: `max_failed`."""
    return _PLURAL.get(option, option).replace("-", "_")
