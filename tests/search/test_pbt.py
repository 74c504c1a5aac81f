from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpo_lab.experiment.model import ExperimentSpec, FeasibleSpace, Parameter
from hpo_lab.experiment.space import contains
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.search.algorithm import (
    POINT,
    WAIT,
    Suggestion,
    get_algorithm,
    search_problems,
)
from hpo_lab.search.ask import suggest
from hpo_lab.search.axis import Axis
from hpo_lab.search.pbt import perturbed
from hpo_lab.search.setting import read_settings
from hpo_lab.search.space import Space

from .simulation import run
from .test_ask import RESULTS, experiment, spaces, trial

LR = Parameter(name="lr", parameter_type="double", feasible_space=FeasibleSpace(min=0, max=1))


def population(
    parameters: tuple[Parameter, ...] = (LR,), given: dict[str, str] | None = None, **fields: Any
) -> ExperimentSpec:
    chosen = {"n_population": "5", **(given or {})}
    spec = experiment(
        parameters,
        "pbt",
        settings=[{"name": name, "value": value} for name, value in chosen.items()],
        **{"seed": 1, **fields},
    )
    assert search_problems(spec) == []
    return spec


def ended(one: Trial, value: float) -> Trial:
    return replace(one, state=TrialState.SUCCEEDED, metrics={"score": Metric.single(value)})


def by_rate(one: Trial) -> Trial:
    return ended(one, float(str(one.assignments["lr"])))


def lineage(trials: list[Trial]) -> list[Any]:
    return [(t.number, dict(t.assignments), t.parent, dict(t.labels)) for t in trials]


def test_the_settings_of_katib_are_parsed_right() -> None:
    given = {
        "suggestion_trial_dir": "/var/log/katib/checkpoints/",
        "n_population": "40",
        "truncation_threshold": "0.4",
        "resample_probability": "0.3",
    }
    found = read_settings(get_algorithm("pbt"), population(given=given).algorithm.settings)
    assert found == {
        "suggestion_trial_dir": "/var/log/katib/checkpoints/",
        "n_population": 40,
        "truncation_threshold": 0.4,
        "resample_probability": 0.3,
        "random_state": None,
    }
    unset = population(given={"resample_probability": "null"}).algorithm.settings
    assert read_settings(get_algorithm("pbt"), unset)["resample_probability"] is None


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("n_population", "4", "must be an integer of at least 5"),
        ("truncation_threshold", "1.5", "must be a number of at least 0 and at most 1"),
        ("resample_probability", "-0.1", "must be a number of at least 0 and at most 1"),
        ("resample_probability", "often", "must be a number of at least 0 and at most 1"),
    ],
)
def test_wrong_settings_are_named(name: str, value: str, message: str) -> None:
    spec = experiment((LR,), "pbt", settings=[{"name": name, "value": value}])
    (problem,) = search_problems(spec)
    assert message in problem.message and name in problem.message


def test_a_generation_replaces_the_worst_by_the_best() -> None:
    spec = population(maxTrialCount=10, parallelTrialCount=1)
    trials = run(spec, by_rate, random.Random(0))
    assert [(t.labels["generation"], t.labels["member"]) for t in trials] == [
        (str(generation), str(member)) for generation in range(2) for member in range(5)
    ]
    first, second = trials[:5], trials[5:]
    assert {one.labels["origin"] for one in first} == {"new"}
    assert {one.parent for one in first} == {None}
    best = max(first, key=lambda one: one.assignments["lr"])
    worst = min(first, key=lambda one: one.assignments["lr"])
    for member, one in enumerate(second):
        if member != worst.number:
            assert one.parent == member and one.assignments == first[member].assignments
            assert one.labels["origin"] == "continued"
            continue
        leader = trials[one.parent or 0]
        assert one.labels["origin"] == "exploited"
        assert leader.assignments["lr"] >= best.assignments["lr"]
        ratio = float(str(one.assignments["lr"])) / float(str(leader.assignments["lr"]))
        assert ratio == pytest.approx(0.8) or one.assignments["lr"] == pytest.approx(
            min(1.2 * float(str(leader.assignments["lr"])), 1)
        )


