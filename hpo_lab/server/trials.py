"""Answers about the trials of an experiment and their files."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from hpo_lab.dashboard.widget.trial_html import code_of
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.results import TrialResult, curves
from hpo_lab.server.request import ApiRequest, Content, Fields
from hpo_lab.store import ArtifactRecord, NotFound

__all__ = [
    "Curves",
    "Tail",
    "TrialPage",
    "artifact",
    "code",
    "learning_curves",
    "listed",
    "log",
    "notebook",
    "runner_log",
    "shown",
]

_MOST = 1000
_CURVES = 100


class TrialPage(Fields):
    """Which trials are asked for.

    Attributes:
        since: A revision; trials that changed after it. 0 asks for all.
        after: A trial's number; trials behind it.
        limit: How many trials at most.
    """

    since: Annotated[int, Field(ge=0, lt=2**63)] = 0
    after: Annotated[int, Field(ge=-1, lt=2**31)] = -1
    limit: Annotated[int, Field(ge=1, le=_MOST)] = _MOST


class Tail(Fields):
    """How much of the end of a log is asked for.

    Attributes:
        tail: In bytes.
    """

    tail: Annotated[int, Field(ge=1, le=2**24)] = 2**16


class Curves(Fields):
    """Which reports are asked for.

    Attributes:
        metric: By default the objective.
        trial: The numbers of at most 100 trials.
        points: How many values of a trial at most; the extremes among them stay.
    """

    metric: str = ""
    trial: list[Annotated[int, Field(ge=0, lt=2**31)]] = Field(
        default_factory=list, max_length=_CURVES
    )
    points: Annotated[int, Field(ge=4, le=10_000)] = 200


def listed(request: ApiRequest) -> Mapping[str, Any]:
    """The trials that changed since a revision, in the order of their numbers.

    Where `more` is true, the next page is that after the last number, with the same `since`.
    When all pages are there, the `revision` of the first is the next `since`.
    """
    page: TrialPage = request.query
    with request.stores.experiment(request.uid) as experiment:
        tally = experiment.tally()
        revision = experiment.follower.revision
        trials: Iterable[int] = tally.trials
        if page.since:
            changes = experiment.store.changes(request.uid, page.since)
            # Of a store that was restored from a backup, all trials may have changed.
            is_older = changes is None or changes.revision < page.since
            if changes is not None and not is_older:
                trials = [trial.number for trial in changes.trials]
        numbers = sorted(number for number in trials if number > page.after)
        objective = tally.objective
        return {
            "revision": revision,
            "trials": [
                _trial(TrialResult.of(objective, tally.trials[number]))
                for number in numbers[: page.limit]
                if number in tally.trials
            ],
            "more": len(numbers) > page.limit,
        }


def shown(request: ApiRequest) -> Mapping[str, Any]:
    """One trial, with its files."""
    with request.stores.experiment(request.uid) as experiment:
        trial = experiment.trial(request.number)
        executed = experiment.notebook_of(request.number)
        kept = experiment.artifacts(request.number)
        return {
            **_trial(trial),
            "notebook": None if executed is None else _served(executed, request.root),
            "artifacts": [_artifact(each) for each in kept],
        }


def _trial(trial: TrialResult) -> dict[str, Any]:
    return {
        "number": trial.number,
        "state": trial.state.value,
        "parameters": dict(trial.parameters),
        "values": dict(trial.values),
        "metrics": dict(trial.metrics),
        "attributes": dict(trial.attributes),
        "started": None if trial.started is None else trial.started.timestamp(),
        "ended": None if trial.ended is None else trial.ended.timestamp(),
        "message": trial.message,
        "attempt": trial.attempt,
        "parent": trial.parent,
        "labels": dict(trial.labels),
    }


def _served(path: Path, root: Path) -> dict[str, Any]:
    """Where a file is, and what the server calls it where it serves the file."""
    below = path.relative_to(root) if path.is_relative_to(root) else None
    hidden = below is None or any(part.startswith(".") for part in below.parts)
    return {"path": str(path), "served": None if hidden or below is None else below.as_posix()}


def _artifact(artifact: ArtifactRecord) -> dict[str, Any]:
    return {"name": artifact.name, "mediaType": artifact.media_type, "size": artifact.size}


def learning_curves(request: ApiRequest) -> Mapping[str, Any]:
    """What trials reported of a metric, by step; long curves are thinned out."""
    asked: Curves = request.query
    with request.stores.experiment(request.uid) as experiment:
        objective = experiment.record.document.spec.objective
        metric = asked.metric or objective.objective_metric_name
        reported = curves(experiment.store, experiment.uid, metric)
        numbers = asked.trial or sorted(reported)[-_CURVES:]
        return {
            "metric": metric,
            "curves": [
                {"trial": number, "points": _thinned(reported[number], asked.points)}
                for number in numbers
                if number in reported
            ],
            "trials": len(reported),
        }


def _thinned(curve: Mapping[int, float], most: int) -> list[tuple[int, float | str]]:
    """At most so many points of *curve*: of each stretch of steps the lowest and the highest."""
    points = sorted(curve.items())
    if len(points) > most:
        width = math.ceil(len(points) / (most // 2))
        stretches = [points[at : at + width] for at in range(0, len(points), width)]
        extremes = [
            {min(each, key=_finite_value), max(each, key=_finite_value)} for each in stretches
        ]
        points = sorted(point for pair in extremes for point in pair)
    return [(step, value if math.isfinite(value) else str(value)) for step, value in points]


def _finite_value(point: tuple[int, float]) -> float:
    return point[1] if math.isfinite(point[1]) else 0.0


def notebook(request: ApiRequest) -> Mapping[str, Any]:
    """The executed notebook of a trial."""
    with request.stores.experiment(request.uid) as experiment:
        path = experiment.notebook_of(request.number)
    if path is None:
        raise NotFound(f"trial {request.number} has no notebook on this machine")
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document


def log(request: ApiRequest) -> Mapping[str, Any]:
    """The end of what a trial printed."""
    with request.stores.experiment(request.uid) as experiment:
        return _tail(experiment.log_of(request.number), request)


def runner_log(request: ApiRequest) -> Mapping[str, Any]:
    """The end of the log of the background runner."""
    with request.stores.experiment(request.uid) as experiment:
        return _tail(experiment.log, request)


def _tail(path: Path, request: ApiRequest) -> Mapping[str, Any]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            start = max(0, size - request.query.tail)
            file.seek(start)
            text = file.read(request.query.tail).decode(errors="replace")
    except FileNotFoundError:
        raise NotFound("there is no log on this machine") from None
    return {"text": text, "start": start, "size": size, **_served(path, request.root)}


def artifact(request: ApiRequest) -> Content:
    """What a trial kept by `hpo_lab.keep`."""
    name = request.path["name"]
    with request.stores.experiment(request.uid) as experiment:
        record = _kept(experiment, name, request.number)
        return Content(record.read(), record.media_type, name.rpartition("/")[2])


def _kept(experiment: Experiment, name: str, number: int) -> ArtifactRecord:
    record = experiment.artifact(name, experiment.trial(number).number)
    if record is None:
        raise NotFound(f"trial {number} kept nothing called {name!r}")
    return record


def code(request: ApiRequest) -> Mapping[str, Any]:
    """The values of a trial as Python."""
    with request.stores.experiment(request.uid) as experiment:
        return {"code": code_of(experiment, experiment.trial(request.number).number)}
