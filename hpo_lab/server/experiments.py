"""Answers about experiments as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from hpo_lab import __version__
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.summary import Summary
from hpo_lab.options import BUDGETS, OPTIONS, read_arguments, unknown_arguments
from hpo_lab.prepare import Prepared, PreparedCell, prepare_file, runs_here
from hpo_lab.prepare.wording import Dialect
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.server.request import ApiRequest, Fields

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


class NewExperiment(Fields):
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


class Budgets(Fields):
    """New budgets of an experiment; what is left out stays.

    Attributes:
        trials: Number of trials in all.
        parallel: Number of trials at a time.
        timeout: Time of running in all: seconds, or `10m`, `2h`.
        goal: Goal of the objective.
        max_failed: Number of failed trials to give up after.
    """

    trials: int | None = None
    parallel: int | None = None
    timeout: float | str | None = None
    goal: float | None = None
    max_failed: int | None = None


class EnqueuedPoints(Fields):
    """EnqueuedPoints to be tried next.

    Attributes:
        points: Values by parameter name; parameters that are left out are drawn.
    """

    points: list[dict[str, bool | int | float | str]]


def about(request: ApiRequest) -> Mapping[str, Any]:
    """The version of hpo_lab, and the stores that are shown."""
    return {"version": __version__, "stores": request.stores.names}


def listed(request: ApiRequest) -> Mapping[str, Any]:
    """Every experiment at a glance, the newest of each store first."""
    return {
        "experiments": [_glance(store, each) for store, each in request.stores.summaries()],
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
    return {
        **_glance(store, summary),
        "origin": record.origin,
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
    with request.stores.experiment(request.uid) as experiment:
        if experiment.is_live:
            experiment.stop()
        return {"state": experiment.state}


def resume(request: ApiRequest) -> Mapping[str, Any]:
    """Continue an experiment, with new budgets where some are given."""
    with request.stores.experiment(request.uid) as experiment:
        budgets: Budgets = request.body
        experiment.resume(**{each.argument: getattr(budgets, each.argument) for each in BUDGETS})
        return {"state": experiment.state}


def enqueue(request: ApiRequest) -> Mapping[str, Any]:
    """Have points tried in the next new trials."""
    with request.stores.experiment(request.uid) as experiment:
        return {"outlook": experiment.enqueue(*request.body.points)}


def delete(request: ApiRequest) -> None:
    """Delete an experiment, its trials and their files; one that runs is stopped first."""
    with request.stores.experiment(request.uid) as experiment:
        experiment.delete()


def begin(request: ApiRequest) -> Mapping[str, Any]:
    """Run the experiment of a file, or continue it where it is recorded."""
    prepared = _prepared(request)
    store = request.stores.experiments(request.body.store)
    fresh = request.body.fresh or prepared.fresh
    experiment, enrolled = store.run(prepared, fresh=fresh)
    return {
        **_shown(request.stores.name_of(experiment), experiment),
        "enrolment": enrolled.how.value,
        "said": enrolled.said,
        "warnings": [str(warning) for warning in prepared.warnings],
    }


def _prepared(request: ApiRequest) -> Prepared:
    """The experiment of the file that a body names.

    Raises:
        InvalidInput: with every problem of the path, the options and the file.
    """
    body: NewExperiment = request.body
    options, problems = read_arguments(body.options)
    arguments = [*_OBJECTIVES, *(option.argument for option in OPTIONS)]
    unknown = [name for name in body.options if name not in arguments]
    problems += unknown_arguments(unknown, arguments)
    path = (request.root / body.path).resolve()
    if not path.is_relative_to(request.root.resolve()):
        problems.append(Problem("path", f"{body.path!r} is not below the folder of the server"))
        raise InvalidInput(problems)
    file = prepare_file(path, options, body.cell, problems, dialect=Dialect.ARGUMENT)
    if isinstance(file, PreparedCell):
        file.check_runs()
    elif file.stops:
        message = "is 0, which stops an experiment; it has an address for that"
        raise InvalidInput([Problem("spec.maxTrialCount", message)])
    return runs_here(file)
