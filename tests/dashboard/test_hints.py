from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.dashboard.hints import failure_groups, in_common, values_at_bounds
from hpo_lab.dashboard.scale import position
from hpo_lab.experiment.model import Parameter, TrialTemplate, Value
from hpo_lab.experiment.space import choice, loguniform, normal, uniform
from hpo_lab.experiment.space import int as integer
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.facade.summary import Best, Summary
from hpo_lab.facade.tally import Tally
from hpo_lab.notebook.annotation_text import read_parameter
from hpo_lab.options import TuneOptions


def _summary(parameters: list[Parameter], trials: list[Trial]) -> tuple[Summary, Tally]:
    spec = TuneOptions(metric="accuracy", trials=30).spec(parameters, TrialTemplate())
    tally = Tally(spec.objective, trials)
    leader = next(tally.ranked(), None)
    return (
        Summary(
            name="digits",
            namespace="default",
            uid="u",
            state="Running",
            reason="",
            message="",
            spec=spec,
            counts=tally.counts,
            best=Best.of(spec.objective, leader) if leader else None,
            elapsed=1.0,
            created_at=0.0,
        ),
        tally,
    )


def _trial(number: int, accuracy: float | None, **values: Value) -> Trial:
    if accuracy is None:
        return Trial(number, values, TrialState.FAILED, message="ValueError: no luck")
    return Trial(number, values, TrialState.SUCCEEDED, {"accuracy": Metric.single(accuracy)})


def _hint(parameter: Parameter, best: Value) -> str | None:
    trials = [_trial(n, n / 20, **{parameter.name: best}) for n in range(10)]
    hints = values_at_bounds(*_summary([parameter], trials))
    return None if not hints else f"{hints[0].bound} {hints[0].wider}".strip()


@pytest.mark.parametrize(
    ("parameter", "best", "hint"),
    [
        (loguniform(1e-4, 1e-1), 0.1, "upper # tune: loguniform(0.0001, 0.4)"),
        (loguniform(1e-4, 1e-1), 0.000101, "lower # tune: loguniform(2.5e-05, 0.1)"),
        (loguniform(1e-4, 1e-1), 0.01, None),
        (uniform(-1, 4), -1.0, "lower # tune: uniform(-16.0, 4.0)"),
        (integer(1, 20), 20, "upper # tune: int(1, 77)"),
        (uniform(0, 1), 1.0, "upper"),
        (uniform(0, 3), 0.0, "lower"),
        (normal(-3, 3), 3.0, "upper"),
        (integer(1, 4), 4, None),
        (choice(1, 2), 2, None),
    ],
)
def test_a_best_value_at_its_bound_is_told_with_a_wider_range(
    parameter: object, best: Value, hint: str | None
) -> None:
    assert _hint(parameter.named("x"), best) == hint  # type: ignore[attr-defined]


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6), st.booleans(), st.booleans())
def test_the_range_that_is_proposed_can_be_typed_and_holds_the_old_one(
    first: float, second: float, is_log: bool, upper: bool
) -> None:
    low, high = sorted((first, second))
    if not high / low > 1.01:
        return
    parameter = (loguniform if is_log else uniform)(low, high).named("x")
    hint = _hint(parameter, high if upper else low)
    assert hint is not None
    _, _, annotation = hint.partition("# tune: ")
    if annotation:
        wider = read_parameter("x", annotation)
        assert isinstance(wider, Parameter)
        assert wider.feasible_space.min is not None and wider.feasible_space.max is not None
        assert wider.feasible_space.min <= low * (1 + 1e-5)
        assert wider.feasible_space.max >= high * (1 - 1e-5)


def test_before_ten_results_no_bound_is_told() -> None:
    parameter = loguniform(1e-4, 1e-1).named("x")
    trials = [_trial(n, n / 20, x=0.1) for n in range(9)]
    assert values_at_bounds(*_summary([parameter], trials)) == []


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_place_of_a_value_is_a_number_over_any_range(value: float) -> None:
    widest = uniform(-1.7e308, 1.7e308).named("x")
    place = position(widest, value)
    assert place is not None
    assert math.isfinite(place)
    assert position(loguniform(1e-300, 1e300).named("x"), -abs(value)) is None


def test_failures_are_grouped_by_message_the_largest_first() -> None:
    trials = [_trial(0, 0.5, x=0.1)]
    trials += [replace(_trial(n, None, x=0.5), message="first") for n in (1, 2)]
    trials += [replace(_trial(n, None, x=0.5), message="second") for n in (3, 4, 5)]
    groups = failure_groups(*_summary([uniform(0, 1).named("x")], trials))
    assert [(group.message, group.numbers) for group in groups] == [
        ("second", (3, 4, 5)),
        ("first", (1, 2)),
    ]


_X = uniform(0, 1).named("x")
_KIND = choice("adam", "sgd", "rmsprop").named("kind")


@pytest.mark.parametrize(
    ("failed", "ended", "condition"),
    [
        ([0.7, 0.8, 0.9, 0.95, 0.85], [0.1, 0.2, 0.3, 0.4, 0.5], "x ≥ 0.7"),
        ([0.1, 0.2, 0.3, 0.05, 0.01], [0.7, 0.8, 0.9, 0.95, 0.99], "x ≤ 0.3"),
        ([0.1, 0.8, 0.3, 0.05, 0.01], [0.7, 0.8, 0.9, 0.95, 0.99], ""),
        ([0.7, 0.8], [0.1, 0.2], ""),  # a third of all pairs look like this
        ([0.7, 0.8, 0.9], [], ""),
    ],
)
def test_what_failed_trials_have_in_common_is_told_where_it_is_no_chance(
    failed: list[float], ended: list[float], condition: str
) -> None:
    bad = [_trial(n, None, x=x, kind="adam") for n, x in enumerate(failed)]
    good = [_trial(n, 0.5, x=x, kind="adam") for n, x in enumerate(ended)]
    assert in_common([_KIND, _X], bad, good) == condition


def test_choices_that_only_failed_trials_have_are_told() -> None:
    bad = [_trial(n, None, x=0.5, kind=kind) for n, kind in enumerate(["adam", "rmsprop"] * 3)]
    good = [_trial(n, 0.5, x=0.5, kind="sgd") for n in range(6)]
    assert in_common([_X, _KIND], bad, good) == "kind = adam or rmsprop"
