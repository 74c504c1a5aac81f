"""Options as arguments of `hpo_lab.tune` and `resume`."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy
import pytest

import hpo_lab
from hpo_lab.experiment.model import MetricConstraint, ObjectiveType
from hpo_lab.options import (
    BUDGETS,
    OPTIONS,
    TuneOptions,
    parse_line,
    read_arguments,
    unknown_arguments,
)
from hpo_lab.options.other_names import OTHERWISE, SAME


def keywords(function: Any) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters.values()
    return {one.name: one.default for one in parameters if one.kind is one.KEYWORD_ONLY}


def test_tune_takes_every_option_and_each_says_nothing_by_default() -> None:
    arguments = keywords(hpo_lab.tune)
    others = {"maximize", "minimize", "additional_objectives", "cell", "fresh", "store"}
    others |= {"callbacks", "block"}
    assert arguments.keys() - others == {option.argument for option in OPTIONS}
    assert read_arguments(arguments) == (TuneOptions(), [])
    documented = inspect.getdoc(hpo_lab.tune) or ""
    assert [name for name in arguments if f"\n    {name}: " not in documented] == []


def test_resume_takes_every_budget() -> None:
    assert keywords(hpo_lab.Experiment.resume) == dict.fromkeys(
        option.argument for option in BUDGETS
    )


def test_arguments_mean_what_the_line_means() -> None:
    options, problems = read_arguments(
        {
            "minimize": "loss",
            "additional_objectives": {"size": "maximize"},
            "constraints": ["memory<=8", "memory>=1"],
            "trials": 30,
            "settings": {"gamma": 0.2, "seeded": True},
            "early_stopping": "medianstop:start_step=3",
            "warm_start": "before",
            "timeout": "10m",
            "trial_memory": "2G",
            "additional_metrics": ["cost"],
            "strategies": {"loss": "latest"},
            "keep": "best",
            "store": Path("elsewhere"),
        }
    )
    line = (
        "minimize loss, maximize size --constraint memory<=8 --constraint memory>=1 --trials 30 "
        "--setting gamma=0.2 --setting seeded=True --early-stopping medianstop:start_step=3 "
        "--warm-start before --timeout 600 --trial-memory 2G --additional-metric cost "
        "--strategy loss=latest --keep best"
    )
    assert problems == []
    assert options == parse_line(line, where="")[0]


def test_numbers_of_numpy_are_numbers() -> None:
    options, problems = read_arguments(
        {
            "trials": numpy.int64(3),
            "seed": numpy.uint8(7),
            "goal": numpy.float32(0.5),
            "timeout": numpy.int32(60),
            "trial_memory": numpy.int64(2**40),
            "settings": {"gamma": numpy.float64(0.25), "count": numpy.int8(3)},
        }
    )
    assert problems == []
    assert options == TuneOptions(
        trials=3,
        seed=7,
        goal=0.5,
        timeout=60.0,
        trial_memory=2**40,
        setting=(("gamma", "0.25"), ("count", "3")),
    )
    values = (options.trials, options.seed, options.goal, options.timeout, options.trial_memory)
    assert [type(value) for value in values] == [int, int, float, float, int]


BAD: list[tuple[str, object]] = [
    ("trials", "3"),
    ("trials", 3.0),
    ("parallel", True),
    ("seed", -1),
    ("goal", "high"),
    ("goal", 10**400),
    ("goal", numpy.nan),
    ("goal", numpy.bool_(True)),
    ("timeout", "soon"),
    ("timeout", -1),
    ("timeout", False),
    ("trial_timeout", [60]),
    ("trial_memory", 2.5),
    ("trial_output", "much"),
    ("isolation", "forked"),
    ("keep", True),
    ("algorithm", 3),
    ("name", "Digits!"),
    ("early_stopping", {"medianstop": 3}),
    ("settings", 3),
    ("settings", ["gamma"]),
    ("constraints", [8]),
    ("constraints", "memory<8"),
    ("warm_start", 3),
    ("additional_metrics", [3]),
    ("strategies", {"loss": "last"}),
    ("maximize", 3),
    ("minimize", ["loss", 3]),
    ("additional_objectives", ["loss"]),
]


@pytest.mark.parametrize(("argument", "value"), BAD)
def test_a_wrong_argument_is_named(argument: str, value: object) -> None:
    _, problems = read_arguments({argument: value})
    assert [problem.where for problem in problems] == [argument]


def test_everything_wrong_with_a_call_is_said_at_once() -> None:
    with pytest.raises(hpo_lab.InvalidInput) as error:
        hpo_lab.tune(
            lambda rate: rate,
            {"rate": "loguniform(1, 0)"},
            minimize="loss",
            trials="many",  # type: ignore[arg-type]
            additional_objectives={"size": "minimise"},
            trial_output="1M",
        )
    assert [problem.where for problem in error.value.problems] == [
        "additional_objectives['size']",
        "trials",
        "trial_output",
        "space['rate']",
    ]


def test_a_function_needs_a_direction() -> None:
    with pytest.raises(hpo_lab.InvalidInput, match=r"needs maximize=\.\.\. or minimize"):
        hpo_lab.tune(lambda x: x, {"x": "uniform(0, 1)"})


def test_several_objectives_are_lists_those_of_maximize_first() -> None:
    options, problems = read_arguments(
        {
            "minimize": ["loss", "size"],
            "maximize": "score",
            "additional_objectives": {"a": "maximize"},
        }
    )
    assert problems == []
    line = "maximize score, minimize loss, minimize size, maximize a"
    assert options == parse_line(line, where="")[0]


def test_the_names_of_other_tools_are_answered_by_ours() -> None:
    with pytest.raises(hpo_lab.InvalidInput) as error:
        hpo_lab.tune(  # type: ignore[call-overload, unused-ignore]
            lambda x: x,
            {"x": "uniform(0, 1)"},
            n_trials=3,  # type: ignore[arg-type]
            direction="minimize",  # type: ignore[arg-type]
            tryals=3,  # type: ignore[arg-type]
            callbacks=["no function"],  # type: ignore[list-item]
        )
    assert [str(problem) for problem in error.value.problems] == [
        "n_trials: is no argument; it is called trials here",
        'direction: is no argument; say it together with the metric: minimize="loss", '
        'or maximize="accuracy"',
        "tryals: is no argument of tune(); did you mean 'trials'?",
        "callbacks: found 'no function'; a function is needed",
        "tune(): needs maximize=... or minimize=..., with the name of a metric",
    ]


def test_every_name_that_is_answered_is_that_of_an_argument() -> None:
    arguments = list(inspect.signature(hpo_lab.tune).parameters)
    assert {*SAME.values()} <= {*arguments}
    assert not {*SAME, *OTHERWISE} & {*arguments}
    assert (
        "it is called trials" in unknown_arguments(["n_trials"], ["trials"], "resume()")[0].message
    )
    for name, meant in {"num_trials": "trials", "overwrite": "fresh", "fail_fast": "=1"}.items():
        assert meant in unknown_arguments([name], arguments)[0].message
    assert "did you mean" not in unknown_arguments(["project"], arguments)[0].message
    assert "is no argument of resume()" in unknown_arguments(["seed"], [], "resume()")[0].message


def test_options_that_were_said_win() -> None:
    options, _ = read_arguments({"maximize": "score", "constraints": ["memory<=8"], "trials": 3})
    merged = options.over(TuneOptions(trials=30, seed=1, metric="loss"))
    assert (merged.metric, merged.direction) == ("score", ObjectiveType.MAXIMIZE)
    assert (merged.trials, merged.seed) == (3, 1)
    assert merged.constraint == (MetricConstraint(name="memory", max=8),)
