"""The Python way in: `hpo_lab.tune`, `hpo_lab.get` and the `Experiment` they return."""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Never

from hpo_lab.experiment.space import Domain
from hpo_lab.facade.experiments import Experiments
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.viewer import Viewer, show_with
from hpo_lab.facade.waiting import Callback
from hpo_lab.options import read_arguments, unknown_arguments
from hpo_lab.prepare import prepare_file, prepare_function, runs_here
from hpo_lab.prepare.wording import Dialect
from hpo_lab.problems import InvalidInput, Problem

__all__ = ["Experiment", "Experiments", "get", "tune"]


def _dashboard() -> Viewer:
    from hpo_lab.dashboard.watching import ExperimentViewer

    return ExperimentViewer()


show_with(_dashboard)


def tune(
    objective: Callable[..., Any] | str | Path,
    space: Mapping[str, Domain | str] | None = None,
    *,
    maximize: str | Sequence[str] | None = None,
    minimize: str | Sequence[str] | None = None,
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
    timeout: float | str | None = None,
    trial_timeout: float | str | None = None,
    trial_memory: int | str | None = None,
    trial_output: int | str | None = None,
    kernel: str | None = None,
    isolation: str | None = None,
    keep: str | None = None,
    max_failed: int | None = None,
    additional_metrics: Sequence[str] = (),
    strategies: Mapping[str, str] | None = None,
    cell: str | None = None,
    fresh: bool = False,
    callbacks: Sequence[Callback] | Callback = (),
    block: bool = False,
    store: str | Path | None = None,
    **unknown: Never,
) -> Experiment:
    """Tune a function, a notebook cell or what a manifest describes, in the background.

    The same experiment is continued, whatever its form. After a change, one whose name nobody
    chose is a new revision, `train-2`; one whose name was chosen is an error.

    Args:
        objective: A function, called with one assignment per trial, in a process of its own:
            with keywords by parameter name, or with one mapping when it takes a single
            argument that is no parameter. It returns the objective, several objectives in
            their order, or a mapping of metrics, or calls `hpo_lab.report`. Or the path of a
            notebook with a `%%tune` cell, or of a manifest (.yaml, .json), which says all the
            rest itself.
        space: The search space of a function: by name a domain such as
            `hpo_lab.loguniform(1e-4, 1e-1)`, or the same as text. A notebook has its own.
        maximize: The metric to optimise, when larger is better, or several; any name will do
            for what a function returns. A function needs this or *minimize*.
        minimize: The same, when smaller is better. With both, the metrics of *maximize* come
            first.
        additional_objectives: Further objectives in an order of your own: `minimize` or
            `maximize` by metric.
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
        name: The experiment's name; by default that of the file and function, or notebook.
        timeout: Time budget of the experiment, in seconds, or as text: `10m`, `2h`.
        trial_timeout: Time limit of one trial, as *timeout*.
        trial_memory: Memory limit of one trial, in bytes, or as text: `512M`, `2G`.
        trial_output: How much output of a trial its notebook keeps, as *trial_memory*.
        kernel: The Jupyter kernel of a notebook's trials; by default the notebook's.
        isolation: `fork` or `kernel`: whether trials share the set-up of a notebook, or the
            loaded function, and fork; by default they do where that is safe.
        keep: `best`, `failed` or `none`: whose executed notebooks are kept, and for a function
            whose things that it kept by `hpo_lab.keep`; all by default.
        max_failed: Gives up after so many failed trials; by default when the first ones all fail
            with the same exception.
        additional_metrics: Metrics that are recorded beside the objective.
        strategies: `min`, `max` or `latest` by metric: which of its values counts.
        cell: Which `%%tune` cell of a notebook with several: its number or id.
        fresh: Deletes what is recorded of the experiment, and starts anew.
        callbacks: Each is called with the experiment and a trial that has ended, by this
            process while it waits: in `wait()`, or here with *block*. An exception in one ends
            the waiting.
        block: Waits for the end, and stops the experiment with this process: by Ctrl-C, by an
            exception in a callback, and when the process is killed.
        store: Path of a SQLite file or URL of a database; by default `$HPO_LAB_STORE`, else
            the user's own store.
        **unknown: There is none; what another tool calls an argument is answered by its name.

    Returns:
        The running experiment; `tune(...).wait().best` waits for its result.

    Raises:
        InvalidInput: with every problem of the arguments.
    """
    options, problems = read_arguments(locals())
    problems += unknown_arguments(unknown, list(inspect.signature(tune).parameters))
    if not isinstance(callbacks, Sequence):
        callbacks = [callbacks]
    problems += [
        Problem("callbacks", f"found {callback!r}; a function is needed")
        for callback in callbacks
        if not callable(callback)
    ]
    problems += [
        Problem(name, f"found {value!r}; True or False is needed")
        for name, value in (("fresh", fresh), ("block", block))
        if not isinstance(value, bool)
    ]
    is_file = isinstance(objective, str | Path)
    if maximize is None and minimize is None and not is_file:
        problems.append(
            Problem("tune()", "needs maximize=... or minimize=..., with the name of a metric")
        )
        raise InvalidInput(problems, "tune()")
    if is_file and space is not None:
        message = "is given by the file itself; leave it out"
        problems.append(Problem("space", message))
    try:
        if isinstance(objective, str | Path):
            file = prepare_file(Path(objective), options, cell, dialect=Dialect.ARGUMENT)
            file.check_runs()
            prepared = runs_here(file)
        else:
            prepared = prepare_function(objective, space if space is not None else {}, options)
    except InvalidInput as error:
        raise InvalidInput([*problems, *error.problems], error.source or "tune()") from None
    if problems:
        raise InvalidInput(problems, "tune()")
    for warning in prepared.warnings:
        warnings.warn(str(warning), stacklevel=2)
    experiment, enrolled = Experiments(prepared.store if store is None else store).run(
        prepared, fresh=fresh or prepared.fresh, attached=block
    )
    if enrolled.said:
        print(enrolled.said, file=sys.stderr)
    experiment.waiting.add(callbacks)
    return experiment.waiting.wait_attached() if block else experiment


def get(name: str, *, namespace: str | None = None, store: str | Path | None = None) -> Experiment:
    """The experiment called *name*: of this script or notebook's folder, else the only one.

    Args:
        name: Its name, or `NAMESPACE/NAME`, or the path of the file that makes it.
        namespace: Its namespace, where *name* says none; by default `default`, else the only
            other that has one of the name.
        store: Path of a SQLite file or URL of a database; by default `$HPO_LAB_STORE`, else
            the user's own store.

    Raises:
        InvalidInput: when there is none, the message names the nearest; or when several other
            projects or namespaces have one.
    """
    return Experiments(store).find(name, namespace)
