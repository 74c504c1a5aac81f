"""What follows from each event, whether it comes once, late, twice or never."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from hpo_lab.engine.early_stopping import EarlyStopper
from hpo_lab.engine.events import (
    ANSWER_READY,
    STOP_REQUESTED,
    Answered,
    Ended,
    Event,
    Exceeded,
    Instant,
    Lost,
    Noticed,
    Refused,
    Reported,
    SpecChanged,
)
from hpo_lab.engine.instructions import (
    AskSearch,
    End,
    ExperimentEnded,
    Noted,
    Observed,
    Prepare,
    Reread,
    Start,
    TrialEnded,
    TrialRequeued,
    TrialStarted,
)
from hpo_lab.engine.ledger import Ledger
from hpo_lab.engine.scheduler import Scheduler
from hpo_lab.experiment.model import (
    AlgorithmSetting,
    AlgorithmSpec,
    EarlyStopping,
    ExperimentSpec,
    NasConfig,
    Objective,
    ObjectiveType,
)
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.observation import Observation, Outcome
from hpo_lab.search.algorithm import WAIT

DONE = Outcome(True, 100.0)


def spec(**changes: Any) -> ExperimentSpec:
    objective = Objective(
        type=ObjectiveType.MAXIMIZE,
        goal=changes.pop("goal", None),
        objective_metric_name="score",
        additional_metric_names=("loss",),
    )
    fields = {"parallel_trial_count": 2, "max_trial_count": 4, **changes}
    return ExperimentSpec(
        objective=objective, algorithm=AlgorithmSpec(algorithm_name="random"), **fields
    )


THRESHOLD = EarlyStopping(
    algorithm_name="threshold", algorithm_settings=(AlgorithmSetting(name="lower", value="0"),)
)


class Run:
    """A scheduler in a test's hands; its questions are answered at once, or by the test."""

    def __init__(
        self, experiment: ExperimentSpec, trials: Sequence[Trial] = (), **options: Any
    ) -> None:
        self.now = 1000.0
        self.answers = options.pop("answers", True)
        self.scheduler = Scheduler(
            experiment, Ledger(experiment.objective, trials), self.instant, **options
        )
        self.records: list[Any] = []
        self.actions: list[Any] = []

    @property
    def instant(self) -> Instant:
        return Instant(self.now + 1e9, self.now)

    def tell(self, *events: Event, after: float = 0.0) -> Run:
        """Tell *events* in one turn, *after* some seconds; keeps what is to be done for them."""
        self.now += after
        self.records, self.actions = [], []
        pending: list[Event] | None = list(events)
        while pending is not None:
            instructions = self.scheduler.handle(pending, self.instant)
            pending = None
            self.records += instructions.records
            for action in instructions.actions:
                if isinstance(action, AskSearch) and self.answers:
                    number = action.number
                    pending = [Answered(number, Trial(number, {"x": number}))]
                elif not isinstance(action, Prepare):
                    self.actions.append(action)
        return self

    def state(self, number: int) -> TrialState:
        return self.scheduler.ledger.trials[number].state

    def ended(self) -> dict[int, TrialEnded]:
        return {each.trial.number: each for each in self.records if isinstance(each, TrialEnded)}

    @property
    def started(self) -> list[int]:
        return [action.trial.number for action in self.actions if isinstance(action, Start)]


def score(value: float, step: int | None = None, metric: str = "score") -> Observation:
    return Observation(metric, value, 1.0, step)


def reported(
    number: int, start: int, *values: float, attempt: int = 1, metric: str = "score"
) -> Reported:
    seen = tuple(score(value, start + index, metric) for index, value in enumerate(values))
    return Reported(number, attempt, start, start + len(values), seen)


def running(number: int, attempt: int = 1, started_at: float = 1e9 + 990.0) -> Trial:
    return Trial(number, {"x": 1}, TrialState.RUNNING, attempt=attempt, started_at=started_at)


