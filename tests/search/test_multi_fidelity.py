from __future__ import annotations

import json
import math
import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpo_lab.experiment.model import ExperimentSpec, Parameter
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.search.algorithm import POINT, WAIT, Suggestion, search_problems
from hpo_lab.search.ask import suggest
from hpo_lab.search.space import Space

from .simulation import run
from .test_ask import RESULTS, experiment, spaces, trial

ALGORITHMS = ("asha", "bohb", "hyperband", "successivehalving")
EPOCHS = Parameter.model_validate(
    {"name": "epochs", "parameterType": "int", "feasibleSpace": {"min": 1, "max": 81}}
)
X = Parameter.model_validate(
    {"name": "x", "parameterType": "double", "feasibleSpace": {"min": 0, "max": 1}}
)


def searched(
    algorithm: str,
    parameters: tuple[Parameter, ...] = (X,),
    given: dict[str, str] | None = None,
    **fields: Any,
) -> ExperimentSpec:
    chosen = {"resource_name": "epochs", **(given or {})}
    spec = experiment(
        (*parameters, EPOCHS),
        algorithm,
        settings=[{"name": name, "value": value} for name, value in chosen.items()],
        **{"seed": 1, **fields},
    )
    assert search_problems(spec) == []
    return spec


def score(one: Trial) -> float:
    """Best at 0.3; more so the longer it trained."""
    return -abs(float(str(one.assignments["x"])) - 0.3) - 1 / float(str(one.assignments["epochs"]))


def succeeded(one: Trial) -> Trial:
    metrics = {"score": Metric.single(score(one))}
    return replace(one, state=TrialState.SUCCEEDED, metrics=metrics)


def described(trials: list[Trial]) -> list[Any]:
    return [(t.number, dict(t.assignments), t.parent, dict(t.labels)) for t in trials]


def rungs(trials: list[Trial]) -> dict[tuple[str, ...], list[Trial]]:
    found: dict[tuple[str, ...], list[Trial]] = {}
    for one in trials:
        labels = one.labels
        key = labels.get("bracket", ""), labels["rung"], labels["resource"]
        found.setdefault(key, []).append(one)
    return found


# The table of Li et al. (2018) for R = 81 and eta = 3.
TABLE = {
    ("4", "0", "1"): 81,
    ("4", "1", "3"): 27,
    ("4", "2", "9"): 9,
    ("4", "3", "27"): 3,
    ("4", "4", "81"): 1,
    ("3", "0", "3"): 34,
    ("3", "1", "9"): 11,
    ("3", "2", "27"): 3,
    ("3", "3", "81"): 1,
    ("2", "0", "9"): 15,
    ("2", "1", "27"): 5,
    ("2", "2", "81"): 1,
    ("1", "0", "27"): 8,
    ("1", "1", "81"): 2,
    ("0", "0", "81"): 5,
}


@pytest.mark.parametrize("seed", [1, None])
@pytest.mark.parametrize(("algorithm", "most"), [("hyperband", 81), ("bohb", 9)])
def test_every_rung_of_every_bracket_runs(algorithm: str, most: int, seed: int | None) -> None:
    spec = searched(algorithm, given={"r_l": str(most)}, seed=seed, parallelTrialCount=7)
    trials = run(spec, succeeded, random.Random(0), uid="a")
    found = rungs(trials)
    if most == 81:
        assert {key: len(members) for key, members in found.items()} == TABLE
    else:
        assert sum(map(len, found.values())) == (9 + 3 + 1) + (5 + 1) + 3
    for one in trials:
        assert one.assignments["epochs"] == int(one.labels["resource"])
        if one.labels["rung"] == "0":
            assert one.parent is None
            continue
        parent = trials[one.parent or 0]
        assert parent.assignments["x"] == one.assignments["x"]
        assert parent.labels["bracket"] == one.labels["bracket"]
        assert int(parent.labels["rung"]) == int(one.labels["rung"]) - 1
    for (bracket, rung, _), members in found.items():
        below = [t for (b, r, _), m in found.items() for t in m if b == bracket and r < rung]
        below = [t for t in below if int(t.labels["rung"]) == int(rung) - 1]
        promoted = {one.parent for one in members}
        if below:
            best = sorted(below, key=score, reverse=True)[: len(members)]
            assert promoted == {one.number for one in best}


@pytest.mark.parametrize("parallel", [2, 9])
def test_successive_halving_is_one_bracket(parallel: int) -> None:
    spec = searched("successivehalving", parallelTrialCount=parallel)
    trials = run(spec, succeeded, random.Random(0))
    found = Counter(one.assignments["epochs"] for one in trials)
    assert found == {1: 81, 3: 27, 9: 9, 27: 3, 81: 1}
    few = searched("successivehalving", given={"n_configurations": "12", "r_l": "9"})
    trials = run(few, succeeded, random.Random(0))
    assert Counter(one.assignments["epochs"] for one in trials) == {1: 12, 3: 4, 9: 1}


