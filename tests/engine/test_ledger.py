"""Planning with the settled trials counted is planning with all of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.engine.plan import plan
from hpo_lab.experiment.model import AlgorithmSpec, ExperimentSpec, Objective, ObjectiveType
from hpo_lab.experiment.trial import Metric, Trial, TrialState, optimal_trial
from hpo_lab.engine.ledger import Ledger

_values = st.sampled_from([0.0, 1.0, 2.0, float("nan")])


@st.composite
def _trials(draw: st.DrawFn) -> list[Trial]:
    trials = []
    for number in range(draw(st.integers(0, 12))):
        state = draw(st.sampled_from(list(TrialState)))
        metrics = {"score": Metric.single(draw(_values))} if draw(st.booleans()) else {}
        trials.append(Trial(number, state=state, metrics=metrics))
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
    ended = plan(spec, trials, exhausted=exhausted, ordered=ordered)
    assert plan(*ledger.to_plan(spec), exhausted=exhausted, ordered=ordered) == ended
