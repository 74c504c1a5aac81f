"""What rules find wrong, told where a person wrote it instead of by the document's fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from hpo_lab.options import OPTIONS, Option
from hpo_lab.problems import Problem

__all__ = ["Wording", "as_argument", "as_field", "as_flag", "worded"]

# A problem of an algorithm as a whole is that of its name.
_PATHS = {option.path.removesuffix(".algorithmName"): option for option in OPTIONS}
_FIELD = re.compile(
    "|".join(rf"{re.escape(path)}\b" for path in sorted(_PATHS, key=len, reverse=True))
)
_PARAMETER = re.compile(r"spec\.parameters\[(\d+)\]\.?(.*)")


@dataclass(frozen=True, slots=True)
class Wording:
    """How the author of an experiment writes what it is made of.

    Attributes:
        option: How an option is written.
        fresh: How it is said that the experiment takes the place of the recorded one.
        whole: Where the objectives and the parameters as a whole are.
        places: Where each parameter is, by name.
        spaces: The space of each parameter as it is written, by name, where that is known.
    """

    option: Callable[[Option], str]
    fresh: str = "--fresh"
    whole: str = ""
    places: Mapping[str, str] = field(default_factory=dict)
    spaces: Mapping[str, str] = field(default_factory=dict)


def worded(
    problem: Problem, written: Callable[[Option], str], parameters: Sequence[str], rest: str
) -> Problem:
    """*problem* of a document that was made from options and parameters.

    Args:
        problem: What a rule found.
        written: How an option is written.
        parameters: Where each parameter is.
        rest: Where the objectives and the parameters as a whole are.
    """
    message = _FIELD.sub(lambda match: written(_PATHS[match[0]]), problem.message)
    if parameter := _PARAMETER.fullmatch(problem.where):
        field = parameter[2].removeprefix("feasibleSpace").lstrip(".")
        place = parameters[int(parameter[1])]
        return Problem(place, f"{field} {message}" if field else message)
    if option := _FIELD.match(problem.where):
        return Problem(written(_PATHS[option[0]]), message)
    if problem.where == "spec.parameters":
        return Problem(rest, f"parameters: {message}")
    if problem.where.startswith("spec.objective."):
        return Problem(rest, message)
    return Problem(problem.where, message)


def as_flag(option: Option) -> str:
    """*option* as it is written in a command: `--max-failed`."""
    return option.flag


def as_field(option: Option) -> str:
    """*option* as it is written in a manifest: `spec.maxFailedTrialCount`."""
    return option.path


def as_argument(option: Option) -> str:
    """*option* as an argument of `hpo_lab.tune`: `max_failed`."""
    return option.argument
