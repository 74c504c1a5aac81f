"""What the runner makes of what a fork server tells."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hpo_lab.engine.events import Noticed
from hpo_lab.local import forked
from hpo_lab.local.forked import ForkedTrial, Forks
from hpo_lab.local.process import TrialProcess
from hpo_lab.trial.folder import Task


class Server:
    """Stands for a fork server: tells what a test lets it tell."""

    made: list[Server]
    told: list[Noticed]

    def __init__(self, kind: str) -> None:
        self.requests: list[Mapping[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.made.append(self)

    def set_up(self, config: Mapping[str, Any], folder: Path) -> None:
        pass

    def send(self, request: Mapping[str, Any]) -> None:
        self.requests.append(request)

    def receive(self) -> list[dict[str, Any]]:
        events, self.events = self.events, []
        return events

    def close(self) -> None:
        pass


def started_alone(task: Task, folder: Path) -> TrialProcess:
    raise AssertionError("these trials are forked")


@pytest.fixture
def forks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Forks:
    Server.made, Server.told = [], []
    monkeypatch.setattr(forked, "ForkServer", Server)
    job = {"kind": "NotebookTrial", "spec": {}}
    return Forks(job, tmp_path, tmp_path, Server.told.append, started_alone)


def start(forks: Forks, number: int) -> ForkedTrial:
    task = Task("experiment", number, {}, {}, ("score",), "")
    return forks.start(task, forks._folder / f"{number:05d}", seed=0)


def tell(forks: Forks, **event: Any) -> None:
    Server.made[-1].events.append(event)
    forks.take_events()


def test_the_end_of_a_trial_that_was_given_up_is_ignored(forks: Forks) -> None:
    trial = start(forks, 0)
    trial.ask_to_end()
    assert trial.poll() == 143

    tell(forks, event="ready", hazards=[])
    tell(forks, event="started", run="00000", pid=1)
    tell(forks, event="ended", run="00000", code=0)

    assert trial.poll() == 143


def test_a_trial_runs_once_on_a_server_that_follows_another(forks: Forks) -> None:
    first = start(forks, 0)
    tell(forks, event="ready", hazards=[])
    forks.close()
    assert first.poll() == 137

    second = start(forks, 1)
    server = Server.made[-1]
    assert len(Server.made) == 2
    assert server.requests == []
    tell(forks, event="ready", hazards=[])

    assert [request["run"] for request in server.requests] == ["00001"]
    tell(forks, event="ended", run="00001", code=0)
    assert second.poll() == 0


def test_a_set_up_that_takes_its_time_is_told_with_the_time_when_it_began(
    forks: Forks, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("time.time", lambda: now)
    start(forks, 0)
    tell(forks, event="set-up", what="running the 2 set-up cells")
    now = 1000.5
    forks.take_events()
    assert Server.told == []
    now = 1001.5
    forks.take_events()
    forks.take_events()
    now = 1008.0
    tell(forks, event="ready", hazards=[])
    forks.take_events()
    assert Server.told == [
        Noticed("TrialsSetUpRunning", "Experiment is running the 2 set-up cells", 1000.0),
        Noticed("ExperimentRunning", "Experiment is running", 1008.0),
    ]


def test_a_quick_set_up_is_not_told(forks: Forks) -> None:
    start(forks, 0)
    tell(forks, event="set-up", what="running the 1 set-up cell")
    tell(forks, event="ready", hazards=[])
    assert Server.told == []