def test_records_come_before_the_starts_that_they_are_of() -> None:
    run = Run(spec()).tell()
    assert [type(record) for record in run.records] == [TrialStarted, TrialStarted]
    assert [record.is_new for record in run.records] == [True, True]
    assert run.started == [0, 1]
    assert all(record.trial.state is TrialState.RUNNING for record in run.records)
    assert {record.trial.started_at for record in run.records} == {run.now + 1e9}
    assert run.tell().records == run.actions == []


def test_a_trial_that_ends_makes_room_for_the_next() -> None:
    run = Run(spec())
    run.tell()
    run.tell(reported(0, 0, 0.5), Ended(0, 1, 1, DONE))
    kinds = [type(record) for record in run.records]
    assert kinds == [Observed, TrialEnded, TrialStarted]
    end = run.ended()[0]
    assert (end.trial.state, end.reason, end.best) == (TrialState.SUCCEEDED, "TrialSucceeded", 0)
    assert end.trial.metrics["score"].latest == 0.5
    assert run.started == [2]


def test_a_better_trial_supersedes_the_best() -> None:
    run = Run(spec())
    run.tell()
    run.tell(reported(0, 0, 0.5), Ended(0, 1, 1, DONE))
    run.tell(reported(1, 0, 0.9), Ended(1, 1, 1, DONE))
    assert (run.ended()[1].superseded, run.ended()[1].best) == (0, 1)
    run.tell(reported(2, 0, 0.1), Ended(2, 1, 1, DONE))
    assert (run.ended()[2].superseded, run.ended()[2].best) == (None, 1)


def test_what_is_told_twice_counts_once() -> None:
    run = Run(spec())
    run.tell()
    assert [r.end for r in run.tell(reported(0, 0, 0.1, 0.2)).records] == [2]
    assert run.tell(reported(0, 0, 0.1, 0.2)).records == []
    assert run.tell(reported(0, 0, 0.1)).records == run.actions == []
    run.tell(reported(0, 2, 0.3), Ended(0, 1, 3, DONE), Ended(0, 1, 3, DONE))
    assert run.scheduler.ledger.trials[0].metrics["score"].count == 3
    assert run.tell(Ended(0, 1, 3, DONE), Lost(0, 1), reported(0, 0, 5.0)).records == []
    assert run.state(0) is TrialState.SUCCEEDED


def test_what_is_missing_is_asked_for_before_an_end_is_believed() -> None:
    run = Run(spec())
    run.tell()
    run.tell(reported(0, 1, 0.2))
    assert run.records == []
    assert run.actions == [Reread(0, 1, 0)]
    run.tell(Ended(0, 1, 2, DONE))
    assert run.records == []
    assert run.actions == [Reread(0, 1, 0)]
    assert run.state(0) is TrialState.RUNNING
    run.tell(reported(0, 0, 0.1, 0.2), Ended(0, 1, 2, DONE))
    assert run.scheduler.ledger.trials[0].metrics["score"].count == 2
    assert run.state(0) is TrialState.SUCCEEDED


def test_a_lost_attempt_runs_again_and_its_late_events_are_none() -> None:
    run = Run(spec())
    run.tell()
    run.tell(reported(0, 0, 0.7))
    run.tell(Lost(0, 1))
    assert [type(record) for record in run.records] == [TrialRequeued, TrialStarted]
    assert run.records[0].trial == Trial(0, {"x": 0}, attempt=2)
    assert run.records[1].is_new is False
    # The old attempt may still run where the place has lost sight of it.
    assert run.actions == [End(0, 1), Start(run.records[1].trial)]
    assert run.records[1].trial.attempt == 2
    assert run.tell(reported(0, 1, 0.8), Ended(0, 1, 2, DONE), Lost(0, 1)).records == []
    run.tell(reported(0, 0, 0.3, attempt=2), Ended(0, 2, 1, DONE))
    assert run.ended()[0].trial.metrics["score"].count == 1
    assert run.ended()[0].trial.attempt == 2


