"""What rules find wrong with a cell is told where the person wrote it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hpo_lab.experiment.model import EarlyStopping, MetricConstraint
from hpo_lab.options import TuneOptions, parse_line, read_arguments
from hpo_lab.prepare import prepare_cell
from hpo_lab.prepare.wording import Dialect
from hpo_lab.problems import InvalidInput

CELL = """rate = 0.1  # tune: uniform(0, 1) when optimizer == "sgd"
optimizer = "sgd"  # tune: choice("sgd", "adam")
score = rate
"""
_MEDIAN = {
    "algorithmName": "medianstop",
    "algorithmSettings": [{"name": "start_step", "value": "3"}],
}


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


@pytest.mark.parametrize(
    ("options", "line", "argument", "field"),
    [
        ({"trials": 3}, "--trials 3", "trials=3", "spec.maxTrialCount: 3"),
        ({"goal": 0.5}, "--goal 0.5", "goal=0.5", "spec.objective.goal: 0.5"),
        ({"timeout": 600.0}, "--timeout 600", "timeout=600", "spec.activeDeadlineSeconds: 600.0"),
        ({"name": "a-b"}, "--name a-b", 'name="a-b"', "metadata.name: a-b"),
        (
            {"warm_start": ("a", "b")},
            "--warm-start a --warm-start b",
            'warm_start=["a", "b"]',
            "spec.warmStart: [a, b]",
        ),
        (
            {"setting": (("gamma", "0.1"), ("x", "y z"))},
            "--setting gamma=0.1 --setting 'x=y z'",
            'settings={"gamma": "0.1", "x": "y z"}',
            "spec.algorithm.algorithmSettings: "
            "[{name: gamma, value: '0.1'}, {name: x, value: y z}]",
        ),
        (
            {"strategy": (("loss", "latest"),)},
            "--strategy loss=latest",
            'strategies={"loss": "latest"}',
            "spec.objective.metricStrategies: [{name: loss, value: latest}]",
        ),
        (
            {"constraint": (MetricConstraint(name="size", max=8.0),)},
            "--constraint 'size<=8'",
            'constraints="size<=8"',
            "spec.objective.constraints: [{max: 8.0, name: size}]",
        ),
        (
            {"early_stopping": EarlyStopping.model_validate(_MEDIAN)},
            "--early-stopping medianstop:start_step=3",
            'early_stopping="medianstop:start_step=3"',
            "spec.earlyStopping: {algorithmName: medianstop, "
            "algorithmSettings: [{name: start_step, value: '3'}]}",
        ),
    ],
)
def test_an_option_is_said_as_its_author_writes_it_and_read_again(
    options: dict[str, Any], line: str, argument: str, field: str
) -> None:
    said = TuneOptions(**options)
    ((option, value),) = said.said.items()
    assert Dialect.LINE.said(option, value) == line
    assert Dialect.ARGUMENT.said(option, value) == argument
    assert Dialect.FIELD.said(option, value) == field
    assert parse_line(line, where="", needs_objective=False)[0] == said
    assert read_arguments(eval(f"dict({argument})")) == (said, [])