def test_what_failed_is_replaced_and_never_copied() -> None:
    def half(one: Trial) -> Trial:
        if one.number % 2:
            return by_rate(one)
        state = (TrialState.FAILED, TrialState.KILLED, TrialState.METRICS_UNAVAILABLE)
        great = {"score": Metric.single(math.nan if one.number % 4 else 100.0)}
        return replace(one, state=state[one.number % 3], metrics=great)

    trials = run(
        population(maxTrialCount=80, parallelTrialCount=3), half, random.Random(0), uid="a"
    )
    assert len(trials) == 80
    parents = [one.parent for one in trials if one.parent is not None]
    assert parents and all(number % 2 for number in parents)
    # A member whose trial failed comes back as a copy of one that did not.
    latest: dict[str, Trial] = {}
    for one in trials:
        before = latest.get(one.labels["member"])
        if before is not None and before.number % 2 == 0:
            assert one.labels["origin"] in ("exploited", "new")
        latest[one.labels["member"]] = one


def test_when_all_fail_the_population_begins_anew() -> None:
    spec = population(maxTrialCount=12)
    trials = run(spec, lambda one: replace(one, state=TrialState.FAILED), random.Random(0))
    assert {one.labels["origin"] for one in trials} == {"new"}
    assert len({str(one.assignments) for one in trials}) == 12


def test_with_a_seed_timing_does_not_matter() -> None:
    spec = population(maxTrialCount=40, parallelTrialCount=3)
    made = [lineage(run(spec, by_rate, random.Random(timing))) for timing in range(4)]
    assert all(one == made[0] for one in made)
    wide = population(maxTrialCount=20, parallelTrialCount=50)
    made = [lineage(run(wide, by_rate, random.Random(timing))) for timing in range(3)]
    assert all(one == made[0] for one in made)


def test_a_slow_member_holds_nobody_up() -> None:
    spec = population(seed=None)
    trials: list[Trial] = []
    for number in range(25):
        made = suggest(spec, number, trials, uid="a")
        assert isinstance(made, Suggestion)
        one = Trial(number, made.assignments, parent=made.parent, labels=made.labels)
        slow = one.labels["member"] == "2"
        trials.append(replace(one, state=TrialState.RUNNING) if slow else by_rate(one))
    assert Counter(one.labels["member"] for one in trials) == {
        "0": 6, "1": 6, "2": 1, "3": 6, "4": 6
    }  # fmt: skip
    running = [replace(one, state=TrialState.RUNNING, metrics={}) for one in trials[:5]]
    assert suggest(spec, 5, running) is WAIT


def test_a_point_of_a_person_takes_the_next_new_place() -> None:
    spec = population(initialPoints=[{"lr": 0.125}], enqueuedPoints=[{"lr": 0.0625}])
    trials: list[Trial] = []
    for number in range(5):
        made = suggest(spec, number, trials)
        assert isinstance(made, Suggestion)
        trials.append(by_rate(Trial(number, made.assignments, labels=made.labels)))
    assert [one.assignments["lr"] for one in trials[:2]] == [0.125, 0.0625]
    assert [one.labels.get(POINT) for one in trials[:3]] == ["initial-0", "enqueued-0", None]


@given(spaces(), st.floats(0, 1), st.randoms(use_true_random=False))
def test_a_perturbed_value_is_a_feasible_one_nearby(
    parameters: tuple[Parameter, ...], unit: float, rng: random.Random
) -> None:
    for axis in map(Axis, parameters):
        value = axis.value_at(unit)
        moved = perturbed(axis, value, rng)
        assert contains(axis.parameter, moved)
        assert type(moved) in {type(choice) for choice in axis.parameter.choices or (value,)}


