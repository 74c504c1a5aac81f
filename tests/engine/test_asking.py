"""What is visible to the search of an ordered experiment, kept up to date."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.engine.asking import SearchMemory
from hpo_lab.engine.plan import visible_history
from hpo_lab.experiment.model import AlgorithmSpec, ExperimentSpec, Objective, ObjectiveType
from hpo_lab.experiment.trial import Metric, Trial, TrialState


@given(
    parallel=st.lists(st.integers(1, 4), min_size=12, max_size=12),
    order=st.permutations(range(12)),
)
def test_what_is_visible_is_that_of_all_trials_at_once(parallel, order) -> None:
    objective = Objective(type=ObjectiveType.MAXIMIZE, objective_metric_name="score")
    memory = SearchMemory([Trial(-1, {"x": 0}, TrialState.SUCCEEDED)])
    trials: dict[int, Trial] = {}
    for number in range(12):
        spec = ExperimentSpec(
            objective=objective,
            algorithm=AlgorithmSpec(algorithm_name="tpe"),
            parallel_trial_count=parallel[number],
            seed=1,
        )
        visible = memory._revealed(spec, number)
        expected = visible_history(spec, trials.values(), number)
        assert [t for t in visible.trials if t.number >= 0] == list(expected)
        assert visible.trials[0].number == -1
        started = Trial(number, {"x": number}, TrialState.RUNNING)
        ends = [n for n in order if n in trials and not trials[n].is_final][:1]
        measured = {"score": Metric.single(1.0)}
        ended = [replace(trials[n], state=TrialState.SUCCEEDED, metrics=measured) for n in ends]
        for trial in [started, *ended]:
            trials[trial.number] = trial
            memory.put(trial)
