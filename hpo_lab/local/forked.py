"""Trials forked from a process that has run their set-up, seen from their runner."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hpo_lab.engine.events import Noticed
from hpo_lab.execution.client import ForkServer
from hpo_lab.experiment.model import API_VERSION
from hpo_lab.experiment.status import RUNNING, SETTING_UP
from hpo_lab.local.process import RunningTrial, end_leftovers
from hpo_lab.trial.folder import NOTEBOOK, Task
from hpo_lab.trial.supervise import GRACE

__all__ = ["ForkedTrial", "Forks", "can_fork"]

_SOON = 1.0
"""Seconds within which a set-up is done that nobody needs to hear of."""
_ALONE = {"FunctionTrial": "loads the function", "NotebookTrial": "runs its set-up"}
_PING_EVERY = 5.0
_SILENCE = 60.0
"""Seconds after which a fork server that does not answer is taken for dead."""
_KILLED = 137
_ENDED = 143


def can_fork(trial_spec: Mapping[str, Any]) -> bool:
    """Whether trials may be forked here, as far as can be said before the set-up has run.

    Args:
        trial_spec: The trial object, as in `trialTemplate.trialSpec`.
    """
    # Elsewhere the system's own libraries do not survive a fork.
    is_known = bool(trial_spec.get("kind"))
    return is_known and sys.platform == "linux" and _isolation(trial_spec) != "kernel"


def _isolation(trial_spec: Mapping[str, Any]) -> str:
    """`auto`, `fork` or `kernel`; the `spec` of a job says nothing about it."""
    is_own = trial_spec.get("apiVersion") == API_VERSION
    return str(trial_spec.get("spec", {}).get("isolation", "auto")) if is_own else "auto"


def _config(trial_spec: Mapping[str, Any], source: Path, folder: Path) -> dict[str, Any]:
    """What the fork server is to set up; see the program of each kind."""
    kind, spec = trial_spec.get("kind"), trial_spec.get("spec", {})
    isolation = {"isolation": _isolation(trial_spec)}
    if kind == "FunctionTrial":
        return {**isolation, "source": str(source), "spec": spec}
    if kind == "NotebookTrial":
        return {
            **isolation,
            "notebook": str(source / NOTEBOOK),
            "directory": spec.get("workingDirectory") or str(folder),
            "kernel": spec.get("kernelName") or "python3",
            "outputLimit": spec.get("outputLimit"),
        }
    return {**isolation, "kind": kind, "directory": str(Path.cwd())}


class ForkedTrial:
    """A trial that runs in a fork, or that waits for the set-up to find out where it runs."""

    def __init__(self, forks: Forks, task: Task, folder: Path, seed: int) -> None:
        self.folder = folder
        self.task = task
        self.seed = seed
        self.fork: int | None = None
        self.code: int | None = None
        self.own: RunningTrial | None = None
        self.lost = ""
        self._forks = forks

    @property
    def pid(self) -> int | None:
        """The process above its processes; None while it has none."""
        return self.own.pid if self.own else self.fork

    def poll(self) -> int | None:
        """The exit code of the trial, whose processes are gone then; None while it runs."""
        return self.own.poll() if self.own else self.code

    def fileno(self) -> int | None:
        """A descriptor that becomes readable at its end, where it has one of its own."""
        return self.own.fileno() if self.own else None

    def ask_to_end(self) -> None:
        """Have every process of the trial ended; returns at once."""
        if self.own:
            self.own.ask_to_end()
        else:
            self._forks.end(self)

    def wait(self) -> None:
        """Wait until the trial's processes are gone, by force when they take too long."""
        deadline = time.monotonic() + 2 * GRACE + 2
        while self.own is None and self.code is None and time.monotonic() < deadline:
            self._forks.take_events()
            time.sleep(0.01)
        if self.own:
            self.own.wait()
        elif self.code is None:
            self._forks.give_up_server()


