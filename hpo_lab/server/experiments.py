"""Answers about experiments as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import Field, create_model

from hpo_lab import __version__
from hpo_lab.experiment.model import Parameter, Value
from hpo_lab.experiment.parameter import ParameterType
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.origin import Origin
from hpo_lab.facade.resuming import resume as continued
from hpo_lab.facade.summary import Summary
from hpo_lab.options import BUDGETS, OPTIONS, read_arguments, unknown_arguments
from hpo_lab.prepare import Prepared, PreparedManifest, prepare_file, runs_here
from hpo_lab.prepare.wording import Dialect
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.server.request import ApiRequest, Body
from hpo_lab.store import NotFound
from hpo_lab.store.location import Location

__all__ = [
    "Budgets",
    "EnqueuedPoints",
    "NewExperiment",
    "about",
    "begin",
    "delete",
    "enqueue",
    "listed",
    "resume",
    "shown",
    "stop",
]

_OBJECTIVES = ("maximize", "minimize", "additional_objectives")


class NewExperiment(Body):
    """What to run: a notebook with a tuned cell, or a manifest.

    Attributes:
        path: The file, below the folder that the server serves.
        cell: Which `%%tune` cell of a notebook with several: its number or id.
        options: What wins over the file, by the names of the arguments of `hpo_lab.tune`.
        fresh: Deletes what is recorded of the experiment, and starts anew.
        store: Where it is recorded; by default where the file says, else in the first store.
    """

    path: str
    cell: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    fresh: bool = False
    store: str = ""


_BUDGETS: dict[str, Any] = {option.argument: (Any, None) for option in BUDGETS}
# What a budget may be is said by its option.
Budgets = create_model("Budgets", __base__=Body, **_BUDGETS)


class EnqueuedPoints(Body):
    """Points to be tried next.

    Attributes:
        points: Values by parameter name; parameters that are left out are drawn.
    """

    points: list[dict[str, bool | int | float | str]] = Field(min_length=1)


def about(request: ApiRequest) -> Mapping[str, Any]:
    """The version of hpo_lab, and the stores that are shown."""
    return {"version": __version__, "stores": request.stores.names}


def listed(request: ApiRequest) -> Mapping[str, Any]:
    """Every experiment at a glance, the newest of each store first; and stores that are silent."""
    summaries, silent = request.stores.summaries()
    return {
        "experiments": [_glance(store, each) for store, each in summaries],
        "silent": [{"store": store, "message": reason} for store, reason in silent.items()],
    }


def _glance(store: str, summary: Summary) -> dict[str, Any]:
    return {**summary.to_json(), "title": summary.title, "store": store, "isOver": summary.is_over}


def shown(request: ApiRequest) -> Mapping[str, Any]:
    """One experiment: at a glance, its search space, its history and its last failure."""
    with request.stores.experiment(request.uid) as experiment:
        return _shown(request.stores.name_of(experiment), experiment)


def _shown(store: str, experiment: Experiment) -> dict[str, Any]:
    summary, failure = experiment.summary(), experiment.last_failure()
    record = experiment.record
    origin = Origin.of(record)
    return {
        **_glance(store, summary),
        "file": origin.file or None,
        "cell": origin.cell or None,
        "place": record.place,
        "revision": record.revision,
        "parameters": [each.to_document() for each in record.document.spec.parameters],
        "conditions": [
            {"type": each.type.value, "reason": each.reason, "message": each.message}
            | {"time": each.time}
            for each in experiment.conditions()
        ],
        "lastFailure": None if failure is None else failure.to_json(),
    }


def stop(request: ApiRequest) -> Mapping[str, Any]:
    """Ask an experiment to stop; its interrupted trials run again when it is resumed."""
    experiment = request.stores.handle(request.uid)
    experiment.stop()
    return {"state": experiment.state}


def resume(request: ApiRequest) -> Mapping[str, Any]:
    """Continue an experiment, with new budgets where some are given."""
    experiment = request.stores.handle(request.uid)
    notices = continued(experiment.store, experiment.record, **request.body.model_dump())
    return {"state": experiment.state, "warnings": [str(notice) for notice in notices]}


def enqueue(request: ApiRequest) -> Mapping[str, Any]:
    """Have points tried in the next new trials."""
    experiment = request.stores.handle(request.uid)
    spaces = {each.name: each for each in experiment.record.document.spec.parameters}
    points = [
        {name: _exact(value, spaces.get(name)) for name, value in point.items()}
        for point in request.body.points
    ]
    return {"outlook": experiment.enqueue(*points)}


def _exact(value: Value, parameter: Parameter | None) -> Value:
    """The number where an integer that JavaScript cannot hold was sent as a text."""
    is_integer = parameter is not None and parameter.parameter_type is ParameterType.INT
    if is_integer and isinstance(value, str) and value.removeprefix("-").isdecimal():
        return int(value)
    return value


def delete(request: ApiRequest) -> None:
    """Delete an experiment, its trials and their files; one that runs is stopped first."""
    request.stores.handle(request.uid).delete()


def begin(request: ApiRequest) -> Mapping[str, Any]:
    """Run the experiment of a file, or continue it where it is recorded."""
    prepared, notices = _prepared(request)
    store = request.stores.experiments(request.body.store or _said_store(request, prepared))
    fresh = request.body.fresh or prepared.fresh
    experiment, enrolled = store.run(prepared, fresh=fresh)
    return {
        **_shown(request.stores.name_of(experiment), experiment),
        "enrolment": enrolled.how.value,
        "said": enrolled.said,
        "warnings": [*notices, *map(str, prepared.warnings)],
    }


def _said_store(request: ApiRequest, prepared: Prepared) -> str:
    """The store that the file names itself, empty for none.

    Raises:
        InvalidInput: The server does not show it.
    """
    if prepared.store is None:
        return ""
    name = str(Location.parse(prepared.store))
    if name not in request.stores.names:
        there = ", ".join(request.stores.names)
        message = f"the file says {name}, which the server does not show; there are {there}"
        raise InvalidInput([Problem("store", message)])
    return name


def _prepared(request: ApiRequest) -> tuple[Prepared, list[str]]:
    """The experiment of the file that a body names, and what its author should know.

    Raises:
        NotFound: There is no such file.
        InvalidInput: with every problem of the path, the options and the file.
    """
    body: NewExperiment = request.body
    options, problems = read_arguments(body.options)
    arguments = [*_OBJECTIVES, *(option.argument for option in OPTIONS)]
    unknown = [name for name in body.options if name not in arguments]
    problems += unknown_arguments(unknown, arguments)
    try:
        path = _path(request)
    except InvalidInput as error:
        raise InvalidInput([*problems, *error.problems]) from None
    try:
        file = prepare_file(path, options, body.cell, problems, dialect=Dialect.ARGUMENT)
        file.check_runs()
        overridden = file.overridden if isinstance(file, PreparedManifest) else ""
        said = [f"{body.path} is overridden: {overridden}"] if overridden else []
        return runs_here(file), said
    except InvalidInput as error:
        # Where the server keeps its files is no matter of those who ask.
        short = [
            replace(each, where=each.where.replace(str(path), body.path)) for each in error.problems
        ]
        raise InvalidInput(short) from None


def _path(request: ApiRequest) -> Path:
    """The file that a body names.

    Raises:
        NotFound: There is no such file.
        InvalidInput: It is no path below the folder of the server.
    """
    written = request.body.path
    try:
        root = request.root.resolve()
        path: Path = (root / written).resolve()
        is_there = path.exists()
    except (OSError, ValueError) as error:
        raise InvalidInput([Problem("path", f"found {written!r:.200}; {error}")]) from None
    if path == root or not path.is_relative_to(root):
        message = f"{written!r} is not below the folder of the server"
        raise InvalidInput([Problem("path", message)])
    if not is_there:
        raise NotFound(f"there is no file {written!r}")
    return path
