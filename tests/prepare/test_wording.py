"""What rules find wrong with a cell is told where the person wrote it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpo_lab.options import parse_line
from hpo_lab.prepare import prepare_cell
from hpo_lab.problems import InvalidInput

CELL = """rate = 0.1  # tune: uniform(0, 1) when optimizer == "sgd"
optimizer = "sgd"  # tune: choice("sgd", "adam")
score = rate
"""


def problems(line: str) -> list[str]:
    options, _, found = parse_line(line, where="In [7], line 1")
    with pytest.raises(InvalidInput) as error:
        prepare_cell(
            CELL,
            [],
            options,
            where="In [7]",
            name="wording",
            working_directory=Path.cwd(),
            problems=found,
        )
    return [str(problem) for problem in error.value.problems]


def test_options_are_named_by_their_flags_and_parameters_by_their_lines() -> None:
    found = problems(
        "maximize score --trials 3 --parallel 4 --algorithm grid --setting depth=3 "
        "--early-stopping medianstp"
    )
    begin = [
        "--parallel: is 4; must be less than or equal to --trials, 3",
        "In [7], line 2: step is missing; grid search needs a step for 'rate'",
        "--setting: 'depth' is no setting of 'grid'",
        "--early-stopping: 'medianstp' is no early stopping rule",
    ]
    assert len(found) == len(begin)
    for problem in begin:
        assert any(one.startswith(problem) for one in found), (problem, found)


def test_what_has_no_place_of_its_own_is_in_the_cell() -> None:
    several, conditional = problems("maximize score, minimize rate --algorithm cmaes")
    assert several.startswith("In [7]: 'cmaes' has one objective; those with several are")
    assert conditional.startswith("In [7]: parameters: have no unconditional one of type double")
