"""Answers about experiments as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, create_model

from hpo_lab import __version__
from hpo_lab.dashboard.hints import failure_groups, values_at_bounds
from hpo_lab.dashboard.selection import best_so_far
from hpo_lab.experiment.model import ExperimentSpec, Parameter, Value
from hpo_lab.experiment.parameter import ParameterType
from hpo_lab.facade.assigned import notebook_defaults
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.origin import Origin
from hpo_lab.facade.resuming import resume as continued
from hpo_lab.facade.summary import Summary
from hpo_lab.facade.tally import Tally
from hpo_lab.options import BUDGETS, OPTIONS, read_arguments, unknown_arguments
from hpo_lab.prepare import Prepared, PreparedManifest, prepare_file, runs_here
from hpo_lab.prepare.wording import Dialect
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.server.request import ApiRequest, Body, Fields
from hpo_lab.server.trials import served
from hpo_lab.store import NotFound
from hpo_lab.store.location import Location

__all__ = [
    "Budgets",
    "EnqueuedPoints",
    "Listing",
    "NewExperiment",
    "about",
    "begin",
    "delete",
    "enqueue",
    "listed",
    "resume",
    "shown",
    "stop",
    "trace",
]

_NAMED = 20
"""Trials that failed alike are named up to so many."""

_OBJECTIVES = ("maximize", "minimize", "additional_objectives")


_STEPS = 24
"""Of so many steps a curve is made that is as small as a word."""


class Listing(Fields):
    """Which experiments are asked for.

    Attributes:
        uid: At most 100 of them; by default all.
    """

    uid: list[Annotated[str, Field(pattern="^[0-9a-f]{32}$")]] = Field(
        default_factory=list, max_length=100
    )


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
    """Every experiment at a glance, the newest of each store first; and stores that are silent.

    Of the uids that are asked for, those of experiments that are gone are left out.
    """
    summaries, silent = request.stores.summaries(request.query.uid)
    return {
        "experiments": [_glance(store, each) for store, each in summaries],
        "silent": [{"store": store, "message": reason} for store, reason in silent.items()],
    }


def _glance(store: str, summary: Summary) -> dict[str, Any]:
    return {
        **summary.to_json(),
        "title": summary.title,
        "store": store,
        "isOver": summary.is_over,
        "created": summary.created_at,
        "ended": summary.ended,
        "file": summary.file or None,
        "place": summary.place,
        "revision": summary.revision,
        **({} if summary.set_up is None else {"setUpSeconds": round(summary.set_up, 3)}),
    }


def trace(request: ApiRequest) -> Mapping[str, Any]:
    """The best so far in a few steps, for a picture as small as a word; the size of the front."""
    with request.stores.experiment(request.uid) as experiment:
        tally = experiment.tally()
        curve = best_so_far(tally)
        several = bool(tally.objective.additional_objectives)
        front = len(experiment.summary().front) if several else None
    steps = list(enumerate(curve[:1]))
    steps += [(at, new) for at, (old, new) in enumerate(pairwise(curve), 1) if new != old]
    if len(steps) > _STEPS:
        gap = (len(steps) - 1) / (_STEPS - 1)
        steps = [steps[round(index * gap)] for index in range(_STEPS)]
    return {"steps": steps, "length": len(curve), "front": front}


def shown(request: ApiRequest) -> Mapping[str, Any]:
    """One experiment: at a glance, its search space, its history and its last failure."""
    with request.stores.experiment(request.uid) as experiment:
        return _shown(request.stores.name_of(experiment), experiment, request.root)


def _shown(store: str, experiment: Experiment, root: Path) -> dict[str, Any]:
    summary, failure = experiment.summary(), experiment.last_failure()
    record = experiment.record
    return {
        **_glance(store, summary),
        "cell": Origin.of(record).cell or None,
        "notebook": _notebook(record.project, summary.file, root),
        "parameters": [each.to_document() for each in record.document.spec.parameters],
        "written": notebook_defaults(experiment),
        "budgets": _budgets(record.document.spec),
        "hints": _hints(summary, experiment.tally()),
        "conditions": [
            {"type": each.type.value, "reason": each.reason, "message": each.message}
            | {"time": each.time}
            for each in experiment.conditions()
        ],
        "lastFailure": None if failure is None else failure.to_json(),
    }


def _notebook(project: str, file: str, root: Path) -> dict[str, Any] | None:
    """Where the file of an experiment is; None where there is none."""
    path = Path(project, file)
    return served(path, root) if project and file and path.is_file() else None


def _budgets(spec: ExperimentSpec) -> dict[str, Any]:
    """How far it may go, by the names of the fields of a request to resume it."""
    return {
        "trials": spec.max_trial_count,
        "parallel": spec.parallel_trial_count,
        "timeout": spec.active_deadline_seconds,
        "goal": spec.objective.goal,
        "max_failed": spec.max_failed_trial_count,
    }


def _hints(summary: Summary, tally: Tally) -> dict[str, Any]:
    """What a person should be told of the trials."""
    return {
        "bounds": [asdict(each) for each in values_at_bounds(summary, tally)],
        "failures": [
            {
                "message": each.message,
                "count": len(each.numbers),
                "trials": each.numbers[:_NAMED],
                "inCommon": each.in_common,
            }
            for each in failure_groups(summary, tally)
        ],
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
    return {"outlook": experiment.enqueue(*points, by_command=False)}


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
        **_shown(request.stores.name_of(experiment), experiment, request.root),
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