@pytest.mark.parametrize("algorithm", ["hyperband", "successivehalving"])
def test_with_a_seed_neither_timing_nor_parallelism_matters(algorithm: str) -> None:
    made = [
        described(
            run(
                searched(algorithm, given={"r_l": "9"}, parallelTrialCount=parallel),
                succeeded,
                random.Random(timing),
            )
        )
        for timing, parallel in enumerate((1, 3, 3, 8, 100))
    ]
    assert all(one == made[0] for one in made)


@pytest.mark.parametrize("algorithm", ["asha", "bohb"])
def test_with_a_seed_timing_does_not_matter(algorithm: str) -> None:
    spec = searched(algorithm, parallelTrialCount=4, maxTrialCount=40)
    made = [described(run(spec, succeeded, random.Random(timing))) for timing in range(3)]
    assert len(made[0]) == 40
    assert made[0] == made[1] == made[2]


def test_without_a_seed_idle_workers_begin_the_next_bracket() -> None:
    def waits(**fields: Any) -> Any:
        spec = searched("hyperband", **fields)
        trials: list[Trial] = []
        for number in range(81):
            made = suggest(spec, number, trials)
            assert isinstance(made, Suggestion)
            trials.append(Trial(number, made.assignments, TrialState.RUNNING, labels=made.labels))
        return suggest(spec, 81, trials)

    assert waits() is WAIT
    following = waits(seed=None)
    assert following.labels == {"bracket": "3", "rung": "0", "resource": "3"}