@pytest.mark.parametrize(
    ("event", "state", "reason", "message"),
    [
        (
            Ended(0, 1, 0, Outcome(False, 5.0, "ValueError: no", "trace")),
            "Failed",
            "TrialFailed",
            "ValueError: no",
        ),
        (
            Ended(0, 1, 0, None, "was killed by signal 9"),
            "Failed",
            "TrialFailed",
            "the trial's process was killed by signal 9",
        ),
        (
            Ended(0, 1, 0, DONE),
            "MetricsUnavailable",
            "TrialMetricsUnavailable",
            "score was never reported; a finite number is needed",
        ),
        (
            Refused(0, 1, "x: no such parameter"),
            "Failed",
            "TrialNotRendered",
            "x: no such parameter",
        ),
    ],
)
def test_how_a_trial_without_a_result_is_recorded(
    event: Event, state: str, reason: str, message: str
) -> None:
    run = Run(spec())
    run.tell()
    run.tell(event)
    end = run.ended()[0]
    assert (end.trial.state.value, end.reason, end.trial.message) == (state, reason, message)
    assert end.traceback == ("trace" if "ValueError" in message else "")
    assert end.trial.completed_at == run.now + 1e9
    assert run.started == [2]


def test_an_objective_that_is_no_number_is_unavailable_but_for_a_genotype() -> None:
    cases = (
        (None, "Genotype(...)", "MetricsUnavailable"),
        (NasConfig(), "Genotype(...)", "Succeeded"),
        (NasConfig(), "nan", "MetricsUnavailable"),
    )
    for nas, text, state in cases:
        run = Run(spec(nas_config=nas))
        run.tell()
        seen = Observation("score", float("nan"), 1.0, None, text)
        run.tell(Reported(0, 1, 0, 1, (seen,)), Ended(0, 1, 1, DONE))
        assert run.state(0).value == state
        message = run.scheduler.ledger.trials[0].message
        assert message == (
            "" if state == "Succeeded" else "score was nan; a finite number is needed"
        )


def test_a_trial_is_stopped_early_once_and_recorded_as_that() -> None:
    run = Run(spec(early_stopping=THRESHOLD))
    run.tell()
    run.tell(reported(0, 0, 0.5))
    assert run.actions == []
    run.tell(reported(0, 1, -0.5))
    assert run.actions == [End(0, 1)]
    assert run.tell(reported(0, 2, -0.7)).actions == []
    run.tell(Ended(0, 1, 3, None, "was killed by signal 15"))
    end = run.ended()[0]
    assert end.trial.state is TrialState.EARLY_STOPPED
    assert end.trial.message == "its value at step 1, -0.5, is below 0"
    assert end.reason == "TrialEarlyStopped"


def test_a_trial_that_ended_by_itself_before_it_was_asked_to_has_succeeded() -> None:
    run = Run(spec(early_stopping=THRESHOLD))
    run.tell()
    run.tell(reported(0, 0, -0.5))
    run.tell(Ended(0, 1, 1, Outcome(False, run.now + 1e9 - 1, "too late", "")))
    assert run.ended()[0].trial.message == "too late"
    run.tell(reported(1, 0, -0.5))
    run.tell(Ended(1, 1, 1, Outcome(False, run.now + 1e9 + 1, "KeyboardInterrupt", "")))
    assert run.ended()[1].trial.state is TrialState.EARLY_STOPPED


def test_what_uses_too_much_is_ended() -> None:
    run = Run(spec(trial_active_deadline_seconds=10))
    run.tell()
    run.tell(Exceeded(0, 1, "TrialMemoryExceeded", "used 2 GiB"))
    assert run.actions == [End(0, 1)]
    assert run.tell(Exceeded(0, 1, "TrialMemoryExceeded", "used 3 GiB")).actions == []
    assert run.tell(after=9).actions == []
    assert run.tell(after=2).actions == [End(1, 1)]
    assert run.tell(after=2).actions == []
    run.tell(Lost(0, 1), Ended(1, 1, 0, None, "was killed by signal 15"))
    ends = run.ended()
    assert (ends[0].reason, ends[0].trial.message) == ("TrialMemoryExceeded", "used 2 GiB")
    assert (ends[1].reason, ends[1].trial.message) == (
        "TrialDeadlineExceeded",
        "ran longer than 10 seconds",
    )
    assert {end.trial.state for end in ends.values()} == {TrialState.FAILED}


