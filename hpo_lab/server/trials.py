"""Answers about the trials of an experiment and their files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from hpo_lab.dashboard.links import served_below
from hpo_lab.dashboard.widget.filtering import parse_filter
from hpo_lab.facade.assigned import values_as_code
from hpo_lab.facade.columns import Columns, trial_row
from hpo_lab.facade.files import content_of, tail_of
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.results import TrialResult, curves, thinned_curve
from hpo_lab.problems import InvalidInput
from hpo_lab.server.request import ApiRequest, Content, Fields
from hpo_lab.store import ArtifactRecord, NotFound

__all__ = [
    "Curves",
    "Description",
    "LogTail",
    "TrialPage",
    "artifact",
    "code",
    "learning_curves",
    "listed",
    "log",
    "matching",
    "notebook",
    "runner_log",
    "served",
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


class Description(Fields):
    """Which trials are looked for.

    Attributes:
        filter: What they are like, such as `state:failed lr < 0.01`.
    """

    filter: str = ""


class LogTail(Fields):
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
        points: How many values of a trial at most.
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
        objective = experiment.record.document.spec.objective
        answer = experiment.store.page(request.uid, page.since, page.after, page.limit + 1)
        if answer is None:
            raise NotFound(f"experiment {experiment.title} was deleted meanwhile")
    revision, trials = answer
    return {
        "revision": revision,
        "trials": [_trial(TrialResult.of(objective, trial)) for trial in trials[: page.limit]],
        "more": len(trials) > page.limit,
    }


def matching(request: ApiRequest) -> Mapping[str, Any]:
    """The numbers of the trials that a filter describes, as in the widget of a notebook.

    A filter that cannot be read is an answer too: it is written letter by letter.
    """
    with request.stores.experiment(request.uid) as experiment:
        tally, spec = experiment.tally(), experiment.record.document.spec
        rows = [trial_row(spec, trial) for trial in tally.trials.values()]
    names = Columns.of_spec(spec)
    columns = {*names.parameters.values(), *names.metrics.values(), *names.ours.values()}
    for row in rows:
        columns.update(row.said, row.labels)
    try:
        wanted = parse_filter(request.query.filter, columns)
    except InvalidInput as error:
        problems = [{"where": each.where, "message": each.message} for each in error.problems]
        return {"trials": [], "problems": problems}
    numbers = sorted(row.ours["number"] for row in rows if wanted(row))
    return {"trials": numbers, "problems": []}


def shown(request: ApiRequest) -> Mapping[str, Any]:
    """One trial, with its files."""
    with request.stores.experiment(request.uid) as experiment:
        trial = _there(experiment, request.number)
        executed = experiment.notebook_of(request.number)
        kept = experiment.artifacts(request.number)
        return {
            **_trial(trial),
            "notebook": None if executed is None else served(executed, request.root),
            "artifacts": [_artifact(each) for each in kept],
        }


def _there(experiment: Experiment, number: int) -> TrialResult:
    """Trial *number*.

    Raises:
        NotFound: There is none.
    """
    try:
        return experiment.trial(number)
    except InvalidInput as error:
        raise NotFound(str(error.problems[0])) from None


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


def served(path: Path, root: Path) -> dict[str, Any]:
    """Where a file is, and what the server calls it where it serves the file."""
    return {"path": str(path), "served": served_below(path.resolve(), root.resolve())}


def _artifact(artifact: ArtifactRecord) -> dict[str, Any]:
    return {"name": artifact.name, "mediaType": artifact.media_type, "size": artifact.size}


def learning_curves(request: ApiRequest) -> Mapping[str, Any]:
    """What trials reported of a metric, by step; long curves are thinned out."""
    asked: Curves = request.query
    with request.stores.experiment(request.uid) as experiment:
        objective = experiment.record.document.spec.objective
        metric = asked.metric or objective.objective_metric_name
        numbers = asked.trial or sorted(experiment.tally().trials)[-_CURVES:]
        # Of the trials that are asked for alone; an experiment may have reported millions.
        reported = curves(experiment.store, experiment.uid, metric, numbers)
    return {
        "metric": metric,
        "curves": [
            {"trial": number, "points": _points(reported[number], asked.points)}
            for number in numbers
            if number in reported
        ],
    }


def _points(curve: Mapping[int, float], most: int) -> list[tuple[int, float | str]]:
    """At most so many points of *curve*; JSON has no numbers that are not finite."""
    points = thinned_curve(sorted(curve.items()), most)
    return [(step, value if math.isfinite(value) else str(value)) for step, value in points]


def notebook(request: ApiRequest) -> Content:
    """The executed notebook of a trial."""
    with request.stores.experiment(request.uid) as experiment:
        path = experiment.notebook_of(_there(experiment, request.number).number)
    content = None if path is None else content_of(path)
    if content is None:
        raise NotFound(f"trial {request.number} has no notebook on this machine")
    return Content(content, "application/json", f"trial-{request.number}.ipynb")


def log(request: ApiRequest) -> Mapping[str, Any]:
    """The end of what a trial printed."""
    with request.stores.experiment(request.uid) as experiment:
        path = experiment.log_of(_there(experiment, request.number).number)
    return _tail(path, request)


def runner_log(request: ApiRequest) -> Mapping[str, Any]:
    """The end of the log of the background runner."""
    with request.stores.experiment(request.uid) as experiment:
        path = experiment.log
    return _tail(path, request)


def _tail(path: Path, request: ApiRequest) -> Mapping[str, Any]:
    tail = tail_of(path, request.query.tail)
    if tail is None:
        raise NotFound("there is no log on this machine")
    return {**asdict(tail), **served(path, request.root)}


def artifact(request: ApiRequest) -> Content:
    """What a trial kept by `hpo_lab.keep`."""
    name, number = request.path["name"], request.number
    with request.stores.experiment(request.uid) as experiment:
        record = experiment.artifact(name, _there(experiment, number).number)
    if record is None:
        raise NotFound(f"trial {number} kept nothing called {name!r}")
    content = record.content
    if content is None and record.path is not None:
        content = content_of(record.path)
    if content is None:
        raise NotFound(f"what trial {number} kept as {name!r} is not on this machine")
    return Content(content, record.media_type, name.rpartition("/")[2])


def code(request: ApiRequest) -> Mapping[str, Any]:
    """The values of a trial as Python."""
    with request.stores.experiment(request.uid) as experiment:
        return {"code": values_as_code(experiment, _there(experiment, request.number).number)}
