"""A handle on a recorded experiment: what it is, how it goes, and what can be done with it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpo_lab.experiment.model import Value
from hpo_lab.experiment.trial import Trial, objective_values
from hpo_lab.facade.best import BestTrial
from hpo_lab.facade.files import files_of, log_of, notebook_of, runner_log
from hpo_lab.facade.follower import Follower
from hpo_lab.facade.resuming import prepare_resume
from hpo_lab.facade.summary import Best, Failure, Summary, is_live, state_of, trial_row
from hpo_lab.facade.tally import Tally
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.running.enqueue import enqueue
from hpo_lab.running.enrol import Enrolment
from hpo_lab.running.places import start_runner
from hpo_lab.store import ArtifactRecord, Condition, ExperimentRecord, NotFound, Store

if TYPE_CHECKING:
    import pandas

__all__ = ["Experiment"]


class Experiment:
    """A handle on a recorded experiment; every answer is read from the store.

    Attributes:
        store: Where it is recorded.
        uid: Identifies it for ever.
        name, namespace: Identify it among those that exist.
        follower: Reads what changed for the answers of this handle.
    """

    def __init__(self, store: Store, uid: str, name: str, namespace: str = "default") -> None:
        """Make a handle; use `hpo_lab.get` or `hpo_lab.tune` instead."""
        self.store = store
        self.uid = uid
        self.name = name
        self.namespace = namespace
        self.follower = Follower(store, uid)

    @classmethod
    def of(cls, store: Store, record: ExperimentRecord) -> Experiment:
        """The handle on the experiment of *record*."""
        return cls(store, record.uid, record.name, record.namespace)

    def __repr__(self) -> str:
        summary = self.summary()
        best = f", best {summary.best.value:g}" if summary.best else ""
        return f"<Experiment {self.title}: {summary.state}, {summary.completed} trials{best}>"

    @property
    def title(self) -> str:
        """What a person calls it: `name`, or `namespace/name`."""
        return self.name if self.namespace == "default" else f"{self.namespace}/{self.name}"

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

    def history(self) -> list[Condition]:
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
        trial, objective = self.trial(number), self.record.document.spec.objective
        if objective_values(objective, trial) is None:
            message = f"has no value of the objective; it is {trial.state.value}"
            raise InvalidInput([Problem(f"trial {number}", message)])
        return self.with_me(Best.of(objective, trial))

    def with_me(self, best: Best) -> BestTrial:
        """The trial of a summary as something to ask and to run."""
        return BestTrial(best.number, best.value, best.parameters, best.values, self)

    def trial(self, number: int) -> Trial:
        """Trial *number*, as it is now.

        Raises:
            InvalidInput: when there is none; the message says which there are.
        """
        stored = self.store.trial(self.uid, number)
        if stored is None:
            count = len(self.tally().trials)
            there = f"there are 0 to {count - 1}" if count else "there are none yet"
            message = f"no such trial of {self.title}; {there}"
            raise InvalidInput([Problem(f"trial {number}", message)])
        return stored.trial

    def trials(self) -> pandas.DataFrame | list[dict[str, Any]]:
        """The trials, one row each: a DataFrame where pandas is installed, else a list."""
        trials = self.tally().trials
        spec = self.follower.record.document.spec
        rows = [trial_row(spec, trials[number]) for number in sorted(trials)]
        try:
            import pandas
        except ImportError:
            return rows
        return pandas.DataFrame(rows).set_index("number") if rows else pandas.DataFrame()

    def last_failure(self) -> Failure | None:
        """The trial that failed last, None while none has."""
        details = self.store.last_failed(self.uid)
        if details is None:
            return None
        trial, lines = details.trial, details.traceback.strip().splitlines()
        where = lines[-1].strip() if lines else ""
        return Failure(trial.number, trial.message, "" if where == trial.message else where)

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
        return log_of(self.store, self.uid, self.trial(number).number)

    def notebook_of(self, number: int) -> Path | None:
        """The executed notebook of trial *number*, None where there is none on this machine.

        Raises:
            InvalidInput: when there is no such trial.
        """
        return notebook_of(self.store, self.uid, self.trial(number).number)

    def files(self, number: int) -> list[Path]:
        """All files of trial *number* on this machine.

        Raises:
            InvalidInput: when there is no such trial.
        """
        return files_of(self.store, self.uid, self.trial(number).number)

    def artifacts(self, number: int | None = None) -> list[ArtifactRecord]:
        """What is kept with trial *number*, by default with it and all its trials."""
        return self.store.artifacts(self.uid, number)

    def artifact(self, name: str, number: int | None = None) -> ArtifactRecord | None:
        """What is kept as *name* with trial *number*, by default with the experiment itself."""
        return self.store.artifact(self.uid, name, number)

    # What can be done with it

    def wait(self, timeout: float | None = None) -> Experiment:
        """Wait until nothing runs any more; an interrupt stops the waiting alone.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            This handle, so that `tune(...).wait().best` reads well.

        Raises:
            LookupError: when it was deleted.
            TimeoutError: when *timeout* passed first.
        """
        until = None if timeout is None else time.monotonic() + timeout
        for _ in self.follower.follow(until):
            if not is_live(self.follower.record, time.time()):
                return self
        if not self.is_live:
            return self
        raise TimeoutError(f"experiment {self.title!r} still runs after {timeout:g} seconds")

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
            start_runner(self.store, record)
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
