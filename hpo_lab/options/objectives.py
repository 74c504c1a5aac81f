"""What to optimise, as words of a line, as flags and as arguments of Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from hpo_lab.experiment.model import AdditionalObjective, ObjectiveType
from hpo_lab.options.tune_options import TuneOptions
from hpo_lab.problems import Problem, nearest

__all__ = [
    "OBJECTIVE_FLAGS",
    "objectives_of",
    "read_objective_arguments",
    "read_objective_flags",
    "read_objective_words",
    "write_objective_words",
]

OBJECTIVE_FLAGS: Final = {f"--{direction.value}": direction for direction in ObjectiveType}
"""Directions by the flag that stands before a metric."""
_DIRECTIONS = [direction.value for direction in ObjectiveType]
_USAGE = "write it as: maximize accuracy, or minimize loss"


def objectives_of(objectives: Sequence[tuple[ObjectiveType, str]]) -> TuneOptions:
    """The options that say what to optimise: directions and metrics, the first one first."""
    if not objectives:
        return TuneOptions()
    (direction, metric), *further = objectives
    additional = (
        AdditionalObjective(type=type, objective_metric_name=name) for type, name in further
    )
    return TuneOptions(direction=direction, metric=metric, additional_objectives=tuple(additional))


def read_objective_words(words: Sequence[str], where: str) -> tuple[TuneOptions, list[Problem]]:
    """The objectives of the words `minimize loss, maximize accuracy`, and every problem."""
    text = " ".join(words)
    parts = [part.split() for part in text.split(",")]
    if any(len(part) != 2 for part in parts):
        message = f"no objective (found: {text or 'none'}); {_USAGE}"
        return TuneOptions(), [Problem(where, message)]
    problems = []
    objectives = []
    for direction, metric in parts:
        if direction not in _DIRECTIONS:
            problems.append(Problem(where, _no_direction(direction)))
            continue
        if not metric.isidentifier():
            problems.append(Problem(where, f"{metric!r} is no variable's name; {_USAGE}"))
        objectives.append((ObjectiveType(direction), metric))
    return objectives_of(objectives), problems


def write_objective_words(options: TuneOptions) -> list[str]:
    """The words that `read_objective_words` reads as the objectives of *options*.

    Raises:
        ValueError: A metric is no variable's name.
    """
    if options.metric is None or options.direction is None:
        return []
    further = [
        (objective.type, objective.objective_metric_name)
        for objective in options.additional_objectives
    ]
    objectives = [(options.direction, options.metric), *further]
    for _, metric in objectives:
        if not metric.isidentifier():
            raise ValueError(f"{metric!r} is no variable's name, and cannot stand on a line")
    return ", ".join(f"{direction.value} {metric}" for direction, metric in objectives).split()


def read_objective_flags(
    texts: Mapping[str, Sequence[str]],
) -> tuple[TuneOptions, list[Problem]]:
    """The objectives of the metrics behind `--maximize` and `--minimize`, and every problem."""
    objectives = [
        (OBJECTIVE_FLAGS[flag], metric)
        for flag, metrics in texts.items()
        if flag in OBJECTIVE_FLAGS
        for metric in metrics
    ]
    problems = [
        Problem(f"--{direction.value}", f"{metric!r} is no variable's name")
        for direction, metric in objectives
        if not metric.isidentifier()
    ]
    return objectives_of(objectives), problems


def read_objective_arguments(
    arguments: Mapping[str, object],
) -> tuple[TuneOptions, list[Problem]]:
    """The objectives of `maximize`, `minimize` and `additional_objectives`, and every problem.

    Those of `maximize` come first.
    """
    problems = []
    objectives = []
    for direction in (ObjectiveType.MAXIMIZE, ObjectiveType.MINIMIZE):
        said = arguments.get(direction.value)
        metrics = [said] if isinstance(said, str) else said
        if metrics is None:
            continue
        if isinstance(metrics, list | tuple) and all(isinstance(each, str) for each in metrics):
            objectives += [(direction, metric) for metric in metrics]
        else:
            message = f"found {said!r}; a metric's name is needed, or several in a list"
            problems.append(Problem(direction.value, message))
    further = []
    additional = arguments.get("additional_objectives") or {}
    if not isinstance(additional, Mapping):
        message = f"found {additional!r}; minimize or maximize by metric is needed"
        problems.append(Problem("additional_objectives", message))
        additional = {}
    for metric, said in additional.items():
        if said in _DIRECTIONS:
            further.append((ObjectiveType(said), str(metric)))
        else:
            where = f"additional_objectives[{metric!r}]"
            problems.append(Problem(where, _no_direction(said)))
    return objectives_of([*objectives, *further]), problems


def _no_direction(word: object) -> str:
    hint = nearest(str(word), _DIRECTIONS)
    return f"{word!r} is no direction; allowed are maximize and minimize{hint}"
