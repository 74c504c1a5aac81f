"""A summary kept up to date from changes is the one that all trials together give."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.experiment.model import (
    AdditionalObjective,
    ExperimentDocument,
    Metadata,
    Objective,
    ObjectiveType,
    TrialTemplate,
)
from hpo_lab.experiment.space import uniform
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import (
    FAILURES,
    Metric,
    Trial,
    TrialState,
    candidates,
    latest_text,
    optimal_trial,
    pareto_front,
)
from hpo_lab.facade.tally import Tally
from hpo_lab.options import TuneOptions
from hpo_lab.store import ExperimentRecord

ONE = Objective(type=ObjectiveType.MAXIMIZE, objective_metric_name="score")
FURTHER = AdditionalObjective(type=ObjectiveType.MINIMIZE, objective_metric_name="cost")
TWO = ONE.model_copy(update={"additional_objectives": (FURTHER,)})

_SPEC = TuneOptions(direction=ObjectiveType.MAXIMIZE, metric="score").spec(
    [uniform(0, 1).named("x")], TrialTemplate()
)
RECORD = ExperimentRecord(
    uid="u",
    namespace="default",
    name="digits",
    document=ExperimentDocument(metadata=Metadata(name="digits"), spec=_SPEC),
    identity="",
    state=ExperimentState.SUCCEEDED,
    reason="",
    message="",
    created_at=0.0,
    started_at=None,
    completed_at=None,
    updated_at=0.0,
    elapsed_seconds=0.0,
    stop_requested=False,
    lease=None,
    place="local",
    revision=1,
    best=None,
)

_values = st.sampled_from([0.0, 1.0, 2.0, 3.0, float("nan")])
_metrics = st.builds(
    lambda score, cost, text: {
        "score": Metric.single(float("nan"), text) if text else Metric.single(score),
        "cost": Metric.single(cost),
    },
    _values,
    _values,
    st.sampled_from(["", "", "", "genotype"]),
)
_trials = st.builds(
    Trial,
    number=st.integers(0, 15),
    state=st.sampled_from([*TrialState, TrialState.SUCCEEDED, TrialState.SUCCEEDED]),
    metrics=_metrics,
    completed_at=st.sampled_from([None, 1.0, 2.0, 3.0]),
)
_batches = st.lists(st.lists(_trials, max_size=8), max_size=8)


@pytest.mark.parametrize("objective", [ONE, TWO], ids=["one", "two"])
@given(batches=_batches)
def test_changes_give_the_same_as_all_trials(
    objective: Objective, batches: list[list[Trial]]
) -> None:
    tally = Tally(objective)
    trials: dict[int, Trial] = {}
    for batch in batches:
        tally.update(batch)
        trials |= {trial.number: trial for trial in batch}

        ordered = [trials[number] for number in sorted(trials)]
        assert dict(tally.trials) == trials
        assert list(tally.ranked()) == [trial for _, trial in candidates(objective, ordered)]
        failed = [trial for trial in ordered if trial.state in FAILURES]
        last = max(failed, key=lambda t: (t.completed_at or 0.0, t.number), default=None)
        assert tally.last_failure == last
        started = [trial for trial in reversed(ordered) if trial.state is not TrialState.CREATED]
        assert tally.latest(3) == started[:3]

        summary = tally.summary(RECORD, 1.0)
        counts = {trial.state for trial in ordered}
        assert summary.counts == {
            state: sum(trial.state is state for trial in ordered) for state in counts
        }
        best = optimal_trial(objective, ordered)
        assert (summary.best and summary.best.number) == (best.number if best else None)
        front = pareto_front(objective, ordered) if objective is TWO else []
        assert [each.number for each in summary.front] == [trial.number for trial in front]
        text = None if best else latest_text(objective, ordered)
        assert summary.text == (text.metrics["score"].text if text else "")
        on_front = {trial.number for trial in front}
        behind = [
            t for t in reversed(ordered) if t in list(tally.ranked()) and t.number not in on_front
        ]
        assert tally.behind_front(4) == behind[:4]


def test_a_best_trial_that_runs_again_is_the_best_no_more() -> None:
    ended = [Trial(n, {}, TrialState.SUCCEEDED, {"score": Metric.single(n)}) for n in range(100)]
    tally = Tally(ONE, ended)
    tally.update([replace(ended[99], state=TrialState.RUNNING, metrics={})])
    best = tally.summary(RECORD, 1.0).best
    assert best is not None and best.number == 98
