"""Which functions fit which search space."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from hpo_lab import choice, uniform
from hpo_lab.experiment.model import ObjectiveType
from hpo_lab.options import TuneOptions
from hpo_lab.prepare import prepare_function
from hpo_lab.problems import InvalidInput

OPTIONS = TuneOptions(metric="loss", direction=ObjectiveType.MINIMIZE, trials=3)


def called(function: Callable[..., Any], *names: str, **changes: Any) -> str:
    options = OPTIONS if not changes else TuneOptions(**{**vars_of(OPTIONS), **changes})
    prepared = prepare_function(function, {name: uniform(0, 1) for name in names}, options)
    template = prepared.experiment.spec.trial_template
    assert template is not None and template.trial_spec is not None
    return str(template.trial_spec["spec"]["call"])


def vars_of(options: TuneOptions) -> dict[str, Any]:
    return {name: getattr(options, name) for name in options.__dataclass_fields__}


def problems(function: Callable[..., Any], *names: str, **changes: Any) -> list[str]:
    with pytest.raises(InvalidInput) as error:
        called(function, *names, **changes)
    return [str(problem) for problem in error.value.problems]


def test_arguments_are_matched_by_name() -> None:
    assert called(lambda lr, momentum=0.9: lr, "lr") == "keywords"
    assert called(lambda **anything: 0, "lr", "momentum") == "keywords"


def test_a_single_argument_that_is_no_parameter_takes_all_of_them() -> None:
    def typed(config: dict[str, float]) -> float:
        return config["lr"]

    assert called(lambda config: config["lr"], "lr", "momentum") == "mapping"
    assert called(lambda config=None: 0, "lr") == "mapping"
    assert called(typed, "lr") == "mapping"


def test_an_argument_that_is_used_as_a_number_is_a_misspelt_parameter() -> None:
    def product(x, y=2):
        return x * y

    missing = "is an argument of the function without a default or a domain in the space"
    assert problems(product, "z") == [
        f"x: {missing}",
        "space['z']: is no argument of the function",
    ]
    assert problems(lambda x: -x, "z")[0] == f"x: {missing}"
    assert problems(lambda x: 1 if x < 2 else 0, "z")[0] == f"x: {missing}"


def test_an_argument_with_nearly_the_name_of_a_parameter_is_misspelt() -> None:
    def train(lr):
        return math.log(lr)

    def fit(momentum, rounds=3):
        return math.log(momentum)

    assert problems(train, "learning_rate")[1].startswith("space['learning_rate']: is no argument")
    assert problems(fit, "momentun")[1].endswith("did you mean 'momentum'?")
    # Beside others, something must say that an argument is a mapping.
    assert problems(fit, "units")[1] == "space['units']: is no argument of the function"


def test_a_mapping_is_told_by_its_use_its_annotation_or_its_name() -> None:
    def read(p, rounds=3):
        return p["penalty"]

    def passed_on(p):
        return dict(**p)

    def typed(lr: Mapping[str, float], rounds=3):
        return print(lr)

    def usual(params, rounds=3):
        return print(params)

    assert called(read, "penalty") == called(passed_on, "penalty") == "mapping"
    assert called(typed, "learning_rate") == called(usual, "param_a") == "mapping"
    assert called(lambda anything: print(anything), "lr", "units") == "mapping"


def test_a_limit_of_memory_is_for_functions_too_and_the_options_of_notebooks_are_not() -> None:
    options = TuneOptions(**{**vars_of(OPTIONS), "trial_memory": 2**30})
    spec = prepare_function(lambda x: x, {"x": uniform(0, 1)}, options).experiment.spec
    assert spec.trial_template is not None and spec.trial_template.trial_spec is not None
    assert spec.trial_template.trial_spec["spec"]["memoryLimit"] == 2**30
    assert problems(lambda x: x, "x", keep="best", trial_output=2**20) == [
        "trial_output: is for notebooks; a function has none",
    ]


def test_a_single_argument_that_is_one_value_takes_no_mapping() -> None:
    def typed(lr: float) -> float:
        return lr

    for function in (typed, lambda lr=0.1: lr):
        assert "space['lrr']: is no argument of the function; did you mean 'lr'?" in problems(
            function, "lrr"
        )


def test_what_does_not_fit_is_said_together() -> None:
    def train(lr: float, momentum: float) -> float:
        return lr * momentum

    assert problems(train, "lr", "momentun") == [
        "momentum: is an argument of the function without a default or a domain in the space",
        "space['momentun']: is no argument of the function; did you mean 'momentum'?",
    ]


def test_all_arguments_are_checked_together_and_named_as_they_were_given() -> None:
    found = problems(
        lambda lr: lr,
        "lr",
        algorithm="hyperband",
        setting=(("etta", "3"),),
        parallel=4,
        max_failed=9,
    )
    assert found == [
        "parallel: is 4; must be less than or equal to trials, 3",
        "settings: 'etta' is no setting of 'hyperband', which has eta, min_resource, r_l, "
        "random_state, resource_name, resource_type; did you mean 'eta'?",
        "settings: lacks 'resource_name', the parameter that says how much a trial may use "
        "(epochs, steps, a share of the data); the parameters are lr",
    ]


def test_the_objects_of_a_choice_count_as_what_the_function_uses() -> None:
    def tuned(act: Any) -> Any:
        return act(1)

    def spec(act: Any) -> Any:
        space = {"act": choice({"act": act})}
        template = prepare_function(tuned, space, OPTIONS).experiment.spec.trial_template
        assert template is not None and template.trial_spec is not None
        return template.trial_spec["spec"]["uses"]

    assert spec(lambda x: x + 1) != spec(lambda x: x + 2)
