"""The Python way in: `hpo_lab.tune`, `hpo_lab.get` and the `Experiment` they return."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpo_lab.dashboard.summary import Best, Summary, is_live, summarise, trial_row
from hpo_lab.experiment.model import Value
from hpo_lab.experiment.space import Domain
from hpo_lab.local.launch import RUNNER_LOG, launch
from hpo_lab.options import BUDGETS, Option, read_arguments
from hpo_lab.prepare import Prepared, prepare_function, prepare_notebook
from hpo_lab.prepare.checking import every_problem
from hpo_lab.prepare.wording import as_argument, worded
from hpo_lab.problems import InvalidInput, Problem, nearest
from hpo_lab.running.enqueue import enqueue
from hpo_lab.running.enrol import Enrolment, enrol, revise
from hpo_lab.store import ExperimentRecord, Store, open_store

if TYPE_CHECKING:
    import pandas

__all__ = ["Experiment", "get", "prepare_resume", "run_in_background", "tune"]

_POLL = 0.1


class Experiment:
    """A handle on a recorded experiment; every answer is read from the store."""

    def __init__(self, store: Store, uid: str, name: str, namespace: str = "default") -> None:
        """Make a handle; use `hpo_lab.get` or `hpo_lab.tune` instead."""
        self.store = store
        self.uid = uid
        self.name = name
        self.namespace = namespace

    def __repr__(self) -> str:
        summary = self.summary()
        best = f", best {summary.best.value:g}" if summary.best else ""
        return f"<Experiment {self.name}: {summary.state}, {summary.completed} trials{best}>"

    @property
    def record(self) -> ExperimentRecord:
        """The experiment as recorded now.

        Raises:
            LookupError: when it was deleted.
        """
        record = self.store.experiment_by_uid(self.uid)
        if record is None:
            raise LookupError(f"experiment {self.name!r} was deleted")
        return record

    def summary(self) -> Summary:
        """The experiment at a glance, as it is now."""
        return summarise(self.record, self.store.trials(self.uid), time.time())

    @property
    def state(self) -> str:
        """`Created`, `Running`, `Succeeded`, `Failed`, `Stopped`, or `Interrupted`."""
        return self.summary().state

    @property
    def best(self) -> Best | None:
        """The optimal trial so far, None while no trial has a finite objective."""
        return self.summary().best

    @property
    def pareto_front(self) -> tuple[Best, ...]:
        """The trials of which none is better in every objective than another.

        The best in the first objective comes first, and is `best`. With one objective it is
        `best` alone.
        """
        summary = self.summary()
        return summary.front or ((summary.best,) if summary.best else ())

    def trials(self) -> pandas.DataFrame | list[dict[str, Any]]:
        """The trials, one row each: a DataFrame where pandas is installed, else a list."""
        spec = self.record.document.spec
        rows = [trial_row(spec, trial) for trial in self.store.trials(self.uid)]
        try:
            import pandas
        except ImportError:
            return rows
        return pandas.DataFrame(rows).set_index("number") if rows else pandas.DataFrame()

    def wait(self, timeout: float | None = None) -> Experiment:
        """Wait until nothing runs any more; an interrupt stops the waiting alone.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            This handle, so that `tune(...).wait().best` reads well.

        Raises:
            TimeoutError: when *timeout* passed first.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while is_live(self.record, time.time()):
            if until is not None and time.monotonic() >= until:
                raise TimeoutError(f"experiment {self.name!r} still runs after {timeout:g} seconds")
            time.sleep(_POLL)
        return self

    def stop(self) -> None:
        """Ask the experiment to stop; interrupted trials run again when it is resumed."""
        self.store.request_stop(self.uid)

    def resume(
        self,
        *,
        trials: int | None = None,
        parallel: int | None = None,
        timeout: float | None = None,
        goal: float | None = None,
        max_failed: int | None = None,
    ) -> Experiment:
        """Continue a stopped, interrupted or finished experiment in the background.

        Args:
            trials: New number of trials in all.
            parallel: New number of trials at a time.
            timeout: New time budget, in seconds of running in all.
            goal: New goal of the objective.
            max_failed: New number of failed trials to give up after.

        Raises:
            InvalidInput: when a budget is not valid, or the experiment is complete and the
                budgets leave nothing to do.
        """
        record, enrolment = prepare_resume(
            self.store,
            self.record,
            trials=trials,
            parallel=parallel,
            timeout=timeout,
            goal=goal,
            max_failed=max_failed,
        )
        if enrolment is not Enrolment.RUNNING:
            launch(self.store, record)
        return self

    def enqueue(self, *points: Mapping[str, Value]) -> str:
        """Have *points* tried in the next new trials, in their order.

        Args:
            *points: Values by parameter name; what is left out is drawn.

        Returns:
            When they will be tried, or what that takes, in one sentence.

        Raises:
            InvalidInput: when a point is not in the space, or the experiment has ended and
                cannot be continued.
        """
        return enqueue(self.store, self.record, points)

    def delete(self) -> None:
        """Delete the experiment, its trials and their files; a running one ends first."""
        if self.record.is_active(time.time()):
            self.stop()
            self.wait(timeout=30)
        self.store.delete_experiment(self.uid)

    @property
    def log(self) -> Path:
        """Log of the background runner."""
        return self.store.folder(self.uid) / RUNNER_LOG


