"""The checks that every place passes where experiments can be run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from hpo_lab.engine.events import Ended, Lost, PlaceEvent, Reported
from hpo_lab.experiment.model import ExperimentDocument, Value
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.observation import Observation
from hpo_lab.running.place import Place, UnfinishedTrial
from hpo_lab.store import ArtifactRecord

__all__ = ["PlaceCase", "check_place"]


@dataclass(frozen=True, slots=True)
class PlaceCase:
    """An experiment to check a place with.

    Attributes:
        make: Makes the place; what an earlier place ran is still there.
        experiment: The experiment.
        sources: Its source files.
        short: The assignment of a trial that reports something and succeeds within seconds.
        long: The assignment of a trial that does not end within a minute by itself.
        seconds: How long any event may take, in real time.
    """

    make: Callable[[], Place]
    experiment: ExperimentDocument
    sources: Sequence[ArtifactRecord]
    short: Mapping[str, Value]
    long: Mapping[str, Value]
    seconds: float = 60.0


def check_place(case: PlaceCase) -> None:
    """Check that a place keeps what `Place` promises.

    Raises:
        AssertionError: It does not; the message says what.
    """
    place = case.make()
    place.open(case.experiment, case.sources, ())
    try:
        unrecorded = _check_life(case, place)
        _check_wake(case, place)
        _check_end(case, place)
        interrupted = _trial(2, case.long)
        place.start(case.experiment, interrupted, 0)
    finally:
        place.close()
    _check_taking_over(case, interrupted, unrecorded)


def _trial(number: int, assignments: Mapping[str, Value], attempt: int = 1) -> Trial:
    return Trial(number, assignments, TrialState.RUNNING, attempt=attempt, started_at=time.time())


def _check_life(case: PlaceCase, place: Place) -> UnfinishedTrial:
    """A trial runs and succeeds; returned as if half of its reports were recorded."""
    trial = _trial(0, case.short)
    handle = place.handle(trial)
    assert isinstance(handle, str) and handle, "a handle is a text"
    assert handle != place.handle(replace(trial, attempt=2)), "each attempt has its own handle"
    place.prepare(range(1))
    place.start(case.experiment, trial, 0)
    assert place.handle(trial) == handle, "a handle stays the same"
    place.start(case.experiment, trial, 0)
    reports, end = _until_end(case, place, trial)
    observations = _told(reports, end, 0)
    assert observations, "what the trial reported is told"
    place.reread(trial.number, trial.attempt, 0)
    again, end = _until_end(case, place, trial)
    assert _told(again, end, 0) == observations, "what is asked for again is told again"
    assert all(file.number == 0 for file in place.files(0)), "files belong to their trial"
    place.discard(0, "no-such-file")
    return UnfinishedTrial(trial, handle, reports[0].end)


def _told(reports: Sequence[Reported], end: Ended | Lost, position: int) -> list[Observation]:
    """What a trial that succeeded reported from *position* on."""
    observations: list[Observation] = []
    for report in reports:
        assert report.start <= position, f"reports from {position} on are missing"
        if report.start == position:
            position = report.end
            observations += report.observations
    assert isinstance(end, Ended) and end.outcome is not None, "it came to its end by itself"
    assert end.outcome.succeeded, f"it succeeded: {end.outcome.message}"
    assert end.end == position, "the end says up to where there are reports"
    return observations


def _check_wake(case: PlaceCase, place: Place) -> None:
    place.events(0.0)
    began = time.monotonic()
    waker = threading.Timer(0.1, place.wake)
    waker.start()
    while time.monotonic() - began < 0.1:
        place.events(case.seconds)
    waker.join()
    assert time.monotonic() - began < case.seconds, "events() returns when it is woken"


def _check_end(case: PlaceCase, place: Place) -> None:
    trial = _trial(1, case.long)
    place.start(case.experiment, trial, 0)
    place.end(trial.number, trial.attempt + 1)
    place.events(0.2)
    place.end(trial.number, trial.attempt)
    place.end(trial.number, trial.attempt)
    _, end = _until_end(case, place, trial)
    assert isinstance(end, Lost) or end.outcome is None, "it did not come to its end by itself"


def _check_taking_over(case: PlaceCase, interrupted: Trial, unrecorded: UnfinishedTrial) -> None:
    """Another runner takes the place up; the trial still runs, or the place has lost it."""
    never_started = _trial(3, case.short)
    place = case.make()
    unfinished = [
        UnfinishedTrial(trial, place.handle(trial), 0) for trial in (interrupted, never_started)
    ]
    place.open(case.experiment, case.sources, [unrecorded, *unfinished])
    try:
        reports, end = _until_end(case, place, unrecorded.trial)
        _told(reports, end, unrecorded.position)
        place.reread(never_started.number, never_started.attempt, 0)
        _, end = _until_end(case, place, never_started)
        assert isinstance(end, Lost), "an attempt that was never started is lost"
        place.end(interrupted.number, interrupted.attempt)
        place.reread(interrupted.number, interrupted.attempt, 0)
        _, end = _until_end(case, place, interrupted)
        assert isinstance(end, Lost) or end.outcome is None, "it did not come to its end by itself"
        again = replace(interrupted, attempt=2, assignments=case.short)
        place.start(case.experiment, again, 0)
        _, end = _until_end(case, place, again)
        assert isinstance(end, Ended) and end.outcome is not None, "the next attempt runs"
    finally:
        place.close()


def _until_end(case: PlaceCase, place: Place, trial: Trial) -> tuple[list[Reported], Ended | Lost]:
    """What is told of an attempt up to its end."""
    deadline = time.monotonic() + case.seconds
    reports: list[Reported] = []
    pending: list[PlaceEvent] = []
    while time.monotonic() < deadline:
        pending += place.events(0.1)
        for event in pending:
            if getattr(event, "number", None) != trial.number:
                continue
            if getattr(event, "attempt", trial.attempt) != trial.attempt:
                continue
            if isinstance(event, Reported):
                reports.append(event)
            elif isinstance(event, Ended | Lost):
                return reports, event
        pending.clear()
    raise AssertionError(f"nothing tells the end of trial {trial.number} in {case.seconds:g} s")
