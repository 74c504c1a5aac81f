"""Points that a person wants to be tried next."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from hpo_lab.counting import counted
from hpo_lab.engine.ledger import Ledger
from hpo_lab.engine.plan import plan
from hpo_lab.experiment.choices import read_choice
from hpo_lab.experiment.model import ExperimentDocument, ResumePolicy, Value
from hpo_lab.experiment.points import point_problems
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import Trial
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.search.points import waiting_points
from hpo_lab.store import ExperimentRecord, Store

__all__ = ["enqueue"]


def enqueue(
    store: Store,
    record: ExperimentRecord,
    points: Sequence[Mapping[str, Value]],
    *,
    by_command: bool = True,
) -> str:
    """Have *points* tried in the next new trials of an experiment, in their order.

    Args:
        store: The store.
        record: The experiment; a runner that is at it sees the points at its next look.
        points: Values by parameter name; parameters left out are drawn.
        by_command: Whether the sentence names the command that resumes the experiment.

    Returns:
        When they will be tried, or what that takes, in one sentence.

    Raises:
        InvalidInput: A point is not in the space, or nothing can make the experiment run.
    """
    parameters = record.document.spec.parameters
    problems = [
        Problem("point", f"found {point!r}; values by parameter name are needed")
        for point in points
        if not isinstance(point, Mapping)
    ]
    if problems:
        raise InvalidInput(problems)
    points = [{name: read_choice(value) for name, value in point.items()} for point in points]
    problems += [
        problem
        for index, point in enumerate(points)
        for problem in point_problems(
            parameters, point, "point" if len(points) == 1 else f"point {index}"
        )
    ]
    if not points or not all(points):
        problems.append(Problem("point", "is empty; give a value for at least one parameter"))
    ended = record.state in (ExperimentState.SUCCEEDED, ExperimentState.FAILED)
    if ended and record.document.spec.resume_policy is ResumePolicy.NEVER:
        message = f"has ended ({record.reason}), and its resumePolicy 'Never' does not let it go on"
        problems.append(Problem(record.name, message))
    if problems:
        raise InvalidInput(problems)
    document = store.enqueue(record.uid, points)
    resume = store.command(f"resume {record.title}") if by_command else ""
    return _outlook(record, document, store.trials(record.uid), resume)


def _outlook(
    record: ExperimentRecord, document: ExperimentDocument, trials: Sequence[Trial], resume: str
) -> str:
    spec, now = document.spec, time.time()
    waiting = sum(1 for _ in waiting_points(spec, trials))
    said = f"{counted(waiting, 'point waits', 'points wait')} to be tried"
    if spec.max_trial_count is not None and waiting > spec.max_trial_count - len(trials):
        room = max(0, spec.max_trial_count - len(trials))
        needed = len(trials) + waiting
        more = f"raise it: {resume} --trials {needed}" if resume else f"raise it to {needed}"
        return (
            f"{said}, and the budget of {counted(spec.max_trial_count, 'trial')} leaves room for "
            f"{room}; {more}"
        )
    if record.is_active(now):
        return f"{said} next"
    ledger = Ledger(spec.objective, trials)
    if plan(spec, ledger, elapsed=record.running_seconds(now)).verdict is not None:
        how = resume or "resume it"
        return f"{said}; {record.title} has ended ({record.message}): {how} with a larger budget"
    if resume:
        return f"{said}; {record.title} does not run: {resume}"
    return f"{said}; it does not run; resume it to have {'it' if waiting == 1 else 'them'} tried"
