"""What early stopping remembers of trials, against all that was ever reported."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpo_lab.engine.early_stopping import EarlyStopper
from hpo_lab.experiment.model import ExperimentSpec, ObjectiveType
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.observation import Observation
from hpo_lab.stopping.curve import Curve
from hpo_lab.stopping.halving import _bracket
from tests.stopping.asking import experiment

RULES = {
    "medianstop": {"min_trials_required": 2, "start_step": 2},
    "asha": {"eta": 2, "max_resource": 8},
    "hyperband": {"eta": 2, "max_resource": 4},
    "wilcoxon": {"p_threshold": 0.9},
    "threshold": {"lower": -2},
    "patience": {"rounds": 2},
}
POINTS = st.tuples(
    st.none() | st.integers(0, 6),
    st.integers(-3, 3).map(float) | st.floats(-2, 2) | st.sampled_from([math.nan, math.inf]),
)
ENDS = st.just(TrialState.SUCCEEDED) | st.sampled_from([s for s in TrialState if s.is_final])
Act = list[tuple[int | None, float]] | TrialState | None
"""A trial reports, ends or, where it is None, is set back to its beginning."""


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, Act]]:
    """What trials do, by their number, one after the other and at the same time."""
    reports = st.lists(POINTS, min_size=2, max_size=6)
    parts = st.lists(st.one_of(reports, reports, reports, st.none()), min_size=1, max_size=4)
    # Some are good from beginning to end, and some bad.
    levels = st.sampled_from([-5.0, 0.0, 5.0])
    lives = [
        [*([(step, level + value) for step, value in one] if one else None for one in said), end]
        for level, said, end in draw(st.lists(st.tuples(levels, parts, ENDS), min_size=4))
    ]
    left = [iter(life) for life in lives]
    turns = [number for number, life in enumerate(lives) for _ in life]
    if draw(st.booleans()):
        turns = draw(st.permutations(turns))
    return [(number, next(left[number])) for number in turns]


Reported = dict[int, list[tuple[int | None, float]]]


def observations(reported: Reported, number: int) -> list[Observation]:
    return [Observation("score", value, 0.0, step) for step, value in reported[number]]


def restarted(
    spec: ExperimentSpec, reported: Reported, states: Mapping[int, TrialState]
) -> EarlyStopper:
    reports = {number: observations(reported, number) for number in reversed(reported)}
    trials = [Trial(number, {}, state) for number, state in states.items()]
    return EarlyStopper.recovered(spec, trials, reports)


def is_stopped(
    rule: str,
    spec: ExperimentSpec,
    number: int,
    reported: Reported,
    states: Mapping[int, TrialState],
) -> bool:
    """The answer of a rule that compares trials, from every trial there is."""
    minimize = spec.objective.type is ObjectiveType.MINIMIZE
    empty = Curve(spec.objective.strategy("score"))
    curves = {one: empty.then(points) for one, points in reported.items() if points}
    succeeded = {n: c for n, c in curves.items() if states[n] is TrialState.SUCCEEDED}
    mine = curves[number]
    step = mine.steps[-1]

    def loss(curve: Curve, until: int | None = None) -> float:
        value = curve.value(until)
        return math.inf if value is None else value if minimize else -value

    if rule == "medianstop":
        means = [mean for one in succeeded.values() if (mean := one.mean(step)) is not None]
        best = mine.best(minimize=minimize)
        if step < 2 or best is None or len(means) < 2:
            return False
        return median(means) < best if minimize else median(means) > best
    if rule == "wilcoxon":
        best_of_all = min(succeeded, key=lambda n: (loss(succeeded[n]), n), default=None)
        if best_of_all is None or loss(succeeded[best_of_all]) == math.inf:
            return False
        only = {best_of_all: reported[best_of_all], number: reported[number]}
        return restarted(spec, only, {n: states[n] for n in only}).reason(number) is not None
    rungs = {n: [1, 2, 4] for n in curves}
    if rule == "hyperband":
        rungs = {n: [[1, 2], [2], []][_bracket(n, 3, 2)] for n in curves}
    reached = [rung for rung in rungs[number] if rung <= step]
    if not reached:
        return False
    rung = reached[-1]
    rivals = [c for n, c in curves.items() if rungs[n] == rungs[number] and c.steps[-1] >= rung]
    before = sum(loss(one, rung) < loss(mine, rung) for one in rivals)
    is_among_best = before < max(1, len(rivals) // 2) and loss(mine, rung) < math.inf
    return len(rivals) > 1 and not is_among_best


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=30)
@given(
    acts=histories(),
    type=st.sampled_from(["minimize", "maximize"]),
    strategy=st.sampled_from(["min", "max", "latest"]),
)
def test_every_answer_is_that_of_all_reports_and_the_same_after_a_restart(
    rule, acts, type, strategy
):
    spec = experiment(rule, type, strategy, **RULES[rule])
    stopping = EarlyStopper(spec)
    reported: Reported = {}
    states: dict[int, TrialState] = {}
    for number, act in acts:
        if states.get(number, TrialState.RUNNING).is_final:
            continue
        if isinstance(act, list):
            states[number] = TrialState.RUNNING
            reported.setdefault(number, []).extend(act)
            stopping.report(
                number,
                [Observation(metric="score", value=v, step=s, time=0.0) for s, v in act],
            )
            reason = stopping.reason(number)
            assert restarted(spec, reported, states).reason(number) == reason
            if rule in ("threshold", "patience"):
                alone = {number: reported[number]}
                assert restarted(spec, alone, states).reason(number) == reason
            else:
                assert is_stopped(rule, spec, number, reported, states) == (reason is not None)
        else:
            states[number] = act or TrialState.CREATED
            stopping.set_state(number, states[number])
            if act is None:
                reported.pop(number, None)
        assert (stopping.reason(number) is None) or states[number] is TrialState.RUNNING


def test_a_trial_that_has_ended_is_not_asked_about():
    stopping = EarlyStopper(experiment("threshold", lower=0))
    stopping.report(0, [Observation(metric="score", value=-1.0, time=0.0)])
    assert stopping.reason(0) is not None
    stopping.set_state(0, TrialState.FAILED)
    assert stopping.reason(0) is None
