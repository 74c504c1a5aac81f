"""Bringing an experiment into the store: a new one is created, a known one is continued."""

from __future__ import annotations

import time
from collections.abc import Mapping
from enum import StrEnum

from hpo_lab.engine.ledger import Ledger
from hpo_lab.engine.plan import plan
from hpo_lab.experiment.identity import differences, identity
from hpo_lab.experiment.model import ExperimentDocument, ResumePolicy
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.running.warm_start import WARM_START, warm_start
from hpo_lab.search.points import waiting_points
from hpo_lab.store import Artifact, ExperimentRecord, NameTaken, NotFound, Store

__all__ = ["Enrolment", "enrol", "revise", "stop_described"]


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


def enrol(
    store: Store, experiment: ExperimentDocument, files: Mapping[str, tuple[str, bytes]]
) -> tuple[ExperimentRecord, Enrolment]:
    """Create *experiment* in *store*, or find it there and take over its new budgets.

    Args:
        store: The store.
        experiment: What to run, already checked.
        files: Its source files by name: media type and content.

    Raises:
        InvalidInput: when another experiment has the name, each difference being a problem;
            or when it cannot learn from those that it names.
    """
    known = store.experiment(experiment.name, experiment.namespace)
    if known is None:
        try:
            return _create(store, experiment, files), Enrolment.CREATED
        except NameTaken:
            # Created by another process after the look.
            return enrol(store, experiment, files)
    if known.identity != identity(experiment.spec):
        raise _taken(known, experiment)
    return revise(store, known, experiment)


def _create(
    store: Store, experiment: ExperimentDocument, files: Mapping[str, tuple[str, bytes]]
) -> ExperimentRecord:
    artifacts = [
        Artifact(name=name, media_type=kind, content=content)
        for name, (kind, content) in files.items()
    ]
    prior = warm_start(store, experiment)
    if prior is not None:
        artifacts.append(prior.artifact)
    record = store.create_experiment(
        experiment, identity=identity(experiment.spec), artifacts=artifacts
    )
    if prior is not None:
        store.set_condition(record.uid, ExperimentState.CREATED, WARM_START, prior.message)
    return record


def revise(
    store: Store, known: ExperimentRecord, experiment: ExperimentDocument
) -> tuple[ExperimentRecord, Enrolment]:
    """Take over the budgets of *experiment* and say whether there is something to do.

    Raises:
        InvalidInput: The experiment has ended, the budgets leave something to do, and its
            resume policy is `Never`.
    """
    known = _again(store, known)
    trials = store.trials(known.uid)
    at_end = known.reason == "ExperimentSuggestionEndReached"
    ends = plan(
        experiment.spec,
        Ledger(experiment.spec.objective, trials),
        elapsed=known.running_seconds(time.time()),
        exhausted=at_end and not any(waiting_points(known.document.spec, trials)),
    )
    ended = known.state in (ExperimentState.SUCCEEDED, ExperimentState.FAILED)
    never = experiment.spec.resume_policy is ResumePolicy.NEVER
    if ended and never and ends.verdict is None and not known.is_active(time.time()):
        raise InvalidInput([Problem("spec.resumePolicy", _NEVER.format(known.reason))])
    active = known.is_active(time.time())
    if not active and known.state.is_final and ends.verdict is not None:
        # Nothing is written: whoever refuses this leaves the record as it was.
        return known, Enrolment.COMPLETE
    if known.document.spec != experiment.spec:
        document = known.document.model_copy(update={"spec": experiment.spec})
        store.update_spec(known.uid, document)
    # A runner that has recorded an end, or is asked to stop, takes no new budgets; the next
    # runner waits for its lease.
    is_ending = known.state.is_final or known.stop_requested
    if known.is_active(time.time()) and not is_ending:
        return _again(store, known), Enrolment.RUNNING
    if known.state.is_final and ends.verdict is not None:
        return _again(store, known), Enrolment.COMPLETE
    store.clear_stop(known.uid)
    store.set_condition(
        known.uid,
        ExperimentState.RESTARTING,
        "ExperimentRestarting",
        "Experiment is restarting",
    )
    return _again(store, known), Enrolment.CONTINUED


def stop_described(store: Store, experiment: ExperimentDocument) -> None:
    """Stop the experiment that *experiment* describes.

    Raises:
        InvalidInput: There is none of its name, or it is another one.
    """
    known = store.experiment(experiment.name, experiment.namespace)
    if known is None:
        message = f"is 0, which stops an experiment; there is none called {experiment.name!r}"
        raise InvalidInput([Problem("spec.maxTrialCount", message)])
    if known.identity != identity(experiment.spec):
        raise _taken(known, experiment)
    store.request_stop(known.uid)


def _again(store: Store, known: ExperimentRecord) -> ExperimentRecord:
    record = store.experiment_by_uid(known.uid)
    if record is None:
        raise NotFound(f"experiment {known.name!r} was deleted meanwhile")
    return record


def _taken(known: ExperimentRecord, experiment: ExperimentDocument) -> InvalidInput:
    problems = [
        Problem(
            "name",
            f"{known.name!r} is taken by another experiment ({known.state.value}); "
            f"choose another --name, or delete that one: hpo-lab delete {known.name} "
            "(%hpo delete in a notebook)",
        )
    ]
    problems += [
        Problem(path, "the cell, or a cell it needs, has changed" if _is_source(path) else change)
        for path, change in differences(known.document.spec, experiment.spec)
    ]
    return InvalidInput(problems)


def _is_source(path: str) -> bool:
    return path.endswith(".source")