def test_asha_promotes_from_the_top_and_never_waits() -> None:
    spec = searched("asha", maxTrialCount=200)
    trials: list[Trial] = []
    for number in range(200):
        made = suggest(spec, number, trials)
        assert isinstance(made, Suggestion)
        if made.parent is None:
            # Nothing could be promoted: of each rung the top third has gone on.
            for rung in range(4):
                there = [t for t in trials if t.labels["rung"] == str(rung)]
                parents = {t.parent for t in trials}
                top = sorted(there, key=lambda t: (-score(t), t.number))[: len(there) // 3]
                assert all(t.number in parents for t in top)
        one = Trial(number, made.assignments, parent=made.parent, labels=made.labels)
        trials.append(succeeded(one))
    assert {one.labels["rung"] for one in trials} == {"0", "1", "2", "3", "4"}
    running = [replace(one, state=TrialState.RUNNING, metrics={}) for one in trials[:5]]
    following = suggest(spec, 5, running)
    assert isinstance(following, Suggestion) and following.parent is None


def failed(one: Trial) -> Trial:
    """Some trials fail, in all the ways there are; those that do would be the best."""
    value = {"score": Metric.single(100.0)}
    match one.number % 8:
        case 0:
            return replace(one, state=TrialState.FAILED, metrics=value)
        case 2:
            return replace(one, state=TrialState.KILLED, metrics=value)
        case 4:
            return replace(one, state=TrialState.METRICS_UNAVAILABLE)
        case 6:
            nan = {"score": Metric.single(math.nan)}
            return replace(one, state=TrialState.EARLY_STOPPED, metrics=nan)
        case 1:
            return replace(succeeded(one), state=TrialState.EARLY_STOPPED)
        case _:
            return succeeded(one)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("seed", [1, None])
def test_failures_are_never_promoted_and_stop_no_rung(algorithm: str, seed: int | None) -> None:
    spec = searched(algorithm, seed=seed, maxTrialCount=150, parallelTrialCount=5)
    trials = run(spec, failed, random.Random(1), uid="b")
    parents = {one.parent for one in trials} - {None}
    assert parents and all(number is not None and number % 2 for number in parents)
    assert any(number is not None and number % 8 == 1 for number in parents)
    assert max(int(one.labels["rung"]) for one in trials) >= 3


def test_what_breaks_a_constraint_is_promoted_last() -> None:
    objective = {
        "type": "maximize",
        "objectiveMetricName": "score",
        "constraints": [{"name": "memory", "max": 1.0}],
    }
    spec = searched("successivehalving", given={"r_l": "9"}, objective=objective)

    def measured(one: Trial) -> Trial:
        number = float(one.number)
        metrics = {"score": Metric.single(number), "memory": Metric.single(number / 4)}
        return replace(one, state=TrialState.SUCCEEDED, metrics=metrics)

    trials = run(spec, measured, random.Random(0))
    assert [one.parent for one in trials[9:12]] == [4, 3, 2]


@pytest.mark.parametrize("algorithm", ["bohb", "hyperband", "successivehalving"])
def test_when_everything_fails_the_search_still_ends(algorithm: str) -> None:
    spec = searched(algorithm, given={"r_l": "9"})
    trials = run(spec, lambda one: replace(one, state=TrialState.FAILED), random.Random(0))
    assert {one.labels["rung"] for one in trials} == {"0"}
    assert len(trials) == (9 if algorithm == "successivehalving" else 9 + 5 + 3)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("seed", [3, None])
def test_a_small_space_is_tried_without_repetition(algorithm: str, seed: int | None) -> None:
    few = X.model_copy(update={"feasible_space": X.feasible_space.model_copy(update={"step": 0.2})})
    spec = searched(algorithm, (few,), given={"r_l": "9"}, seed=seed, parallelTrialCount=4)
    trials = run(spec, succeeded, random.Random(2), uid="c")
    made = [json.dumps(one.assignments) for one in trials]
    assert len(set(made)) == len(made)
    assert len({one.assignments["x"] for one in trials}) == 6


def test_points_of_a_person_are_the_first_configurations() -> None:
    spec = searched(
        "hyperband", given={"r_l": "9"}, initialPoints=[{"x": 0.25, "epochs": 50}, {"x": 0.75}]
    )
    trials = run(spec, succeeded, random.Random(0))
    assert [one.assignments for one in trials[:2]] == [
        {"x": 0.25, "epochs": 1},
        {"x": 0.75, "epochs": 1},
    ]
    assert [one.labels.get(POINT) for one in trials[:3]] == ["initial-0", "initial-1", None]
    assert trials[0].labels["bracket"] == "2"
    (longest,) = [one for one in trials if one.labels["resource"] == "9" and one.parent == 9]
    assert longest.assignments["x"] == 0.25 and POINT not in longest.labels


def test_a_point_after_the_last_bracket_is_tried_in_full() -> None:
    spec = searched("hyperband", given={"r_l": "9"})
    trials = run(spec, succeeded, random.Random(0))
    more = spec.model_copy(update={"enqueued_points": ({"x": 0.5},)})
    answer = suggest(more, len(trials), trials)
    assert isinstance(answer, Suggestion)
    assert answer.assignments == {"x": 0.5, "epochs": 9}
    one = Trial(len(trials), answer.assignments, labels=answer.labels)
    assert suggest(more, len(trials) + 1, [*trials, succeeded(one)]) is None


def test_bohb_learns_where_good_configurations_are() -> None:
    def distance(algorithm: str, seed: int) -> float:
        trials = run(searched(algorithm, seed=seed, maxTrialCount=115), succeeded, random.Random(0))
        new = [one for one in trials if one.labels["rung"] == "0"][20:]
        return sum(abs(float(str(one.assignments["x"])) - 0.3) for one in new) / len(new)

    assert all(distance("bohb", seed) < 0.75 * distance("hyperband", seed) for seed in range(2))


def test_bohb_goes_on_near_the_configurations_that_it_has_promoted() -> None:
    spec = searched("bohb", given={"random_fraction": "0"})
    first = [succeeded(Trial(number, {"x": number / 10, "epochs": 1})) for number in range(10)]
    running = [
        Trial(10 + place, {"x": parent / 10, "epochs": 3}, TrialState.RUNNING, parent=parent)
        for place, parent in enumerate((3, 2, 4))
    ]
    drawn = [
        float(str(answer.assignments["x"]))
        for seed in range(5)
        if isinstance(
            answer := suggest(spec.model_copy(update={"seed": seed}), 13, [*first, *running]),
            Suggestion,
        )
    ]
    assert len(drawn) == 5
    assert all(abs(x - 0.3) < 0.2 for x in drawn)


def test_bohb_draws_a_share_at_random() -> None:
    def drawn(share: str) -> list[float]:
        spec = searched("bohb", given={"random_fraction": share}, maxTrialCount=60)
        trials = run(spec, succeeded, random.Random(0))
        return [float(str(one.assignments["x"])) for one in trials if one.parent is None]

    assert max(drawn("1")[20:]) > 0.85
    assert max(drawn("0")[20:]) < 0.85


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@settings(max_examples=15)
@given(
    parameters=spaces(),
    results=st.lists(RESULTS, min_size=1, max_size=30),
    seed=st.none() | st.integers(0, 9),
    shuffle=st.randoms(use_true_random=False),
)
def test_any_history_is_answered_the_same_and_inside_the_space(
    algorithm: str,
    parameters: tuple[Parameter, ...],
    results: list[Any],
    seed: int | None,
    shuffle: random.Random,
) -> None:
    spec = searched(algorithm, parameters, {"r_l": "9", "eta": "3"}, seed=seed)
    space = Space(spec.parameters)
    trials: list[Trial] = []
    asked = []
    for result in results:
        answer = suggest(spec, len(trials), trials)
        while answer is WAIT:
            unfinished = [t for t in trials if not t.is_final]
            ending = shuffle.choice(unfinished)
            trials[ending.number] = replace(ending, state=TrialState.FAILED)
            answer = suggest(spec, len(trials), trials)
        if answer is None:
            assert all(t.is_final for t in trials) or algorithm == "asha"
            break
        assert isinstance(answer, Suggestion)
        assert space.violation(answer.assignments) is None
        asked.append((answer, list(trials)))
        made = trial(len(trials), dict(answer.assignments), result)
        trials.append(replace(made, parent=answer.parent, labels=answer.labels))
    for number, (answer, known) in enumerate(asked):
        later = [*known, *(replace(t, number=t.number + 100) for t in known)]
        shuffle.shuffle(later)
        assert suggest(spec, number, later) == answer
