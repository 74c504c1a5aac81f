from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpo_lab.experiment.model import (
    Distribution,
    ExperimentSpec,
    FeasibleSpace,
    Parameter,
    Value,
)
from hpo_lab.experiment.space import contains
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.search import ask
from hpo_lab.search.algorithm import WAIT, Algorithm, Ask, Suggestion, Wait
from hpo_lab.search.axis import Axis
from hpo_lab.search.space import Space

from .asking import suggest

ALGORITHMS = (
    "bayesianoptimization",
    "cmaes",
    "halton",
    "multivariate-tpe",
    "nsga2",
    "random",
    "sobol",
    "tpe",
)
VALUES = st.one_of(
    st.integers(-5, 5),
    st.booleans(),
    st.none(),
    st.text("abc", max_size=2),
    st.floats(-2, 2).map(lambda x: x + 0.0),
)


@st.composite
def feasible(draw: st.DrawFn, finite: bool) -> dict[str, Any]:
    kind = draw(st.sampled_from(["double", "int", "discrete", "categorical"]))
    if kind == "discrete":
        numbers = draw(st.lists(st.integers(-9, 9), min_size=1, max_size=4, unique=True))
        return {"parameter_type": kind, "feasible_space": FeasibleSpace(list=tuple(numbers))}
    if kind == "categorical":
        listed = draw(st.lists(VALUES, min_size=1, max_size=4, unique_by=repr))
        return {"parameter_type": kind, "feasible_space": FeasibleSpace(list=tuple(listed))}
    distribution = draw(st.sampled_from(Distribution))
    if kind == "int":
        low = draw(st.integers(1 if distribution.is_log else -9, 9))
        high = low + draw(st.integers(0, 6))
        step: float | None = draw(st.none() | st.integers(1, 3))
    else:
        low = draw(st.sampled_from([1e-5, 0.1, 0.3, 2.0] + [-1.5, 0.0] * (not distribution.is_log)))
        high = low + draw(st.sampled_from([0.0, 0.7, 1.0, 3.0]))
        step = draw(st.sampled_from([0.1, 0.25, 0.3, 1.0] + [None] * (not finite)))
    space = FeasibleSpace(min=low, max=high, step=step, distribution=distribution)
    return {"parameter_type": kind, "feasible_space": space}


@st.composite
def spaces(draw: st.DrawFn, finite: bool = False) -> tuple[Parameter, ...]:
    parameters: list[Parameter] = []
    for index in range(draw(st.integers(1, 3))):
        when = None
        if parameters and draw(st.booleans()):
            other = draw(st.sampled_from(parameters))
            value = Axis(other).value_at(draw(st.floats(0, 1)))
            when = f"{other.name} {draw(st.sampled_from(['==', '!=', '<']))} {value!r}"
        parameters.append(Parameter(name=f"p{index}", when=when, **draw(feasible(finite))))
    return tuple(draw(st.permutations(parameters)))


def experiment(parameters: tuple[Parameter, ...], algorithm: str, **fields: Any) -> ExperimentSpec:
    document = {
        "parameters": parameters,
        "objective": {"type": "maximize", "objectiveMetricName": "score"},
        "algorithm": {"algorithmName": algorithm, "algorithmSettings": fields.pop("settings", ())},
    }
    return ExperimentSpec.model_validate(document | fields)


RESULTS = st.tuples(
    st.sampled_from(TrialState),
    st.none() | st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, -math.inf, 0.0]),
)


def trial(number: int, made: dict[str, Value], result: tuple[TrialState, float | None]) -> Trial:
    state, value = result
    return Trial(number, made, state, {} if value is None else {"score": Metric.single(value)})


def search(spec: ExperimentSpec, results: list[tuple[TrialState, float | None]]) -> list[Trial]:
    trials: list[Trial] = []
    for result in results:
        made = suggest(spec, len(trials), trials)
        if made is None:
            break
        trials.append(trial(len(trials), made, result))
    return trials


@given(spaces(), st.floats(0, 1))
def test_a_value_is_feasible_and_found_again(parameters: tuple[Parameter, ...], u: float) -> None:
    for axis in map(Axis, parameters):
        value = axis.value_at(u)
        assert contains(axis.parameter, value)
        again = axis.value_at(axis.unit_of(value))
        if axis.size is None:
            # The tail of a truncated normal resolves no finer.
            assert math.isclose(again, value, rel_tol=1e-6, abs_tol=1e-9)  # type: ignore[arg-type]
        else:
            assert (type(again), again) == (type(value), value)
            assert axis.level(axis.level_of(value)) == value


@settings(max_examples=50)
@given(spaces(finite=True))
def test_a_finite_space_is_numbered_without_gaps(parameters: tuple[Parameter, ...]) -> None:
    space = Space(parameters)
    total = space.cardinality
    assert total is not None
    first = range(min(total, 60))
    made = [space.assignment_at(index) for index in first]
    assert all(space.violation(assignment) is None for assignment in made)
    assert len({tuple((k, repr(v)) for k, v in m.items()) for m in made}) == len(first)
    assert [space.index_of(assignment) for assignment in made] == list(first)
    assert space.index_of(space.assignment_at(total - 1)) == total - 1


LR = Parameter(name="lr", parameter_type="double", feasible_space=FeasibleSpace(min=0, max=1))
N = Parameter(name="n", parameter_type="int", feasible_space=FeasibleSpace(min=1, max=9))


