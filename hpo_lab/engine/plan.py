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
from hpo_lab.experiment.status import GIVEN_UP, KATIB_SUCCESSES, ExperimentState
from hpo_lab.experiment.trial import Trial, TrialState, objective_value

__all__ = [
    "SUGGESTION_END",
    "Plan",
    "Verdict",
    "plan",
    "search_failed",
    "visible_history",
]

_LONGEST = 300
"""Characters of an exception in a message."""


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
    KATIB_SUCCESSES["ExperimentMaxTrialsReached"],
)
SUGGESTION_END = Verdict(
    ExperimentState.SUCCEEDED,
    "ExperimentSuggestionEndReached",
    KATIB_SUCCESSES["ExperimentSuggestionEndReached"],
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
        return _of_all(MAX_TRIALS, spec, ledger)
    if exhausted and ledger.completed == len(ledger.trials):
        return _of_all(SUGGESTION_END, spec, ledger)
    if verdict := _given_up(spec, ledger):
        return verdict
    if spec.active_deadline_seconds is not None and elapsed >= spec.active_deadline_seconds:
        return DEADLINE_FAILED if ledger.best is None else DEADLINE_REACHED
    return STOPPED if stop_requested else None


def _of_all(verdict: Verdict, spec: ExperimentSpec, ledger: Ledger) -> Verdict:
    """The *verdict* of Katib at the end of all trials; a failure where none of ours succeeded."""
    if ledger.measured or not ledger.completed or not _is_ours(spec):
        return verdict
    count, exception = ledger.completed, _exception(ledger)
    message = f"None of the {count} trials succeeded" if count > 1 else "The trial failed"
    if exception and ledger.recent == count:
        message = f"{f'All {count} trials' if count > 1 else 'The trial'} failed with {exception}"
    return Verdict(ExperimentState.FAILED, verdict.reason, message)


def _given_up(spec: ExperimentSpec, ledger: Ledger) -> Verdict | None:
    """The end of an experiment whose first trials have all failed with the same exception.

    A limit of failed trials, where there is one, decides instead. Trials that failed before
    the experiment was resumed do not count: what they failed of may be mended.
    """
    enough = max(3, 2 * spec.parallel_trial_count)
    if ledger.measured or ledger.recent < enough or spec.max_failed_trial_count is not None:
        return None
    exception = _exception(ledger)
    if not exception or not _is_ours(spec):
        return None
    which = "The first" if ledger.recent == ledger.completed else "After it was resumed,"
    message = f"{which} {ledger.recent} trials failed with {exception}"
    return Verdict(ExperimentState.FAILED, GIVEN_UP, message)


def _exception(ledger: Ledger) -> str:
    """With what all recent trials failed, in one line; empty where they did not end alike."""
    (ending, number), *others = ledger.endings.items() or [("", 0)]
    if not ending or others:
        return ""
    line = " ".join(ledger.trials[number].message.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def _is_ours(spec: ExperimentSpec) -> bool:
    """Whether its trials are notebooks or functions; Katib's rules are for objects of clusters."""
    return spec.trial_template is not None and spec.trial_template.is_ours


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