@pytest.mark.parametrize(
    ("kind", "space", "value", "expected"),
    [
        ("double", {"min": 0, "max": 10}, 5.0, {4.0, 6.0}),
        ("double", {"min": 0, "max": 10}, 9.0, {7.2, 10.0}),
        ("double", {"min": 0, "max": 1, "step": 0.25}, 0.5, {0.25, 0.75}),
        ("int", {"min": 1, "max": 100}, 50, {40, 60}),
        ("int", {"min": 1, "max": 100}, 2, {1, 3}),
        ("int", {"min": 1, "max": 100}, 1, {1, 2}),
        ("discrete", {"list": [64, 16, 32]}, 32, {16, 64}),
        ("discrete", {"list": [64, 16, 32]}, 64, {32, 64}),
        ("categorical", {"list": ["a", "b", "c"]}, "c", {"a", "b"}),
        ("categorical", {"list": [None]}, None, {None}),
    ],
)
def test_values_move_by_a_fifth_or_to_a_neighbour(
    kind: str, space: dict[str, Any], value: Any, expected: set[Any]
) -> None:
    axis = Axis(Parameter(name="p", parameter_type=kind, feasible_space=FeasibleSpace(**space)))
    found = {perturbed(axis, value, random.Random(seed)) for seed in range(20)}
    assert {round(one, 9) if isinstance(one, float) else one for one in found} == expected
    assert {type(one) for one in found} == {type(value)}


def test_values_are_resampled_as_often_as_the_setting_says() -> None:
    def ratios(probability: str) -> list[float]:
        spec = population(given={"resample_probability": probability}, maxTrialCount=150)
        trials = run(spec, lambda one: ended(one, one.number), random.Random(0))
        copies = [one for one in trials if one.labels["origin"] == "exploited"]
        assert len(copies) > 20
        return [
            float(str(one.assignments["lr"]))
            / float(str(trials[one.parent or 0].assignments["lr"]))
            for one in copies
        ]

    def perturbations(found: list[float]) -> float:
        near = [min(abs(one - 0.8), abs(one - 1.2)) < 1e-6 for one in found]
        return sum(near) / len(near)

    assert perturbations(ratios("0")) > 0.6  # the others were clipped
    assert perturbations(ratios("1")) < 0.1


THETA = (0.9, 0.9)
OPTIMUM = 1.2


def quadratic(weights: dict[str, tuple[float, float]]) -> Callable[[Trial], Trial]:
    """The paper's toy: the objective is 1.2 - |theta|**2, the gradient sees one half of it."""

    def train(one: Trial) -> Trial:
        x, y = weights.get(str(one.parent), THETA)
        sees_x = one.assignments["h"] == "x"
        for _ in range(4):
            x, y = (x * 0.95, y) if sees_x else (x, y * 0.95)
        weights[str(one.number)] = x, y
        return ended(one, OPTIMUM - x * x - y * y)

    return train


def test_it_reaches_what_no_fixed_setting_can() -> None:
    half = Parameter(
        name="h", parameter_type="categorical", feasible_space=FeasibleSpace(list=("x", "y"))
    )
    best_of_fixed = OPTIMUM - THETA[1] ** 2
    for seed in range(3):
        spec = population((half,), {"n_population": "10"}, seed=seed, maxTrialCount=200)
        trials = run(spec, quadratic({}), random.Random(seed))
        reached = max(one.metrics["score"].latest for one in trials)
        assert reached > OPTIMUM - 0.5 * (OPTIMUM - best_of_fixed)


@settings(max_examples=25)
@given(
    parameters=spaces(),
    results=st.lists(RESULTS, min_size=1, max_size=30),
    probability=st.sampled_from(["null", "0.5"]),
    shuffle=st.randoms(use_true_random=False),
)
def test_any_history_is_answered_the_same_and_inside_the_space(
    parameters: tuple[Parameter, ...], results: list[Any], probability: str, shuffle: random.Random
) -> None:
    spec = population(parameters, {"resample_probability": probability})
    space = Space(spec.parameters)
    trials: list[Trial] = []
    for result in results:
        answer = suggest(spec, len(trials), trials)
        later = [*trials, *(replace(one, number=one.number + 100) for one in trials)]
        shuffle.shuffle(later)
        assert suggest(spec, len(trials), later) == answer
        if answer is WAIT:
            ending = shuffle.choice([one for one in trials if not one.is_final])
            trials[ending.number] = replace(ending, state=TrialState.FAILED)
            continue
        assert isinstance(answer, Suggestion)
        assert space.violation(answer.assignments) is None
        made = trial(len(trials), dict(answer.assignments), result)
        trials.append(replace(made, parent=answer.parent, labels=answer.labels))
