"""A handle on a recorded experiment: what it is, how it goes, and what can be done with it."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, Never

from hpo_lab.experiment.trial import Trial, objective_values
from hpo_lab.facade.best import BestTrial
from hpo_lab.facade.files import files_of, log_of, notebook_of, runner_log
from hpo_lab.facade.follower import Follower
from hpo_lab.facade.other_names import OtherNames
from hpo_lab.facade.results import Report, TrialResult, curves, reports, table_of
from hpo_lab.facade.resuming import resume
from hpo_lab.facade.summary import Best, Failure, Summary, is_live, state_of
from hpo_lab.facade.tally import Tally
from hpo_lab.facade.viewer import Picture, viewer
from hpo_lab.facade.waiting import Callback, Waiting
from hpo_lab.options import BUDGETS, unknown_arguments
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.running.enqueue import enqueue
from hpo_lab.store import (
    ArtifactRecord,
    Condition,
    ExperimentRecord,
    NotFound,
    Store,
    title_of,
)

if TYPE_CHECKING:
    import optuna
    import pandas

__all__ = ["Experiment"]

_MOST_TRIALS = 2**31
"""What a database can hold as a number."""


class Experiment(OtherNames):
    """A handle on a recorded experiment; every answer is read from the store.

    Attributes:
        store: Where it is recorded.
        uid: Identifies it for ever.
        name, namespace: Identify it among those that exist.
        follower: Reads what changed for the answers of this handle.
        waiting: Waits for its end, and calls the callbacks.
    """

    def __init__(self, store: Store, uid: str, name: str, namespace: str = "default") -> None:
        """Make a handle; use `hpo_lab.get` or `hpo_lab.tune` instead."""
        self.store = store
        self.uid = uid
        self.name = name
        self.namespace = namespace
        self.follower = Follower(store, uid)
        self.waiting = Waiting(self)

    @classmethod
    def of(cls, store: Store, record: ExperimentRecord) -> Experiment:
        """The handle on the experiment of *record*."""
        return cls(store, record.uid, record.name, record.namespace)

    def __repr__(self) -> str:
        return viewer().line(self)

    def _repr_html_(self) -> str | None:
        return viewer().panel(self)

    def _ipython_display_(self) -> None:
        viewer().display(self)

    @property
    def title(self) -> str:
        """What a person calls it: `name`, or `namespace/name`."""
        return title_of(self.namespace, self.name)

    @property
    def callbacks(self) -> list[Callback]:
        """Called by `wait` with this handle and each trial that has ended."""
        return self.waiting.callbacks

    @property
    def record(self) -> ExperimentRecord:
        """The experiment as recorded now.

        Raises:
            LookupError: when it was deleted.
        """
        record = self.store.experiment_by_uid(self.uid)
        if record is None:
            raise self._deleted()
        return record

    def _deleted(self) -> NotFound:
        return NotFound(f"experiment {self.title} was deleted meanwhile")

    # How it goes

    def summary(self) -> Summary:
        """The experiment at a glance, as it is now.

        Its trials are read where they must be compared: for a Pareto front, and for texts.
        """
        overview = self.store.overview(self.uid)
        if overview is None:
            raise self._deleted()
        objective = overview.experiment.document.spec.objective
        if objective.additional_objectives or not (overview.best or overview.is_unmeasured):
            return self.follower.look()
        first = self.store.trial(self.uid, 0)
        return Summary.of_overview(overview, time.time(), first.trial if first else None)

    def tally(self) -> Tally:
        """Its trials as they are now, and what stands out among them."""
        self.follower.look()
        return self.follower.tally

    @property
    def state(self) -> str:
        """`Created`, `Running`, `Succeeded`, `Failed`, `Stopped`, or `Interrupted`."""
        return state_of(self.record, time.time())

    def conditions(self) -> list[Condition]:
        """The states it went through, its creation first."""
        return self.store.conditions(self.uid)

    @property
    def is_live(self) -> bool:
        """Whether a runner is at it, or is expected to take it up."""
        return is_live(self.record, time.time())

    @property
    def best(self) -> BestTrial | None:
        """The optimal trial so far, None while no trial has a finite objective."""
        best = self.summary().best
        return self.with_me(best) if best else None

    @property
    def pareto_front(self) -> tuple[BestTrial, ...]:
        """The trials of which none is better in every objective than another.

        The best in the first objective comes first, and is `best`. With one objective it is
        `best` alone.
        """
        return tuple(map(self.with_me, self.summary().leading))

    def chosen(self, number: int | None = None) -> BestTrial:
        """The best trial, or trial *number* in its place.

        Raises:
            InvalidInput: when there is no such trial, or it has no finite objective.
        """
        if number is None:
            if best := self.best:
                return best
            message = "no trial has ended with a value of the objective yet"
            raise InvalidInput([Problem(self.title, message)])
        trial, objective = self._stored(number), self.record.document.spec.objective
        if objective_values(objective, trial) is None:
            message = f"has no value of the objective; it is {trial.state.value}"
            raise InvalidInput([Problem(f"trial {number}", message)])
        return self.with_me(Best.of(objective, trial))

    def with_me(self, best: Best) -> BestTrial:
        """The trial of a summary as something to ask and to run."""
        return BestTrial(best.number, best.value, best.parameters, best.values, self)

    def trial(self, number: int) -> TrialResult:
        """Trial *number*, as it is now.

        Raises:
            InvalidInput: when there is none; the message says which there are.
        """
        return TrialResult.of(self.record.document.spec.objective, self._stored(number))

    def _stored(self, number: int) -> Trial:
        is_number = isinstance(number, Integral) and 0 <= number < _MOST_TRIALS
        stored = self.store.trial(self.uid, int(number)) if is_number else None
        if stored is None:
            count = len(self.tally().trials)
            there = f"there are 0 to {count - 1}" if count else "there are none yet"
            message = f"no such trial of {self.title}; {there}"
            raise InvalidInput([Problem(f"trial {number}", message)])
        return stored.trial

    @property
    def trials(self) -> list[TrialResult]:
        """The trials as they are now, in the order of their numbers."""
        tally = self.tally()
        return [TrialResult.of(tally.objective, trial) for _, trial in sorted(tally.trials.items())]

    def dataframe(self) -> pandas.DataFrame:
        """The trials, a row for each by its number.

        There are columns for parameters, metrics and attributes under their names, and then
        `state`, `started`, `ended` (times in UTC), `seconds`, `attempt`, `message`, `parent`
        and what the search notes. A column of ours that would have the name of a parameter or
        a metric, such as `state`, is called `trial_state`.

        Raises:
            ImportError: pandas is not installed.
        """
        trials = self.trials
        parameters = self.follower.record.document.spec.parameters
        return table_of([parameter.name for parameter in parameters], trials)

    def history(self, number: int) -> list[Report]:
        """What trial *number* has reported, each report with its step, in the order of time.

        Raises:
            InvalidInput: when there is no such trial.
        """
        return reports(self.store.observations(self.uid, self._stored(number).number))

    def to_optuna(self) -> optuna.Study:
        """A study of Optuna in memory with these trials, for its tools.

        The trials have their states, times, distributions, what they reported of the first
        objective by step, and metrics, attributes and labels as user attributes. Nothing that
        is done to the study changes the experiment.
        """
        from hpo_lab.search.studies import study_of

        trials = list(self.tally().trials.values())
        document = self.record.document
        metric = document.spec.objective.objective_metric_name
        reported = curves(self.store, self.uid, metric, counts_reports=False)
        return study_of(document, trials, reported)

    def plot(
        self, figure: str = "history", *, theme: str | None = None, focus: str | Sequence[str] = ()
    ) -> Picture:
        """A picture of it as it is now; in a notebook the picture displays itself.

        Args:
            figure: `history`, `importances`, `slices`, `parallel`, `curves`, `contour`, `space`,
                `timeline`, `edf`, `pareto`, `constraints`, `rungs`, `lineage`, or one of another
                package.
            theme: `light`, `dark` or `contrast`; by default as the reader has it.
            focus: The parameters to look at; by default the figure chooses.

        Raises:
            InvalidInput: There is no such figure, theme or parameter; the message says which
                there are.
        """
        return viewer().plot(self, figure, theme, [focus] if isinstance(focus, str) else focus)

    def last_failure(self) -> Failure | None:
        """The trial that failed last, None while none has."""
        details = self.store.last_failed(self.uid)
        return Failure.of(details.trial, details.traceback) if details else None

    # Its files

    @property
    def folder(self) -> Path:
        """Where its files are on this machine; it need not exist."""
        return self.store.folder(self.uid)

    @property
    def log(self) -> Path:
        """Log of the background runner."""
        return runner_log(self.store, self.uid)

    def log_of(self, number: int) -> Path:
        """What trial *number* printed, and its traceback; the file need not exist.

        Raises:
            InvalidInput: when there is no such trial.
        """
        return log_of(self.store, self.uid, self._stored(number).number)

    def notebook_of(self, number: int) -> Path | None:
        """The executed notebook of trial *number*, None where there is none on this machine.

        Raises:
            InvalidInput: when there is no such trial.
        """
        return notebook_of(self.store, self.uid, self._stored(number).number)

    def files(self, number: int) -> list[Path]:
        """All files of trial *number* on this machine.

        Raises:
            InvalidInput: when there is no such trial.
        """
        return files_of(self.store, self.uid, self._stored(number).number)

    def artifacts(self, number: int | None = None) -> list[ArtifactRecord]:
        """What is kept with trial *number*, by default with it and all its trials."""
        return self.store.artifacts(self.uid, number)

    def artifact(self, name: str, number: int | None = None) -> ArtifactRecord | None:
        """What is kept as *name* with trial *number*, by default with the experiment itself."""
        return self.store.artifact(self.uid, name, number)

    # What can be done with it

    def wait(
        self, timeout: float | str | None = None, *, progress: bool | None = None
    ) -> Experiment:
        """Wait until nothing runs any more; an interrupt stops the waiting alone.

        The `callbacks` are called here, in this thread, with this handle and each trial that
        has ended since they were given; an exception in a callback ends the waiting, and the
        experiment goes on.

        Args:
            timeout: How long to wait at most: seconds, or `10m`, `2h`.
            progress: Whether the progress is shown; by default where a person looks: as a live
                panel in a notebook, as a bar in a terminal.

        Returns:
            This handle, so that `tune(...).wait().best` reads well.

        Raises:
            LookupError: when it was deleted.
            TimeoutError: when *timeout* passed first.
        """
        return self.waiting.wait(timeout, progress)

    def stop(self) -> bool:
        """Ask the experiment to stop; interrupted trials run again when it is resumed.

        Returns:
            Whether it runs, so that there is something to stop.
        """
        # A runner that is slow to start finds the request, too.
        is_live = self.is_live
        if is_live or not self.record.state.is_final:
            self.store.request_stop(self.uid)
        return is_live

    def resume(
        self,
        *,
        trials: int | None = None,
        parallel: int | None = None,
        timeout: float | str | None = None,
        goal: float | None = None,
        max_failed: int | None = None,
        **unknown: Never,
    ) -> Experiment:
        """Continue a stopped, interrupted or finished experiment in the background.

        Args:
            trials: New number of trials in all.
            parallel: New number of trials at a time.
            timeout: New time budget of running in all: seconds, or `10m`, `2h`.
            goal: New goal of the objective.
            max_failed: New number of failed trials to give up after.
            **unknown: There is none; what another tool calls a budget is answered by its name.

        Raises:
            InvalidInput: when a budget is not valid, or the experiment is complete and the
                budgets leave nothing to do.
        """
        budgets = [option.argument for option in BUDGETS]
        if problems := unknown_arguments(unknown, budgets, "resume()"):
            raise InvalidInput(problems)
        notices = resume(
            self.store,
            self.record,
            trials=trials,
            parallel=parallel,
            timeout=timeout,
            goal=goal,
            max_failed=max_failed,
        )
        for notice in notices:
            warnings.warn(str(notice), stacklevel=2)
        return self

    def enqueue(self, *points: Mapping[str, Any], by_command: bool = True) -> str:
        """Have *points* tried in the next new trials, in their order.

        Args:
            *points: Values by parameter name; what is left out is drawn. A choice of objects
                is given by the object or its name.
            by_command: Whether the sentence names the command that resumes the experiment.

        Returns:
            When they will be tried, or what that takes, in one sentence.

        Raises:
            InvalidInput: when a point is not in the space, or the experiment has ended and
                cannot be continued.
        """
        return enqueue(self.store, self.record, points, by_command=by_command)

    def delete(self) -> None:
        """Delete the experiment, its trials and their files; one that runs is stopped first.

        Raises:
            LookupError: when it was deleted.
        """
        self.waiting.end()
        self.store.delete_experiment(self.uid)
