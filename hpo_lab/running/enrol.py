"""Bringing an experiment into the store: a new experiment is created, a recorded one continued."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from enum import StrEnum

from hpo_lab.engine.ledger import Ledger
from hpo_lab.engine.plan import plan
from hpo_lab.experiment.identity import identity
from hpo_lab.experiment.model import ExperimentDocument, ResumePolicy
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.running.warm_start import WARM_START, warm_start
from hpo_lab.search.points import waiting_points
from hpo_lab.store import Artifact, ExperimentRecord, NotFound, Store, Transaction

__all__ = ["Enrolment", "create", "made_of", "revise"]

_REVISION = "Revision"
"""Reason of the condition that says what an experiment is a revision of."""
_NEVER = (
    "is 'Never', and the experiment has ended ({}); with 'LongRunning' or 'FromVolume' a larger "
    "budget continues it"
)


class Enrolment(StrEnum):
    """What became of an experiment that was to be run."""

    CREATED = "created"
    CONTINUED = "continued"
    RUNNING = "running"
    """It runs already; changed budgets reach its runner."""
    COMPLETE = "complete"
    """It has ended and its budgets leave nothing to do."""


def create(
    store: Store,
    experiment: ExperimentDocument,
    files: Mapping[str, tuple[str, bytes]],
    *,
    project: str = "",
    origin: str | None = None,
    note: str = "",
    replaces: str | None = None,
    makes_room: Callable[[], None] = lambda: None,
) -> ExperimentRecord:
    """Create *experiment*.

    Args:
        store: The store.
        experiment: What to run, already checked.
        files: Its source files by name: media type and content.
        project: The folder that it belongs to.
        origin: What its name was made of; None where a person chose the name.
        note: What its history says of its making; see `made_of`.
        replaces: The uid of the experiment that is deleted as this is created.
        makes_room: Called before that, when it is known that it can be made.

    Raises:
        InvalidInput: It cannot learn from those that it names.
        NameTaken: The project has an experiment of this name.
    """
    artifacts = [
        Artifact(name=name, media_type=kind, content=content)
        for name, (kind, content) in files.items()
    ]
    prior = warm_start(store, experiment, project)
    if prior is not None:
        artifacts.append(prior.artifact)
    makes_room()
    notes = {_REVISION: note, WARM_START: prior.message if prior else ""}
    return store.create_experiment(
        experiment,
        identity=identity(experiment.spec),
        artifacts=artifacts,
        project=project,
        origin=origin,
        replaces=replaces,
        notes={reason: message for reason, message in notes.items() if message},
    )


def made_of(store: Store, uid: str) -> str:
    """What an experiment is a revision of, and learns from; a sentence each, or nothing."""
    told = {condition.reason: condition.message for condition in store.conditions(uid)}
    return ". ".join(told[reason] for reason in (_REVISION, WARM_START) if reason in told)


def revise(
    store: Store, recorded: ExperimentRecord, experiment: ExperimentDocument
) -> tuple[ExperimentRecord, Enrolment]:
    """Take over the budgets of *experiment* and say whether there is something to do.

    All is decided and written in one transaction, or nothing is written.

    Raises:
        InvalidInput: The record cannot be read; or the experiment has ended, the budgets leave
            something to do, and its resume policy is `Never`.
    """
    recorded = _again(store, recorded)
    with store.transaction(recorded.uid) as transaction:
        enrolment = _revised(store, _again(store, recorded), experiment, transaction)
    return _again(store, recorded), enrolment


def _revised(
    store: Store,
    recorded: ExperimentRecord,
    experiment: ExperimentDocument,
    transaction: Transaction,
) -> Enrolment:
    if recorded.unreadable:
        raise InvalidInput([Problem(recorded.name, f"cannot be continued: {recorded.unreadable}")])
    if recorded.state.is_final and _leaves_nothing(store, recorded, experiment):
        # Nothing is written: whoever refuses this leaves the record as it was.
        return Enrolment.COMPLETE
    ended = recorded.state in (ExperimentState.SUCCEEDED, ExperimentState.FAILED)
    active = recorded.is_active(time.time())
    if ended and not active and experiment.spec.resume_policy is ResumePolicy.NEVER:
        raise InvalidInput([Problem("spec.resumePolicy", _NEVER.format(recorded.reason))])
    if recorded.document.spec != experiment.spec:
        document = recorded.document.model_copy(update={"spec": experiment.spec})
        transaction.set_document(document)
    # A runner that has recorded an end, or is asked to stop, takes no new budgets; the next
    # runner waits for its lease.
    is_ending = recorded.state.is_final or recorded.stop_requested
    if active and not is_ending:
        return Enrolment.RUNNING
    transaction.set_stop_requested(False)
    transaction.set_condition(
        ExperimentState.RESTARTING, "ExperimentRestarting", "Experiment is restarting"
    )
    return Enrolment.CONTINUED


def _leaves_nothing(
    store: Store, recorded: ExperimentRecord, experiment: ExperimentDocument
) -> bool:
    """Whether the budgets of *experiment* leave nothing to do; reads every trial."""
    trials = store.trials(recorded.uid)
    at_end = recorded.reason == "ExperimentSuggestionEndReached"
    ends = plan(
        experiment.spec,
        # What trials failed of before may be mended.
        Ledger(experiment.spec.objective, trials, since=math.inf),
        elapsed=recorded.running_seconds(time.time()),
        exhausted=at_end and not any(waiting_points(recorded.document.spec, trials)),
    )
    return ends.verdict is not None


def _again(store: Store, recorded: ExperimentRecord) -> ExperimentRecord:
    record = store.experiment_by_uid(recorded.uid)
    if record is None:
        raise NotFound(f"experiment {recorded.name!r} was deleted meanwhile")
    return record
