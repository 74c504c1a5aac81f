"""When the costly pictures of a running experiment are drawn anew."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from hpo_lab.dashboard import pictures
from hpo_lab.dashboard.pictures import LivePictures
from hpo_lab.facade.handle import Experiment
from tests.dashboard.conftest import Make


def _draw(drawn: LivePictures, experiment: Experiment) -> None:
    summary, tally = experiment.summary(), experiment.tally()
    drawn.draw(summary, tally, experiment.record, time.time())
    for thread in threading.enumerate():
        if thread.name == "hpo_lab-importances":
            thread.join()


def test_importances_wait_while_trials_use_every_processor_and_come_when_one_is_free(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = make(trials=30)
    findings: list[str] = []
    free = 0.1
    monkeypatch.setattr(pictures, "_free_processors", lambda: free)
    monkeypatch.setattr(pictures, "importances_of", lambda _, uid: findings.append(uid))
    drawn = LivePictures(experiment.store, experiment.uid)

    _draw(drawn, experiment)
    assert findings == []
    free = 1.0
    _draw(drawn, experiment)
    assert findings == [experiment.uid]
    _draw(drawn, experiment)

    assert findings == [experiment.uid]  # nothing has changed since


def test_importances_come_on_a_busy_machine_too_where_they_take_little_of_the_time(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = make(trials=30)
    findings: list[str] = []
    monkeypatch.setattr(pictures, "_free_processors", lambda: 0.0)
    monkeypatch.setattr(pictures, "importances_of", lambda _, uid: findings.append(uid))
    drawn = LivePictures(experiment.store, experiment.uid)
    later = time.monotonic() + 200
    monkeypatch.setattr(pictures, "time", SimpleNamespace(monotonic=lambda: later))

    _draw(drawn, experiment)

    assert findings == [experiment.uid]