def test_a_recovered_trial_has_run_since_it_started() -> None:
    run = Run(spec(trial_active_deadline_seconds=15), [running(0)], positions={0: 4})
    run.tell()
    assert run.tell(after=4).actions == []
    assert run.tell(after=2).actions == [End(0, 1)]


def test_silence_is_looked_into() -> None:
    run = Run(spec(), [running(0)], positions={0: 4}, silence=30.0)
    run.tell()
    assert run.tell(after=29).actions == []
    assert run.tell(after=2).actions == [Reread(0, 1, 4), Reread(1, 1, 0)]
    assert run.tell(after=5).actions == []
    run.tell(Reported(0, 1, 4, 5, (score(0.3),)), after=20)
    assert run.tell(after=10).actions == [Reread(1, 1, 0)]
    run.tell(Exceeded(0, 1, "TrialMemoryExceeded", "used 2 GiB"))
    assert End(0, 1) in run.tell(after=31).actions


def test_a_goal_ends_the_others_and_then_the_experiment() -> None:
    run = Run(spec(goal=0.9))
    run.tell()
    run.tell(reported(0, 0, 0.95), Ended(0, 1, 1, DONE))
    assert run.actions == [End(1, 1)]
    assert not run.scheduler.is_over
    assert run.tell(reported(1, 0, 0.2)).actions == []
    run.tell(Ended(1, 1, 1, None, "was killed by signal 15"))
    assert run.ended()[1].trial.state is TrialState.KILLED
    assert run.ended()[1].trial.message == "the experiment ended"
    assert isinstance(run.records[-1], ExperimentEnded)
    assert (run.records[-1].verdict.reason, run.records[-1].best) == ("ExperimentGoalReached", 0)
    assert run.scheduler.is_over
    assert run.tell(STOP_REQUESTED).records == []


def test_a_stop_sets_running_trials_back_and_keeps_those_that_ended_by_themselves() -> None:
    run = Run(spec())
    run.tell()
    run.tell(STOP_REQUESTED)
    assert run.actions == [End(0, 1), End(1, 1)]
    run.tell(reported(0, 0, 0.4), Ended(0, 1, 1, DONE))
    assert run.state(0) is TrialState.SUCCEEDED
    assert run.actions == []
    run.tell(Ended(1, 1, 0, None, "was killed by signal 15"))
    assert [type(record) for record in run.records] == [TrialRequeued, ExperimentEnded]
    assert run.state(1) is TrialState.CREATED
    assert run.records[-1].verdict.reason == "ExperimentStopped"


def test_what_waits_is_killed_with_the_experiment() -> None:
    run = Run(spec(goal=0.9, parallel_trial_count=1), [running(0), Trial(1, {"x": 1})])
    run.tell()
    run.tell(reported(0, 0, 0.95), Ended(0, 1, 1, DONE))
    assert run.ended()[1].trial.state is TrialState.KILLED
    assert run.scheduler.is_over


def test_the_deadline_of_the_experiment_counts_what_it_ran_before() -> None:
    run = Run(spec(active_deadline_seconds=60), elapsed=50.0)
    run.tell()
    assert run.tell(after=9).actions == []
    assert run.tell(after=2).actions == [End(0, 1), End(1, 1)]
    run.tell(Lost(0, 1), Lost(1, 1))
    assert not [record for record in run.records if isinstance(record, TrialRequeued)]
    assert {end.trial.state for end in run.ended().values()} == {TrialState.KILLED}
    assert run.records[-1].verdict.state.value == "Failed"


