"""Options from the arguments of `hpo_lab.tune` and `resume`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hpo_lab.options.objectives import read_objective_arguments
from hpo_lab.options.option import Option
from hpo_lab.options.tune_options import OPTIONS, TuneOptions
from hpo_lab.problems import Problem

__all__ = ["read_arguments"]


def read_arguments(
    arguments: Mapping[str, object], options: Sequence[Option] = OPTIONS
) -> tuple[TuneOptions, list[Problem]]:
    """The options from Python values by argument name, and every problem.

    Args:
        arguments: Values; None says nothing, and what is no option is passed over.
        options: The options to read.
    """
    named, problems = read_objective_arguments(arguments)
    values: dict[str, Any] = {}
    for option in options:
        value = arguments.get(option.argument)
        if value is None:
            continue
        try:
            values[option.field] = option.accept(value)
        except ValueError as error:
            problems.append(Problem(option.argument, str(error)))
    return replace(named, **values), problems
