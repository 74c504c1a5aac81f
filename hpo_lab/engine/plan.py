"""What to do next with an experiment: start trials, stop trials, or end it.

`plan` is a pure function of the experiment and its trials. Whoever runs it, on a laptop or
in a cluster, carries out what it says, records what came of it, and asks again; a restart
at any point plans the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from operator import attrgetter

from hpo_lab.engine.ledger import Ledger
from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import Trial, TrialState, objective_value

__all__ = ["SUGGESTION_END", "Plan", "Verdict", "plan", "search_failed", "visible_history"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an experiment ends: the state it enters, the reason in one word, the message."""

    state: ExperimentState
    reason: str
    message: str


GOAL_REACHED = Verdict(
    ExperimentState.SUCCEEDED,
    "ExperimentGoalReached",
    "Experiment has succeeded because Objective goal has reached",
)
MAX_FAILED = Verdict(
    ExperimentState.FAILED,
    "ExperimentFailed",
    "Experiment has failed because max failed count has reached",
)
MAX_TRIALS = Verdict(
    ExperimentState.SUCCEEDED,
    "ExperimentMaxTrialsReached",
    "Experiment has succeeded because max trial count has reached",
)
SUGGESTION_END = Verdict(
    ExperimentState.SUCCEEDED,
    "ExperimentSuggestionEndReached",
    "Experiment has succeeded because suggestion service has reached the end",
)
DEADLINE_REACHED = Verdict(
    ExperimentState.SUCCEEDED,
    "ExperimentDeadlineReached",
    "Experiment has succeeded because its time budget is used up",
)
DEADLINE_FAILED = Verdict(
    ExperimentState.FAILED,
    "ExperimentDeadlineReached",
    "Experiment has failed because its time budget was used up before any trial succeeded",
)
STOPPED = Verdict(
    ExperimentState.STOPPED,
    "ExperimentStopped",
    "Experiment was stopped and can be resumed",
)


def search_failed(error: str) -> Verdict:
    """The end of an experiment whose algorithm raised *error* when it was asked."""
    return Verdict(
        ExperimentState.FAILED,
        "ExperimentSuggestionFailed",
        f"Experiment has failed because its search algorithm did: {error}",
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now.

    Attributes:
        start: Numbers of the trials to start, in order; those not yet recorded are new and
            need an assignment first.
        stop: Numbers of the unfinished trials to end because the experiment ends.
        verdict: How the experiment ends, once `stop` is carried out; None while it goes on.
    """

    start: tuple[int, ...] = ()
    stop: tuple[int, ...] = ()
    verdict: Verdict | None = None


def plan(
    spec: ExperimentSpec,
    ledger: Ledger,
    *,
    elapsed: float = 0.0,
    stop_requested: bool = False,
    exhausted: bool = False,
    ordered: bool = False,
) -> Plan:
    """Decide what to do next; costs the same however many trials have ended.

    Args:
        spec: The experiment.
        ledger: Every trial recorded so far.
        elapsed: Seconds the experiment has been running, over all its runs.
        stop_requested: Whether a person asked for the experiment to stop.
        exhausted: Whether the search algorithm has nothing left to suggest.
        ordered: Whether trial `n` has to wait for the trials up to
            `n - parallelTrialCount`, so that what it learns from does not depend on timing.

    Returns:
        The trials to start, or those to stop and the verdict.
    """
    verdict = _verdict(
        spec, ledger, elapsed=elapsed, stop_requested=stop_requested, exhausted=exhausted
    )
    if verdict is not None:
        return Plan(stop=tuple(sorted([*ledger.running, *ledger.waiting])), verdict=verdict)
    return Plan(start=_start(spec, ledger, exhausted=exhausted, ordered=ordered))


def _verdict(
    spec: ExperimentSpec,
    ledger: Ledger,
    *,
    elapsed: float,
    stop_requested: bool,
    exhausted: bool,
) -> Verdict | None:
    if ledger.best is not None:
        value = objective_value(spec.objective, ledger.trials[ledger.best])
        if value is not None and spec.objective.reaches_goal(value):
            return GOAL_REACHED
    most_failed = spec.max_failed_trial_count
    # As in Katib, a limit of 0 fails at the first failure, like 1.
    if most_failed is not None and ledger.failed >= max(1, most_failed):
        return MAX_FAILED
    if spec.max_trial_count is not None and ledger.completed >= spec.max_trial_count:
        return MAX_TRIALS
    if exhausted and ledger.completed == len(ledger.trials):
        return SUGGESTION_END
    if spec.active_deadline_seconds is not None and elapsed >= spec.active_deadline_seconds:
        return DEADLINE_FAILED if ledger.best is None else DEADLINE_REACHED
    return STOPPED if stop_requested else None


def _start(
    spec: ExperimentSpec, ledger: Ledger, *, exhausted: bool, ordered: bool
) -> tuple[int, ...]:
    slots = spec.parallel_trial_count - len(ledger.running)
    if spec.max_trial_count is not None:
        slots = min(slots, spec.max_trial_count - ledger.completed - len(ledger.running))
    slots = max(0, slots)
    start = ledger.waiting[:slots]
    following = ledger.last + 1
    first = ledger.first_unfinished
    while len(start) < slots and not exhausted:
        first = following if first is None else first
        if ordered and min(first, following) <= following - spec.parallel_trial_count:
            break
        start.append(following)
        following += 1
    return tuple(start)


def visible_history(
    spec: ExperimentSpec, trials: Iterable[Trial], number: int
) -> tuple[Trial, ...]:
    """What the search may know when it is asked for trial *number* of an ordered experiment.

    The results of the last `parallelTrialCount - 1` trials are hidden: they may or may not
    have arrived, depending on timing.

    Returns:
        The trials with lower numbers, sorted by number.
    """
    latest = number - spec.parallel_trial_count
    return tuple(
        trial if trial.number <= latest else replace(trial, state=TrialState.RUNNING, metrics={})
        for trial in sorted(trials, key=attrgetter("number"))
        if trial.number < number
    )
