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
from hpo_lab.store import ExperimentRecord, Runner
from hpo_lab.store.lease import Lease

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


def test_a_best_trial_that_runs_again_is_the_best_no_more() -> None:
    ended = [Trial(n, {}, TrialState.SUCCEEDED, {"score": Metric.single(n)}) for n in range(100)]
    tally = Tally(ONE, ended)
    tally.update([replace(ended[99], state=TrialState.RUNNING, metrics={})])
    best = tally.summary(RECORD, 1.0).best
    assert best is not None and best.number == 98


def _running(
    trials: int | None, timeout: float | None = None, since: float = 0.0
) -> ExperimentRecord:
    """An experiment with these budgets that runs since then."""
    budgets = {"max_trial_count": trials, "active_deadline_seconds": timeout}
    document = RECORD.document.model_copy(update={"spec": _SPEC.model_copy(update=budgets)})
    lease = Lease(Runner.current(), since, since)
    return replace(RECORD, document=document, state=ExperimentState.RUNNING, lease=lease)


def _ended(number: int, start: float, end: float) -> Trial:
    metrics = {"score": Metric.single(1.0)}
    return Trial(number, {}, TrialState.SUCCEEDED, metrics, started_at=start, completed_at=end)


def _turns(parallel: int, turns: int, seconds: float, begin: float = 0.0) -> list[Trial]:
    """So many at a time, turn after turn."""
    return [
        _ended(turn * parallel + slot, begin + turn * seconds, begin + (turn + 1) * seconds)
        for turn in range(turns)
        for slot in range(parallel)
    ]


@given(st.integers(1, 8), st.integers(3, 20), st.floats(0.1, 1000.0))
def test_the_time_left_is_that_of_the_trials_left(
    parallel: int, turns: int, seconds: float
) -> None:
    tally = Tally(ONE, _turns(parallel, turns, seconds))
    left = tally.summary(_running(2 * parallel * turns), turns * seconds).left
    assert left == pytest.approx(turns * seconds, rel=0.3)


def test_what_ran_before_a_pause_says_nothing_of_the_time_left() -> None:
    earlier, later = _turns(1, 5, 1.0), _turns(1, 5, 10.0, begin=1000.0)
    again = [replace(trial, number=trial.number + 5) for trial in later]
    tally = Tally(ONE, earlier)
    assert tally.summary(_running(20, since=999.0), 1010.0).left is None
    tally.update(again)
    assert tally.summary(_running(20, since=999.0), 1050.0).left == pytest.approx(100.0)


def test_the_time_left_is_told_only_where_it_can_be_known() -> None:
    few, many = Tally(ONE, _turns(1, 2, 1.0)), Tally(ONE, _turns(1, 4, 1.0))
    assert few.summary(_running(20), 4.0).left is None
    assert many.summary(_running(None), 4.0).left is None
    assert many.summary(replace(_running(20), state=ExperimentState.STOPPED), 4.0).left is None
    assert few.summary(_running(20, timeout=60.0), 4.0).left == pytest.approx(56.0)
    assert many.summary(_running(20, timeout=60.0), 4.0).left == pytest.approx(16.0)
    assert many.summary(_running(20, timeout=10.0), 4.0).left == pytest.approx(6.0)