def prepare_resume(
    store: Store,
    record: ExperimentRecord,
    option: Callable[[Option], str] = as_argument,
    **budgets: Any,
) -> tuple[ExperimentRecord, Enrolment]:
    """Take over new budgets (see `Experiment.resume`), without starting a runner.

    Args:
        store: Where the experiment is recorded.
        record: The experiment.
        option: How a budget is written, for messages.
        **budgets: As of `Experiment.resume`.

    Raises:
        InvalidInput: when they do not fit, or leave nothing to do.
    """
    options, problems = read_arguments(budgets, BUDGETS)
    document = options.onto(record.document)
    spec = record.document.spec
    places = [parameter.name for parameter in spec.parameters]
    problems += [worded(one, option, places, record.name) for one in every_problem(document)]
    if problems:
        raise InvalidInput(problems)
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
    timeout: float | str | None = None,
    trial_timeout: float | str | None = None,
    trial_memory: int | str | None = None,
    trial_output: int | str | None = None,
    isolation: str | None = None,
    keep: str | None = None,
    max_failed: int | None = None,
    additional_metrics: Sequence[str] = (),
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
        timeout: Time budget of the experiment, in seconds, or as text: `10m`, `2h`.
        trial_timeout: Time limit of one trial, as *timeout*.
        trial_memory: Memory limit of one trial, in bytes, or as text: `512M`, `2G`.
        trial_output: How much output of a trial its notebook keeps, as *trial_memory*.
        isolation: `fork` or `kernel`: whether the trials of a notebook share its set-up.
        keep: `best`, `failed` or `none`: whose executed notebooks are kept; all by default.
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
    options, problems = read_arguments(locals())
    is_notebook = isinstance(objective, str | Path)
    if maximize is None and minimize is None and not is_notebook:
        problems.append(Problem("tune()", "needs either maximize=... or minimize=..."))
        raise InvalidInput(problems, "tune()")
    if is_notebook and space is not None:
        message = "is given by the notebook's annotations; leave it out"
        problems.append(Problem("space", message))
    try:
        if isinstance(objective, str | Path):
            prepared = prepare_notebook(objective, options, cell=cell)
        else:
            prepared = prepare_function(objective, space or {}, options)
    except InvalidInput as error:
        raise InvalidInput([*problems, *error.problems], error.source or "tune()") from None
    if problems:
        raise InvalidInput(problems, "tune()")
    return run_in_background(open_store(store), prepared)[0]


def run_in_background(store: Store, prepared: Prepared) -> tuple[Experiment, Enrolment]:
    """Enrol a prepared experiment and start a runner where one is needed."""
    record, enrolment = enrol(store, prepared.experiment, prepared.files)
    if enrolment in (Enrolment.CREATED, Enrolment.CONTINUED):
        launch(store, record)
    return Experiment(store, record.uid, record.name, record.namespace), enrolment


def get(name: str, *, namespace: str = "default", store: str | Path | None = None) -> Experiment:
    """The experiment called *name*.

    Args:
        name: Its name.
        namespace: Its namespace.
        store: Path of a SQLite file or URL of a database; by default `$HPO_LAB_STORE`, else
            the user's own store.

    Raises:
        InvalidInput: when there is none; the message names the nearest.
    """
    opened = open_store(store)
    record = opened.experiment(name, namespace)
    if record is None:
        known = [record.name for record in opened.experiments(namespace)]
        there = f"known are {', '.join(sorted(known))}" if known else "there are none yet"
        raise InvalidInput([Problem(name, f"no such experiment; {there}{nearest(name, known)}")])
    return Experiment(opened, record.uid, record.name, record.namespace)
