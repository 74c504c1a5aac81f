"""A plan from counts that grew with the trials is the plan from all trials at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.engine.ledger import Ledger
from hpo_lab.engine.plan import GOAL_REACHED, MAX_FAILED, MAX_TRIALS, SUGGESTION_END, Plan, plan
from hpo_lab.experiment.model import (
    AlgorithmSpec,
    ExperimentSpec,
    Objective,
    ObjectiveType,
    TrialTemplate,
)
from hpo_lab.experiment.trial import Metric, Trial, TrialState, optimal_trial

_messages = st.sampled_from(["KeyError: 1", "KeyError: 2", "", "the trial's process died"])
_values = st.sampled_from([0.0, 1.0, 2.0, float("nan")])


@st.composite
def _trials(draw: st.DrawFn) -> list[Trial]:
    trials = []
    for number in range(draw(st.integers(0, 12))):
        state = draw(st.sampled_from(list(TrialState)))
        metrics = {"score": Metric.single(draw(_values))} if draw(st.booleans()) else {}
        message = draw(_messages) if state is TrialState.FAILED else ""
        trials.append(Trial(number, state=state, metrics=metrics, message=message))
    return trials


@given(
    trials=_trials(),
    direction=st.sampled_from(list(ObjectiveType)),
    goal=st.none() | st.just(2.0),
    most=st.none() | st.integers(1, 12),
    failed=st.none() | st.integers(0, 6),
    parallel=st.integers(1, 4),
    ordered=st.booleans(),
    exhausted=st.booleans(),
    data=st.data(),
)
def test_the_plan_is_the_same(
    trials, direction, goal, most, failed, parallel, ordered, exhausted, data
):
    spec = ExperimentSpec(
        objective=Objective(type=direction, goal=goal, objective_metric_name="score"),
        algorithm=AlgorithmSpec(algorithm_name="random"),
        parallel_trial_count=parallel,
        max_trial_count=most,
        max_failed_trial_count=failed,
    )
    ledger = Ledger(spec.objective)
    for trial in trials:
        ledger.put(Trial(trial.number))
    for trial in data.draw(st.permutations(trials)):
        ledger.put(Trial(trial.number, state=TrialState.RUNNING))
        ledger.put(trial)

    best = optimal_trial(spec.objective, trials)
    assert ledger.best == (best.number if best else None)
    recovered = plan(spec, Ledger(spec.objective, trials), exhausted=exhausted, ordered=ordered)
    assert plan(spec, ledger, exhausted=exhausted, ordered=ordered) == recovered
    assert recovered == planned(spec, trials, exhausted=exhausted, ordered=ordered)


def planned(spec: ExperimentSpec, trials: list[Trial], *, exhausted: bool, ordered: bool) -> Plan:
    """The plan, worked out from all trials at once."""
    best = optimal_trial(spec.objective, trials)
    unfinished = [trial.number for trial in trials if not trial.is_final]
    running = [trial.number for trial in trials if trial.state is TrialState.RUNNING]
    completed = len(trials) - len(unfinished)
    failed = sum(t.state in (TrialState.FAILED, TrialState.METRICS_UNAVAILABLE) for t in trials)
    verdict = None
    if best is not None and spec.objective.reaches_goal(
        best.metrics["score"].by(spec.objective.strategy("score"))
    ):
        verdict = GOAL_REACHED
    elif spec.max_failed_trial_count is not None and failed >= max(1, spec.max_failed_trial_count):
        verdict = MAX_FAILED
    elif spec.max_trial_count is not None and completed >= spec.max_trial_count:
        verdict = MAX_TRIALS
    elif exhausted and not unfinished:
        verdict = SUGGESTION_END
    if verdict is not None:
        return Plan(stop=tuple(unfinished), verdict=verdict)
    room = spec.parallel_trial_count - len(running)
    if spec.max_trial_count is not None:
        room = min(room, spec.max_trial_count - completed - len(running))
    start = [trial.number for trial in trials if trial.state is TrialState.CREATED][: max(0, room)]
    for number in range(len(trials), len(trials) + max(0, room - len(start))):
        must_wait = any(
            other <= number - spec.parallel_trial_count for other in [*unfinished, *start]
        )
        if exhausted or (ordered and must_wait):
            break
        start.append(number)
    return Plan(start=tuple(start))


def test_every_change_is_told_once_and_nothing_else() -> None:
    objective = Objective(type=ObjectiveType.MAXIMIZE, objective_metric_name="score")
    running = Trial(0, state=TrialState.RUNNING)
    ledger = Ledger(objective, [running])
    versions = [ledger.version]
    assert ledger.take_changed() == [running]
    assert ledger.take_changed() == []

    reported = Trial(0, state=TrialState.RUNNING, metrics={"score": Metric.single(1.0)})
    for trial in (reported, Trial(1)):
        ledger.put(trial)
        versions.append(ledger.version)
    assert versions == sorted(set(versions))

    ledger.put(reported)
    assert ledger.version == versions[-1]
    assert ledger.take_changed() == [reported, Trial(1)]


@given(trials=_trials(), parallel=st.integers(1, 2), most=st.just(4) | st.none(), data=st.data())
def test_the_plan_for_a_notebook_is_the_same(trials, parallel, most, data):
    template = {"apiVersion": "hpolab.dev/v1beta1", "kind": "NotebookTrial"}
    spec = ExperimentSpec(
        objective=Objective(type=ObjectiveType.MAXIMIZE, objective_metric_name="score"),
        algorithm=AlgorithmSpec(algorithm_name="random"),
        parallel_trial_count=parallel,
        max_trial_count=most,
        trial_template=TrialTemplate(trial_spec=template),
    )
    ledger = Ledger(spec.objective)
    for trial in data.draw(st.permutations(trials)):
        ledger.put(trial)
    assert plan(spec, ledger) == plan(spec, Ledger(spec.objective, trials))
