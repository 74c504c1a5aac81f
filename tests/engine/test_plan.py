"""The planner: single decisions, and whole lives of experiments under any interleaving."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpo_lab.engine import plan as planning
from hpo_lab.engine.ledger import Ledger
from hpo_lab.engine.plan import Plan, visible_history
from hpo_lab.experiment.model import (
    AlgorithmSpec,
    ExperimentSpec,
    Objective,
    ObjectiveType,
    TrialTemplate,
)
from hpo_lab.experiment.status import KATIB_SUCCESSES, ExperimentState
from hpo_lab.experiment.trial import Metric, Trial, TrialState, objective_value, optimal_trial

S = TrialState


def plan(spec: ExperimentSpec, trials: list[Trial], **options: Any) -> Plan:
    """The plan for trials that were recorded in some order."""
    return planning.plan(spec, Ledger(spec.objective, trials), **options)


def spec(**changes: object) -> ExperimentSpec:
    objective = Objective(
        type=changes.pop("type", ObjectiveType.MAXIMIZE),
        goal=changes.pop("goal", None),
        objective_metric_name="accuracy",
    )
    return ExperimentSpec(
        objective=objective, algorithm=AlgorithmSpec(algorithm_name="random"), **changes
    )


def trial(number: int, state: TrialState = S.SUCCEEDED, value: float | None = None) -> Trial:
    metrics = {} if value is None else {"accuracy": Metric.single(value)}
    return Trial(number, state=state, metrics=metrics)


def test_starts_up_to_the_parallel_count_with_fresh_numbers() -> None:
    assert plan(spec(parallel_trial_count=3), []) == Plan(start=(0, 1, 2))
    running = [trial(0), trial(1, S.RUNNING), trial(2, S.RUNNING)]
    assert plan(spec(parallel_trial_count=3), running).start == (3,)


def test_never_starts_more_than_the_budget_leaves() -> None:
    trials = [trial(0), trial(1, S.FAILED), trial(2, S.RUNNING)]
    assert plan(spec(parallel_trial_count=8, max_trial_count=8), trials).start == (3, 4, 5, 6, 7)
    assert plan(spec(parallel_trial_count=8, max_trial_count=3), trials).start == ()


def test_an_interrupted_trial_comes_before_new_numbers() -> None:
    trials = [trial(0), trial(1, S.CREATED), trial(2, S.RUNNING)]
    assert plan(spec(parallel_trial_count=3), trials).start == (1, 3)


@pytest.mark.parametrize(
    ("changes", "trials", "options", "state", "reason"),
    [
        ({"goal": 0.9}, [trial(0, value=0.9)], {}, "Succeeded", "ExperimentGoalReached"),
        (
            {"goal": 0.1, "type": ObjectiveType.MINIMIZE},
            [trial(0, value=0.1)],
            {},
            "Succeeded",
            "ExperimentGoalReached",
        ),
        (
            {"max_failed_trial_count": 2},
            [trial(0, S.FAILED), trial(1, S.FAILED)],
            {},
            "Failed",
            "ExperimentFailed",
        ),
        ({"max_failed_trial_count": 0}, [trial(0, S.FAILED)], {}, "Failed", "ExperimentFailed"),
        (
            {"max_failed_trial_count": 1},
            [trial(0, S.METRICS_UNAVAILABLE)],
            {},
            "Failed",
            "ExperimentFailed",
        ),
        (
            {"max_trial_count": 2, "parallel_trial_count": 1},
            [trial(0), trial(1, S.KILLED)],
            {},
            "Succeeded",
            "ExperimentMaxTrialsReached",
        ),
        ({}, [trial(0)], {"exhausted": True}, "Succeeded", "ExperimentSuggestionEndReached"),
        (
            {"active_deadline_seconds": 5},
            [trial(0, value=1.0)],
            {"elapsed": 5},
            "Succeeded",
            "ExperimentDeadlineReached",
        ),
        (
            {"active_deadline_seconds": 5},
            [trial(0, S.FAILED)],
            {"elapsed": 5},
            "Failed",
            "ExperimentDeadlineReached",
        ),
        ({}, [trial(0)], {"stop_requested": True}, "Stopped", "ExperimentStopped"),
    ],
)
def test_how_experiments_end(changes, trials, options, state, reason) -> None:
    verdict = plan(spec(**changes), trials, **options).verdict
    assert verdict is not None
    assert (verdict.state, verdict.reason) == (ExperimentState(state), reason)


def test_reaching_the_goal_stops_what_still_runs() -> None:
    trials = [trial(0, value=0.95), trial(1, S.RUNNING), trial(2, S.CREATED), trial(3)]
    decided = plan(spec(goal=0.9), trials)
    assert decided.stop == (1, 2)
    assert decided.start == ()


def test_the_end_of_suggestions_waits_for_running_trials() -> None:
    decided = plan(spec(), [trial(0), trial(1, S.RUNNING)], exhausted=True)
    assert decided == Plan()


def test_a_goal_seen_in_a_running_trial_does_not_end_the_experiment() -> None:
    assert plan(spec(goal=0.9), [trial(0, S.RUNNING, 0.99)]).verdict is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_no_finite_number_never_become_best(value: float) -> None:
    trials = [trial(0, value=value), trial(1, value=0.5), trial(2, value=value)]
    best = optimal_trial(spec().objective, trials)
    assert best is not None and best.number == 1
    assert optimal_trial(spec().objective, trials[:1]) is None
    assert plan(spec(goal=0.9), trials).verdict is None


def test_the_first_of_equal_trials_is_optimal() -> None:
    trials = [trial(2, value=0.5), trial(1, value=0.5), trial(3, value=0.4)]
    best = optimal_trial(spec().objective, trials)
    assert best is not None and best.number == 1


def test_ordered_experiments_wait_for_what_a_trial_learns_from() -> None:
    two = spec(parallel_trial_count=2)
    assert plan(two, [], ordered=True).start == (0, 1)
    # Trial 2 learns from trial 0; trial 3 would from trial 1, which still runs.
    assert plan(two, [trial(0), trial(1, S.RUNNING)], ordered=True).start == (2,)
    assert plan(two, [trial(0, S.RUNNING), trial(1)], ordered=True).start == ()
    assert plan(two, [trial(0, S.RUNNING), trial(1)], ordered=False).start == (2,)


def test_ordered_history_hides_results_that_may_not_have_arrived() -> None:
    trials = [trial(n, value=n / 10) for n in range(5)]
    seen = visible_history(spec(parallel_trial_count=3), trials, 4)
    assert [one.state for one in seen] == [S.SUCCEEDED, S.SUCCEEDED, S.RUNNING, S.RUNNING]
    assert [bool(one.metrics) for one in seen] == [True, True, False, False]


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["succeed", "nan", "inf", "missing", "fail", "crash", "stop", "raise budget", "look"]
        ),
        st.integers(0, 7),
        st.floats(0, 1),
    ),
    min_size=1,
    max_size=120,
)


class World:
    """Carries out plans as a runner would, with everything kept as plain records."""

    def __init__(self, experiment: ExperimentSpec, *, ordered: bool, suggestions: int | None):
        self.spec = experiment
        self.ordered = ordered
        self.suggestions = suggestions
        self.trials: dict[int, Trial] = {}
        self.stop_requested = False
        self.ended: list[int] = []
        self.verdict = None

    def step(self) -> None:
        exhausted = self.suggestions is not None and len(self.trials) >= self.suggestions
        decided = plan(
            self.spec,
            list(self.trials.values()),
            stop_requested=self.stop_requested,
            exhausted=exhausted,
            ordered=self.ordered,
        )
        self.verdict = decided.verdict
        if self.verdict is not None:
            assert not decided.start
            assert set(decided.stop) == {n for n, t in self.trials.items() if not t.is_final}
            stopped = self.verdict.state is ExperimentState.STOPPED
            for number in decided.stop:
                self.set(number, S.CREATED if stopped else S.KILLED)
            return
        assert len(decided.start) == len(set(decided.start))
        for number in decided.start:
            known = self.trials.get(number)
            assert known is None or known.state is S.CREATED
            if known is None:
                if self.suggestions is not None and len(self.trials) >= self.suggestions:
                    return
                assert number == len(self.trials)
                self.trials[number] = Trial(number)
            self.set(number, S.RUNNING)
        running = [t for t in self.trials.values() if t.state is S.RUNNING]
        assert len(running) <= self.spec.parallel_trial_count
        if self.spec.max_trial_count is not None:
            assert len(self.trials) <= self.spec.max_trial_count

    def set(self, number: int, state: TrialState, value: float | None = None) -> None:
        if state.is_final:
            assert number not in self.ended, "a number ended twice"
            self.ended.append(number)
        metrics = {} if value is None else {"accuracy": Metric.single(value)}
        self.trials[number] = replace(self.trials[number], state=state, metrics=metrics)

    def happen(self, event: str, which: int, value: float) -> None:
        running = [n for n, t in self.trials.items() if t.state is S.RUNNING]
        if event == "crash":
            # The runner died and its trials with it.
            for number in running:
                self.set(number, S.CREATED)
        elif event == "stop":
            self.stop_requested = True
        elif event == "raise budget" and self.spec.max_trial_count is not None:
            most = self.spec.max_trial_count + 1
            self.spec = self.spec.model_copy(update={"max_trial_count": most})
        elif running and event in ("succeed", "nan", "inf", "missing", "fail"):
            number = running[which % len(running)]
            if event == "succeed":
                self.set(number, S.SUCCEEDED, value)
            elif event == "fail":
                self.set(number, S.FAILED)
            else:
                odd = {"nan": math.nan, "inf": math.inf, "missing": None}[event]
                self.set(number, S.METRICS_UNAVAILABLE, odd)


@settings(max_examples=400)
@given(
    events=EVENTS,
    parallel=st.integers(1, 5),
    most=st.integers(1, 12),
    failed=st.none() | st.integers(0, 4),
    goal=st.none() | st.floats(0, 1),
    suggestions=st.none() | st.integers(0, 10),
    ordered=st.booleans(),
)
def test_any_life_ends_within_budget_and_without_a_number_used_twice(
    events, parallel, most, failed, goal, suggestions, ordered
) -> None:
    world = World(
        spec(
            parallel_trial_count=parallel,
            max_trial_count=most,
            max_failed_trial_count=failed,
            goal=goal,
        ),
        ordered=ordered,
        suggestions=suggestions,
    )
    world.step()
    for event in events:
        if world.verdict is not None:
            if world.verdict.state is not ExperimentState.STOPPED:
                break
            world.stop_requested = False
        world.happen(*event)
        world.step()
    # Whatever happened, an undisturbed runner brings it to a terminal state.
    world.stop_requested = False
    for _ in range(200):
        if world.verdict is not None and world.verdict.state is not ExperimentState.STOPPED:
            break
        world.step()
        world.happen("succeed", 0, 0.5)
    assert world.verdict is not None and world.verdict.state.is_final
    assert all(t.is_final for t in world.trials.values())
    best = optimal_trial(world.spec.objective, world.trials.values())
    if best is not None:
        assert math.isfinite(objective_value(world.spec.objective, best))
    # The same question has the same answer.
    again = plan(
        world.spec,
        list(world.trials.values()),
        exhausted=world.suggestions is not None and len(world.trials) >= world.suggestions,
        ordered=ordered,
    )
    assert again.verdict == world.verdict


OURS = TrialTemplate(trial_spec={"apiVersion": "hpolab.dev/v1beta1", "kind": "NotebookTrial"})
KATIBS = TrialTemplate(trial_spec={"apiVersion": "batch/v1", "kind": "Job"})
NAME_ERROR = "NameError: name 'X' is not defined"


def failed(number: int, message: str = NAME_ERROR) -> Trial:
    return Trial(number, state=S.FAILED, completed_at=float(number), message=message)


@pytest.mark.parametrize("options", [{}, {"exhausted": True}])
@pytest.mark.parametrize(
    ("trials", "message"),
    [
        ([failed(0), failed(1)], f"All 2 trials failed with {NAME_ERROR}"),
        ([failed(0), failed(1, "KeyError: 'a'")], "None of the 2 trials succeeded"),
        ([failed(0), trial(1, S.METRICS_UNAVAILABLE)], "None of the 2 trials succeeded"),
        ([trial(0, S.METRICS_UNAVAILABLE)], "The trial failed"),
        ([failed(0)], f"The trial failed with {NAME_ERROR}"),
    ],
)
def test_where_no_trial_of_a_notebook_succeeded_the_experiment_failed(
    trials: list[Trial], message: str, options: dict[str, bool]
) -> None:
    count = None if options else len(trials)
    for template, state in ((OURS, "Failed"), (KATIBS, "Succeeded"), (None, "Succeeded")):
        budget = spec(max_trial_count=count, trial_template=template)
        verdict = plan(budget, trials, **options).verdict
        assert verdict is not None and verdict.state == state
        assert (verdict.message == message) == (template is OURS)
        assert verdict.reason in KATIB_SUCCESSES


@pytest.mark.parametrize("state", [S.SUCCEEDED, S.EARLY_STOPPED])
def test_a_single_trial_that_was_measured_makes_a_success(state: TrialState) -> None:
    ours = spec(max_trial_count=5, trial_template=OURS)
    verdict = plan(ours, [*map(failed, range(4)), trial(4, state)]).verdict
    assert verdict is not None and verdict.state is ExperimentState.SUCCEEDED


@pytest.mark.parametrize(("parallel", "enough"), [(1, 3), (2, 4), (5, 10)])
def test_it_gives_up_when_the_first_trials_fail_with_the_same_exception(
    parallel: int, enough: int
) -> None:
    ours = spec(parallel_trial_count=parallel, max_trial_count=30, trial_template=OURS)
    trials = list(map(failed, range(enough)))
    assert plan(ours, trials[1:]).verdict is None
    decided = plan(ours, [*trials, trial(enough, S.RUNNING)])
    assert decided.stop == (enough,)
    assert decided.verdict == planning.Verdict(
        ExperimentState.FAILED,
        "ExperimentTrialsFailAlike",
        f"The first {enough} trials failed with {NAME_ERROR}",
    )
    assert plan(spec(trial_template=KATIBS), trials).verdict is None
    limited = ours.model_copy(update={"max_failed_trial_count": 30})
    assert plan(limited, trials).verdict is None


@pytest.mark.parametrize(
    "other",
    [
        failed(3, "NameError: name 'Y' is not defined"),
        failed(3, "the trial's process was killed by signal 9"),
        trial(3, S.METRICS_UNAVAILABLE),
        trial(3, S.SUCCEEDED),
        trial(3, S.EARLY_STOPPED),
    ],
)
def test_a_trial_that_ended_otherwise_keeps_it_going(other: Trial) -> None:
    assert plan(spec(trial_template=OURS), [*map(failed, range(3)), other]).verdict is None


def test_a_signal_or_a_limit_of_time_is_no_exception() -> None:
    for message in ("the trial's process was killed by signal 9", "ran longer than 5 seconds"):
        trials = [failed(number, message) for number in range(5)]
        assert plan(spec(trial_template=OURS), trials).verdict is None


def test_numbers_and_addresses_in_an_exception_do_not_count() -> None:
    text = "ValueError: lr={} of <Model at 0x7f{}> in step {}\n  is too large"
    trials = [failed(n, text.format(n / 7, "ab" * n, n)) for n in (2, 0, 1)]
    verdict = plan(spec(trial_template=OURS, parallel_trial_count=1), trials).verdict
    assert verdict is not None
    assert verdict.message == (
        "The first 3 trials failed with ValueError: lr=0.0 of <Model at 0x7f> in step 0 "
        "is too large"
    )


def test_what_failed_before_it_was_resumed_does_not_count() -> None:
    ours = spec(parallel_trial_count=1, trial_template=OURS)
    trials = list(map(failed, range(5)))
    assert planning.plan(ours, Ledger(ours.objective, trials, since=2.0)).verdict is None
    verdict = planning.plan(ours, Ledger(ours.objective, trials, since=1.0)).verdict
    assert verdict is not None
    assert verdict.message == f"After it was resumed, 3 trials failed with {NAME_ERROR}"
