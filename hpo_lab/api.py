"""The Python way in: `hpo_lab.tune`, `hpo_lab.get` and the `Experiment` they return."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hpo_lab.experiment.model import AdditionalObjective, ObjectiveType
from hpo_lab.experiment.space import Domain
from hpo_lab.facade.experiments import Experiments
from hpo_lab.facade.handle import Experiment
from hpo_lab.options import TuneOptions, parse_values
from hpo_lab.prepare import prepare_function, prepare_notebook
from hpo_lab.prepare.checking import every_problem
from hpo_lab.prepare.wording import as_argument, worded
from hpo_lab.problems import InvalidInput, Problem, nearest
from hpo_lab.running.enrol import Enrolment, revise
from hpo_lab.store import ExperimentRecord, Store

__all__ = ["Experiment", "get", "prepare_resume", "tune"]


def prepare_resume(
    store: Store,
    record: ExperimentRecord,
    option: Callable[[str], str] = as_argument,
    **budgets: Any,
) -> tuple[ExperimentRecord, Enrolment]:
    """Take over new budgets (see `Experiment.resume`), without starting a runner.

    Args:
        store: Where the experiment is recorded.
        record: The experiment.
        option: How a budget of that name is written, for messages.
        **budgets: As of `Experiment.resume`.

    Raises:
        InvalidInput: when they do not fit, or leave nothing to do.
    """
    fields = {
        "trials": "max_trial_count",
        "parallel": "parallel_trial_count",
        "timeout": "active_deadline_seconds",
        "max_failed": "max_failed_trial_count",
    }
    given = {name: value for name, value in budgets.items() if value is not None}
    spec = record.document.spec
    update = {fields[name]: value for name, value in given.items() if name in fields}
    if "goal" in given:
        update["objective"] = spec.objective.model_copy(update={"goal": given["goal"]})
    document = record.document.model_copy(update={"spec": spec.model_copy(update=update)})
    places = [parameter.name for parameter in spec.parameters]
    found = [worded(one, option, places, record.name) for one in every_problem(document)]
    if found:
        raise InvalidInput(found)
    record, enrolment = revise(store, record, document)
    if enrolment is Enrolment.COMPLETE:
        raise InvalidInput(
            [
                Problem(
                    record.name,
                    f"is complete ({record.message}); raise a budget to continue, "
                    f"for example the number of trials above {spec.max_trial_count}",
                )
            ]
        )
    return record, enrolment


def tune(
    objective: Callable[..., Any] | str | Path,
    space: Mapping[str, Domain | str] | None = None,
    *,
    maximize: str | None = None,
    minimize: str | None = None,
    additional_objectives: Mapping[str, str] | None = None,
    constraints: Sequence[str] = (),
    trials: int | None = None,
    parallel: int | None = None,
    algorithm: str | None = None,
    settings: Mapping[str, Any] | None = None,
    early_stopping: str | None = None,
    goal: float | None = None,
    seed: int | None = None,
    warm_start: str | Sequence[str] = (),
    name: str | None = None,
    timeout: float | None = None,
    trial_timeout: float | None = None,
    max_failed: int | None = None,
    additional_metrics: tuple[str, ...] = (),
    strategies: Mapping[str, str] | None = None,
    cell: str | None = None,
    store: str | Path | None = None,
) -> Experiment:
    """Tune a function or a notebook cell in the background.

    An experiment of that name that is the same is continued; another one is an error.

    Args:
        objective: A function, called with one assignment per trial, in a process of its own:
            with keywords by parameter name, or with one mapping when it takes a single
            argument that is no parameter. It returns the objective, or a mapping of metrics,
            or calls `hpo_lab.report`. Or the path of a notebook with a `%%tune` cell.
        space: The search space of a function: by name a domain such as
            `hpo_lab.loguniform(1e-4, 1e-1)`, or the same as text. A notebook has its own.
        maximize: The metric to optimise, when larger is better; any name will do for what a
            function returns. A function needs this or *minimize*.
        minimize: The same, when smaller is better.
        additional_objectives: Further objectives: `minimize` or `maximize` by metric.
        constraints: Bounds that a trial must keep to be best, such as `latency <= 20`.
        trials: How many trials to run; 20 unless a time budget is given.
        parallel: How many run at a time; 2 by default.
        algorithm: The search algorithm, `tpe` by default.
        settings: Settings of the algorithm.
        early_stopping: A rule that stops bad trials early, with its settings:
            `medianstop:start_step=3`.
        goal: Ends the experiment as soon as the objective is this good.
        seed: Makes the search reproducible.
        warm_start: Names of earlier experiments whose trials the search learns from.
        name: The experiment's name; by default that of the function or notebook.
        timeout: Time budget of the experiment, in seconds.
        trial_timeout: Time limit of one trial, in seconds.
        max_failed: Gives up after so many failed trials.
        additional_metrics: Metrics that are recorded beside the objective.
        strategies: `min`, `max` or `latest` by metric: which of its values counts.
        cell: Which `%%tune` cell of a notebook with several: its number or id.
        store: Path of a SQLite file or URL of a database; by default `$HPO_LAB_STORE`, else
            the user's own store.

    Returns:
        The running experiment; `tune(...).wait().best` waits for its result.

    Raises:
        InvalidInput: with every problem of the arguments.
    """
    if (maximize is None) == (minimize is None) and (maximize or not _is_path(objective)):
        raise InvalidInput([Problem("tune()", "needs either maximize=... or minimize=...")])
    options = TuneOptions(
        direction=_direction(maximize, minimize),
        metric=maximize or minimize,
        trials=trials,
        parallel=parallel,
        algorithm=algorithm,
        setting=tuple((key, str(value)) for key, value in (settings or {}).items()),
        goal=goal,
        seed=seed,
        warm_start=(warm_start,) if isinstance(warm_start, str) else tuple(warm_start),
        name=name,
        timeout=timeout,
        trial_timeout=trial_timeout,
        max_failed=max_failed,
        additional_metric=tuple(additional_metrics),
        strategy=tuple((strategies or {}).items()),
    )
    texts = {"--constraint": list(constraints)}
    if early_stopping is not None:
        texts["--early-stopping"] = [early_stopping]
    written, problems = parse_values(texts)
    further = _additional(additional_objectives or {}, problems)
    if problems:
        raise InvalidInput(problems, "tune()")
    options = replace(options.over(written), additional_objectives=further)
    if isinstance(objective, str | Path):
        if space is not None:
            message = "is given by the notebook's annotations; leave it out"
            raise InvalidInput([Problem("space", message)])
        prepared = prepare_notebook(objective, options, cell=cell)
    else:
        prepared = prepare_function(objective, space or {}, options)
    return Experiments(store).run(prepared)[0]


def _additional(
    given: Mapping[str, str], problems: list[Problem]
) -> tuple[AdditionalObjective, ...]:
    found = []
    directions = [direction.value for direction in ObjectiveType]
    for metric, direction in given.items():
        if direction in directions:
            type = ObjectiveType(direction)
            found.append(AdditionalObjective(type=type, objective_metric_name=metric))
            continue
        message = f"{direction!r} is no direction; allowed are {' and '.join(directions)}"
        where = f"additional_objectives[{metric!r}]"
        problems.append(Problem(where, message + nearest(str(direction), directions)))
    return tuple(found)


def _is_path(objective: object) -> bool:
    return isinstance(objective, str | Path)


def _direction(maximize: str | None, minimize: str | None) -> ObjectiveType | None:
    if maximize is not None:
        return ObjectiveType.MAXIMIZE
    return None if minimize is None else ObjectiveType.MINIMIZE


def get(name: str, *, namespace: str = "default", store: str | Path | None = None) -> Experiment:
    """The experiment called *name*.

    Args:
        name: Its name, or `NAMESPACE/NAME`.
        namespace: Its namespace, where *name* says none.
        store: Path of a SQLite file or URL of a database; by default `$HPO_LAB_STORE`, else
            the user's own store.

    Raises:
        InvalidInput: when there is none; the message names the nearest.
    """
    return Experiments(store).find(name, namespace)