def test_a_search_that_has_nothing_left_ends_the_experiment_after_its_trials() -> None:
    run = Run(spec(), answers=False)
    assert run.tell().actions == [AskSearch(0)]
    assert run.tell().actions == []
    run.tell(Answered(0, Trial(0, {"x": 1})))
    assert run.started == [0]
    assert run.actions[-1] == AskSearch(1)
    run.tell(Answered(1, None))
    assert run.actions == []
    assert run.tell(Answered(1, Trial(1, {}))).records == []
    run.tell(reported(0, 0, 0.5), Ended(0, 1, 1, DONE))
    assert run.records[-1].verdict.reason == "ExperimentSuggestionEndReached"


def test_a_search_that_fails_ends_the_experiment_with_its_error() -> None:
    run = Run(spec(), answers=False)
    run.tell()
    run.tell(Answered(0, None, "ValueError: no"))
    verdict = run.records[-1].verdict
    assert (verdict.state.value, verdict.reason) == ("Failed", "ExperimentSuggestionFailed")
    assert "ValueError: no" in verdict.message


def test_a_search_that_waits_is_asked_again_when_something_happens() -> None:
    run = Run(spec(), answers=False)
    run.tell()
    run.tell(Answered(0, Trial(0, {})))
    run.tell(Answered(1, WAIT))
    assert run.actions == []
    assert run.tell(after=1).actions == []
    assert run.tell(reported(0, 0, 0.5)).actions == []
    assert run.tell(ANSWER_READY).actions == [AskSearch(1)]
    run.tell(Answered(1, WAIT))
    assert run.tell(Ended(0, 1, 1, DONE)).actions == [AskSearch(1)]


def test_more_budget_and_new_points_make_an_exhausted_search_go_on() -> None:
    run = Run(spec(), answers=False)
    run.tell()
    run.tell(Answered(0, Trial(0, {})))
    run.tell(Answered(1, None))
    assert run.tell(SpecChanged(spec(max_trial_count=9))).actions == [AskSearch(1)]


def test_budgets_are_those_of_the_latest_specification() -> None:
    run = Run(spec(max_trial_count=1))
    assert run.tell().started == [0]
    assert run.tell(SpecChanged(spec(max_trial_count=4, parallel_trial_count=3))).started == [1, 2]


def test_a_report_of_nothing_is_none() -> None:
    run = Run(spec())
    run.tell()
    assert run.tell(Reported(0, 1, 0, 0, ())).records == run.actions == []


def test_a_new_attempt_has_a_curve_of_its_own() -> None:
    rounds = (AlgorithmSetting(name="rounds", value="2"),)
    patience = EarlyStopping(algorithm_name="patience", algorithm_settings=rounds)
    run = Run(spec(early_stopping=patience))
    run.tell()
    run.tell(reported(0, 0, 0.1, 0.9))
    run.tell(Lost(0, 1))
    assert run.tell(reported(0, 0, 0.5, 0.2, attempt=2)).actions == []
    assert run.tell(reported(0, 2, 0.3, attempt=2)).actions == [End(0, 2)]


def test_the_rule_is_told_of_the_trials_that_have_ended() -> None:
    settings = {"min_trials_required": "1", "start_step": "1"}
    median = EarlyStopping(
        algorithm_name="medianstop",
        algorithm_settings=tuple(AlgorithmSetting(name=n, value=v) for n, v in settings.items()),
    )
    run = Run(spec(early_stopping=median))
    run.tell()
    assert run.tell(reported(1, 0, 0.1, 0.1)).actions == []
    run.tell(reported(0, 0, 0.8, 0.9), Ended(0, 1, 2, DONE))
    assert run.tell(reported(1, 2, 0.1)).actions == [End(1, 1)]


