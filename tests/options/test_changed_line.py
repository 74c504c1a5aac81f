"""Changing some options of a line."""

from __future__ import annotations

import pytest

from hpo_lab.options import changed_line, line_parts, parse_line
from hpo_lab.problems import InvalidInput


@pytest.mark.parametrize(
    ("line", "objectives", "values", "changed"),
    [
        ("", "maximize accuracy", {}, "maximize accuracy"),
        ("maximize a --trials 3 -o e", "", {"--trials": ["9"]}, "maximize a --trials 9 -o e"),
        ("minimize loss --trials 3 --fresh", "", {"--trials": []}, "minimize loss --fresh"),
        (
            "minimize loss, maximize f1 --setting a=1 --setting b=2  # why",
            "",
            {"--setting": ["a=3"], "--algorithm": ["tpe"]},
            "minimize loss, maximize f1 --setting a=3 --algorithm tpe  # why",
        ),
        (
            "minimize loss",
            "maximize f1",
            {"--constraint": ["m<=8"]},
            "maximize f1 --constraint 'm<=8'",
        ),
        ("minimize loss", "", {"--name": ["-x"]}, "minimize loss --name=-x"),
        ("minimize loss --trials", "", {"--trials": ["3"]}, "minimize loss --trials 3"),
        ("minimize 'my loss'", "", {"--trials": ["3"]}, "minimize 'my loss' --trials 3"),
        (
            "minimize loss --constraint 'm <= 8'",
            "",
            {"--constraint": ["m <= 8", "n<=1"]},
            "minimize loss --constraint 'm <= 8' --constraint 'n<=1'",
        ),
    ],
)
def test_what_is_not_changed_stays(
    line: str, objectives: str, values: dict[str, list[str]], changed: str
) -> None:
    assert changed_line(line, objectives, values) == changed
    before, after = (parse_line(each, where="")[0] for each in (line or changed, changed))
    if not objectives:
        assert before.metric == after.metric


def test_a_line_that_cannot_be_read_says_nothing() -> None:
    assert line_parts("maximize 'a").values == {}
    assert line_parts("maximize a --trials 3").objectives == "maximize a"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('maximize acc --trials 50 --name "foo', "No closing quotation"),
        ("maximize acc --trails 50", "unknown option"),
        ("maximize acc --fresh=yes", "does not take a value"),
    ],
)
def test_a_line_of_which_something_would_be_lost_is_not_changed(line: str, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        changed_line(line, "minimize loss", {})