def test_the_seed_of_the_experiment_decides() -> None:
    def first(**fields: Any) -> Any:
        uid = fields.pop("uid", "")
        return suggest(experiment((LR,), "random", **fields), 0, [], uid=uid)

    state = [{"name": "random_state", "value": "7"}]
    assert first(uid="a") == first(uid="a") != first(uid="b")
    assert first(settings=state, uid="a") == first(settings=state, uid="b") != first(uid="a")
    assert first(seed=1, settings=state) == first(seed=1) != first(seed=2)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_trials_asked_for_at_once_differ(algorithm: str) -> None:
    spec = experiment((LR, N), algorithm, settings=[{"name": "random_state", "value": "1"}])
    done = (TrialState.SUCCEEDED, 1.0)
    trials = search(spec, [done] * 12)
    running = (TrialState.RUNNING, None)
    for number in range(12, 18):
        made = suggest(spec, number, trials)
        assert made is not None
        trials.append(trial(number, made, running))
    assert len({json.dumps(t.assignments) for t in trials}) == 18


def test_the_answer_is_in_the_order_of_the_parameters() -> None:
    first = N.model_copy(update={"when": "lr >= 0"})
    assert list(suggest(experiment((first, LR), "random"), 0, []) or {}) == ["n", "lr"]


@settings(max_examples=20)
@given(parameters=spaces(finite=True))
def test_a_grid_is_walked_in_the_order_of_its_numbers(parameters: tuple[Parameter, ...]) -> None:
    trials = search(experiment(parameters, "grid"), [(TrialState.SUCCEEDED, 1.0)] * 30)
    assert [trial.assignments for trial in trials] == [
        Space(parameters).assignment_at(index) for index in range(len(trials))
    ]


class Stubborn(Algorithm):
    """Gives the same answer whatever it is asked, and remembers the seeds."""

    name = "stubborn"
    uses_history = True

    def __init__(self, answer: dict[str, Value] | Wait) -> None:
        self.answer = answer
        self.seeds: list[int] = []

    def suggest(self, ask: Ask) -> dict[str, Value] | Wait:
        self.seeds.append(ask.seed)
        return self.answer


@pytest.fixture
def stubborn(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Value] | Wait], Stubborn]:
    """`stubborn(answer)`: every experiment's algorithm gives this answer."""

    def install(answer: dict[str, Value] | Wait) -> Stubborn:
        algorithm = Stubborn(answer)
        monkeypatch.setattr(ask, "get_algorithm", lambda name: algorithm)
        return algorithm

    return install


Install = Callable[[dict[str, Value] | Wait], Stubborn]


def test_an_algorithm_waits_for_unfinished_trials_alone(stubborn: Install) -> None:
    stubborn(WAIT)
    spec = experiment((LR,), "random")
    running = trial(0, {"lr": 0.5}, (TrialState.RUNNING, None))
    ended = trial(0, {"lr": 0.5}, (TrialState.SUCCEEDED, 1.0))
    assert ask.suggest(spec, 1, [running]) is WAIT
    with pytest.raises(ask.InvalidSuggestion, match="asked for trial 1: waits though every"):
        ask.suggest(spec, 1, [ended])


def test_a_repeated_answer_is_asked_for_again_with_another_seed(stubborn: Install) -> None:
    algorithm = stubborn({"lr": 0.5})
    spec = experiment((LR,), "random")
    assert suggest(spec, 0, []) == {"lr": 0.5}
    assert len(algorithm.seeds) == 1
    # A continuum has no unused value to draw: the algorithm has its way in the end.
    assert suggest(spec, 1, [trial(0, {"lr": 0.5}, (TrialState.SUCCEEDED, 1.0))]) == {"lr": 0.5}
    again = algorithm.seeds[1:]
    assert len(again) == len(set(again)) > 1


def test_a_finite_space_is_gone_through_by_an_algorithm_that_repeats_itself(
    stubborn: Install,
) -> None:
    stubborn({"n": 5})
    trials = search(experiment((N,), "random"), [(TrialState.SUCCEEDED, 1.0)] * 12)
    assert trials[0].assignments == {"n": 5}
    assert sorted(t.assignments["n"] for t in trials) == list(range(1, 10))  # type: ignore[type-var]


def test_what_a_point_leaves_open_is_drawn() -> None:
    spec = experiment((LR, N), "tpe", initialPoints=[{"n": 3}])
    drawn = []
    for uid in ("a", "a", "b"):
        answer = ask.suggest(spec, 0, [], uid=uid)
        assert isinstance(answer, Suggestion)
        assert answer.labels == {"point": "initial-0"}
        assert answer.assignments["n"] == 3
        drawn.append(answer.assignments["lr"])
    assert drawn[0] == drawn[1] != drawn[2]
    begun = Trial(0, {"lr": 0.5, "n": 3}, TrialState.RUNNING, labels={"point": "initial-0"})
    following = ask.suggest(spec, 1, [begun])
    assert isinstance(following, Suggestion)
    assert following.labels == {}


@pytest.mark.parametrize("uid", ["a", "b", "c"])
def test_what_a_point_leaves_open_is_new_while_anything_is(uid: str) -> None:
    wide = N.model_copy(update={"name": "wide"})
    spec = experiment(
        (N, wide), "random", initialPoints=[{"n": 3}] * 10 + [{"n": 4, "wide": 1}] * 2
    )
    trials: list[Trial] = []
    for number in range(12):
        answer = ask.suggest(spec, number, trials, uid=uid)
        assert isinstance(answer, Suggestion)
        trials.append(Trial(number, answer.assignments, labels=answer.labels))
    tried = [(trial.assignments["n"], trial.assignments["wide"]) for trial in trials]

    # The tenth has nothing new to try, and what a person gives in full is tried again.
    assert sorted(tried[:9]) == [(3, value) for value in range(1, 10)]
    assert tried[9][0] == 3
    assert tried[10:] == [(4, 1)] * 2