def test_a_slow_answer_holds_up_neither_a_stop_nor_an_interrupted_trial() -> None:
    run = Run(spec(), [running(0)], answers=False)
    assert run.tell().actions == [AskSearch(1)]
    run.tell(Lost(0, 1))
    assert [type(action) for action in run.actions] == [End, Start]
    run.tell(STOP_REQUESTED)
    assert run.actions == [End(0, 2)]
    assert run.tell(Answered(1, Trial(1, {}))).records == []


def test_a_notice_is_noted() -> None:
    run = Run(spec())
    run.tell(Noticed("TrialsNotForked", "because"))
    assert Noted("TrialsNotForked", "because") in run.records


def test_an_interrupted_trial_that_was_bad_is_not_run_again() -> None:
    experiment = spec(early_stopping=THRESHOLD)
    stopper = EarlyStopper.recovered(experiment, [running(0)], {0: [score(-1.0, 0)]})
    run = Run(experiment, [running(0)], stopping=stopper)
    run.tell(Lost(0, 1))
    assert run.ended()[0].trial.state is TrialState.EARLY_STOPPED


def test_kernels_are_prepared_for_the_next_new_trials_alone() -> None:
    scheduler = Run(spec(parallel_trial_count=3, max_trial_count=4)).scheduler
    now = Instant(1.0, 1.0)
    first = scheduler.handle([], now).actions
    assert first == [Prepare(range(2)), AskSearch(0)]
    for number in range(3):
        actions = scheduler.handle([Answered(number, Trial(number, {}))], now).actions
    assert [action for action in actions if isinstance(action, Prepare)] == [Prepare(range(3, 4))]
    actions = scheduler.handle([Ended(0, 1, 0, None, "died")], now).actions
    assert actions == [Prepare(range(3, 4)), AskSearch(3)]
    actions = scheduler.handle([Answered(3, None)], now).actions
    assert actions == [Prepare(range(3, 3))]


def test_a_signal_that_looks_like_an_exception_is_an_interruption() -> None:
    run = Run(spec(trial_active_deadline_seconds=10))
    run.tell()
    run.tell(STOP_REQUESTED, after=9)
    assert run.tell(Exceeded(0, 1, "TrialMemoryExceeded", "used 2 GiB"), after=3).actions == []
    asked_at = run.now + 1e9 - 3
    run.tell(
        Ended(0, 1, 0, Outcome(False, asked_at + 1, "SystemExit: 1")),
        Ended(1, 1, 0, Outcome(False, asked_at - 1, "ValueError: before")),
    )
    assert [type(each) for each in run.records] == [TrialRequeued, TrialEnded, ExperimentEnded]
    assert run.ended()[1].trial.message == "ValueError: before"


def test_an_answer_that_budgets_no_longer_allow_starts_nothing() -> None:
    run = Run(spec(), answers=False)
    run.tell()
    run.tell(Answered(0, Trial(0, {})))
    run.tell(SpecChanged(spec(parallel_trial_count=1)))
    assert run.tell(Answered(1, Trial(1, {}))).started == []
    assert run.tell(SpecChanged(spec())).actions == [AskSearch(1)]


def test_a_rule_that_raises_is_off_and_says_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("of the rule")

    monkeypatch.setattr("hpo_lab.stopping.own.Threshold.should_stop", fail)
    run = Run(spec(early_stopping=THRESHOLD))
    run.tell()
    notes = [each for each in run.tell(reported(0, 0, -1.0)).records if isinstance(each, Noted)]
    assert [note.reason for note in notes] == ["EarlyStoppingFailed"]
    assert "ZeroDivisionError: of the rule" in notes[0].message
    assert run.actions == []
    assert [type(each) for each in run.tell(reported(1, 0, -1.0)).records] == [Observed]


def test_reports_that_are_gone_are_given_up_in_the_end() -> None:
    run = Run(spec())
    run.tell()
    run.tell(reported(0, 0, 0.3))
    for _ in range(10):
        assert run.tell(Ended(0, 1, 2, DONE)).actions == [Reread(0, 1, 1)]
    run.tell(Ended(0, 1, 2, DONE))
    assert run.state(0) is TrialState.SUCCEEDED
