"""A history that grows, and what is asked of it."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.experiment.model import ExperimentSpec, Objective
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.search.algorithm import Suggestion
from hpo_lab.search.ask import suggest
from hpo_lab.search.distinct import Unused, Used
from hpo_lab.search.history import History
from hpo_lab.search.points import POINT, Points
from hpo_lab.search.ranking import Groups
from hpo_lab.search.space import Space

OBJECTIVE = Objective(type="minimize", objective_metric_name="loss")
CHANGES = st.lists(
    st.tuples(
        st.integers(-3, 12),
        st.sampled_from(TrialState),
        st.none() | st.floats(-9, 9),
        st.sampled_from(["0", "1"]),
    ),
    max_size=40,
)


def changed(changes: list[tuple[int, TrialState, float | None, str]]) -> list[Trial]:
    """Each change as a trial; what it was asked with is that of its first change."""
    trials: dict[int, Trial] = {}
    every = []
    for number, state, value, rung in changes:
        metrics = {} if value is None else {"loss": Metric.single(value)}
        new = Trial(number, {"n": number % 5}, parent=number - 2, labels={"rung": rung})
        trials[number] = replace(trials.get(number, new), state=state, metrics=metrics)
        every.append(trials[number])
    return every


@given(CHANGES)
def test_an_index_is_the_same_however_the_history_came_about(
    changes: list[tuple[int, TrialState, float | None, str]],
) -> None:
    grown = History()
    for trial in changed(changes):
        groups = grown.index(Groups, OBJECTIVE, "rung")
        grown.put(trial)
    anew = History(reversed(list({trial.number: trial for trial in changed(changes)}.values())))
    assert list(grown) == list(anew)
    assert grown.has_unfinished == any(not trial.is_final for trial in anew)
    assert [t.number for t in grown.own] == [t.number for t in anew if t.number >= 0]
    groups, again = (each.index(Groups, OBJECTIVE, "rung") for each in (grown, anew))
    for rung in "01":
        assert groups[(rung,)] == again[(rung,)]


def test_a_trial_is_found_by_its_number() -> None:
    history = History([Trial(2), Trial(-1), Trial(0)])
    assert (len(history), history[-1].number, history[2].number) == (3, -1, 2)
    with pytest.raises(KeyError):
        history[1]


def test_what_comes_later_is_not_seen() -> None:
    history = History([Trial(number) for number in range(4)])
    assert history.before(4) is history
    assert [trial.number for trial in history.before(2)] == [0, 1]


def test_a_trial_asked_with_something_else_makes_the_indexes_anew() -> None:
    history = History([Trial(0, {"x": 1})])
    assert {"x": 1} in history.index(Used)
    history.put(Trial(0, {"x": 2}))
    assert {"x": 1} not in history.index(Used)
    assert {"x": 2} in history.index(Used)


def test_true_is_not_one_but_one_is() -> None:
    used = History([Trial(0, {"a": 1, "b": True}), Trial(-1, {"a": 5})]).index(Used)
    assert {"b": True, "a": 1.0} in used
    assert {"a": True, "b": True} not in used
    assert {"a": 1, "b": 1} not in used
    assert {"a": 5} not in used


@given(st.sets(st.integers(0, 11)), st.integers(0, 99))
def test_an_unused_assignment_is_drawn_uniformly(numbers: set[int], seed: int) -> None:
    spec = experiment("random", {"list": [0, 1, 2]}, {"list": [0, 1, 2, 3]})
    space = Space.of(spec.parameters)
    history = History(
        Trial(place, space.assignment_at(number)) for place, number in enumerate(numbers)
    )
    drawn = history.index(Unused, space).draw(random.Random(seed))
    left = [number for number in range(12) if number not in numbers]
    if not left:
        assert drawn is None
    else:
        place = random.Random(seed).randrange(len(left))
        assert drawn is not None and space.index_of(drawn) == left[place]


def experiment(algorithm: str, *spaces: dict[str, object]) -> ExperimentSpec:
    return ExperimentSpec.model_validate(
        {
            "parameters": [
                {"name": f"p{index}", "parameterType": "discrete", "feasibleSpace": space}
                if "list" in space
                else {"name": f"p{index}", "parameterType": "double", "feasibleSpace": space}
                for index, space in enumerate(spaces)
            ],
            "objective": {"type": "minimize", "objectiveMetricName": "loss"},
            "algorithm": {"algorithmName": algorithm},
        }
    )


def test_points_are_counted_once() -> None:
    history = History()
    points = history.index(Points)
    trial = Trial(0, labels={POINT: "initial-0"})
    for state in (TrialState.CREATED, TrialState.RUNNING, TrialState.FAILED):
        history.put(replace(trial, state=state))
    assert (points.count, points.labels) == (1, {"initial-0"})


class CountingList(list):  # type: ignore[type-arg]
    """Trials of which those looked at are counted."""

    looked_at = 0

    def __iter__(self):  # type: ignore[no-untyped-def]
        for trial in super().__iter__():
            CountingList.looked_at += 1
            yield trial


@pytest.mark.parametrize("algorithm", ["random", "sobol", "grid", "asha", "tpe"])
def test_a_question_does_not_go_through_the_trials(
    algorithm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A resource with few values, and enough of them beside it.
    spaces: list[dict[str, object]] = [{"list": list(range(400))}, {"list": [1, 3, 9]}]
    spec = experiment(algorithm, *spaces)
    if algorithm == "asha":
        document = spec.model_dump(by_alias=True)
        document["algorithm"]["algorithmSettings"] = [{"name": "resource_name", "value": "p1"}]
        spec = ExperimentSpec.model_validate(document)
    history = History()
    monkeypatch.setattr(history, "_trials", CountingList())
    CountingList.looked_at = 0
    for number in range(300):
        answer = suggest(spec, number, history, uid="u")
        assert isinstance(answer, Suggestion)
        trial = Trial(number, answer.assignments, parent=answer.parent, labels=answer.labels)
        metrics = {"loss": Metric.single(number % 7)}
        history.put(replace(trial, state=TrialState.SUCCEEDED, metrics=metrics))
    # Each of the few indexes went through them once, when it was made.
    assert CountingList.looked_at < 4 * len(history)