class Forks:
    """The fork server of an experiment and the trials that it runs.

    Where the set-up cannot be shared the trials run in processes of their own.

    Attributes:
        impossible: Whether that has turned out.
    """

    def __init__(
        self,
        trial_spec: Mapping[str, Any],
        source: Path,
        folder: Path,
        tell: Callable[[Noticed], None],
        start_process: Callable[[Task, Path], RunningTrial],
        server: ForkServer | None = None,
    ) -> None:
        """Prepare the server, which begins with the set-up at the first trial, or before.

        Args:
            trial_spec: The trial object.
            source: Folder with the experiment's source files.
            folder: The experiment's folder.
            tell: Called when the set-up takes its time, when it is done then, and when the
                trials cannot be forked.
            start_process: Starts a trial in processes of its own.
            server: One that waits for a set-up.
        """
        self._kind = str(trial_spec.get("kind"))
        self._config = _config(trial_spec, source, folder)
        self._folder = folder
        self._tell = tell
        self._start_process = start_process
        self._trials: dict[str, ForkedTrial] = {}
        self._ready = False
        self._heard = self._pinged = time.monotonic()
        self._begun: float | None = None
        self._what = ""
        self._has_told = False
        self.impossible = False
        self._server: ForkServer | None = None
        self._waiting = server

    def fileno(self) -> int | None:
        """The descriptor that becomes readable when there are events."""
        return self._server.fileno() if self._server else None

    def warm_up(self) -> None:
        """Begin with the set-up, unless that is done or no use."""
        if self._server is None and not self.impossible:
            self._server, self._waiting = self._waiting or ForkServer(self._kind), None
            self._server.set_up(self._config, self._folder)

    def start(self, task: Task, folder: Path, seed: int) -> ForkedTrial:
        """Start a trial, as soon as the set-up is done; what was in *folder* is removed."""
        trial = ForkedTrial(self, task, folder, seed)
        if self.impossible:
            trial.own = self._start_process(task, folder)
            return trial
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            shutil.rmtree(folder)
            folder.mkdir()
        self.warm_up()
        self._trials[folder.name] = trial
        if self._ready:
            self._run(trial)
        return trial

    def end(self, trial: ForkedTrial) -> None:
        """End a trial, also one that still waits for the set-up."""
        if trial.code is not None:
            return
        if self._ready and self._server is not None:
            self._server.send({"end": trial.folder.name})
        else:
            self._ended(trial.folder.name, _ENDED)

    def take_events(self) -> None:
        """Take in what the server tells."""
        events = self._server.receive() if self._server else []
        if events is None:
            self._lost()
            return
        now = time.monotonic()
        if events or not (self._ready and self._trials):
            self._heard = now
        elif now - self._heard > _SILENCE:
            self._lost()
            return
        elif now - max(self._heard, self._pinged) > _PING_EVERY and self._server is not None:
            self._pinged = now
            self._server.send({"ping": 1})
        for event in events:
            match event["event"]:
                case "set-up":
                    self._begun, self._what = time.time(), event["what"]
                case "started" if event["run"] in self._trials:
                    self._trials[event["run"]].fork = event["pid"]
                case "ended":
                    self._ended(event["run"], event["code"])
                case "lost":
                    self._ended(event["run"], _KILLED, event["why"])
                case "ready" if event["hazards"]:
                    self._give_up("; ".join(event["hazards"]))
                case "ready":
                    self._ready = True
                    for trial in self._trials.values():
                        self._run(trial)
        self._tell_of_set_up()

    def close(self) -> None:
        """End the server and every trial that it runs."""
        self._close("")

    def give_up_server(self) -> None:
        """End a server that does not do what it is asked for; its other trials run again."""
        self._close("its fork server did not answer")
        end_leftovers(self._folder)

    def _close(self, lost: str) -> None:
        for server in (self._server, self._waiting):
            if server is not None:
                server.close()
        self._server, self._waiting, self._ready = None, None, False
        for name in list(self._trials):
            self._ended(name, _KILLED, lost)

    def _tell_of_set_up(self) -> None:
        """Tell of a set-up that takes its time, and of its end; another costs nothing."""
        if self._begun is None:
            return
        now, is_over = time.time(), self._ready or self.impossible
        if not is_over and not self._has_told and now - self._begun >= _SOON:
            self._has_told = True
            self._tell(Noticed(SETTING_UP, f"Experiment is {self._what}", self._begun))
        elif is_over:
            self._begun = None
            if self._ready and self._has_told:
                self._tell(Noticed(*RUNNING, now))

    def _run(self, trial: ForkedTrial) -> None:
        assert self._server is not None
        self._server.send(
            {
                "run": trial.folder.name,
                "folder": str(trial.folder),
                "task": trial.task.to_document(),
                "seed": trial.seed,
            }
        )

    def _ended(self, name: str, code: int, lost: str = "") -> None:
        # A trial that was given up, because it took too long to end, is no longer known.
        trial = self._trials.pop(name, None)
        if trial is not None:
            trial.code, trial.lost = code, lost

    def _lost(self) -> None:
        """The server is gone: during the set-up, or with the trials it was running."""
        if not self._ready:
            self._give_up("it ended its process")
            return
        self._close("its fork server was gone")
        end_leftovers(self._folder)

    def _give_up(self, reason: str) -> None:
        """Run this and all later trials in processes of their own."""
        self.impossible = True
        alone = _ALONE.get(self._kind, "starts an interpreter")
        message = f"Experiment is running; every trial {alone} itself, because {reason}"
        self._tell(Noticed("TrialsNotForked", message))
        waiting, self._trials = self._trials, {}
        if self._server is not None:
            self._server.close()
            self._server = None
        for trial in waiting.values():
            trial.own = self._start_process(trial.task, trial.folder)
