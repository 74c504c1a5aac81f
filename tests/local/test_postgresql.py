"""Experiments recorded in PostgreSQL, by several runners at once."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from hpo_lab.experiment.trial import TrialState

pytestmark = pytest.mark.postgresql


@pytest.fixture
def location(new_database) -> str:
    return new_database()


def reported(x):
    from hpo_lab import report

    for step in range(4):
        report(step=step, score=x * step)


def test_runners_share_a_database_and_one_that_is_killed_is_continued(store, enrolled):
    records = [enrolled(reported, name=name, trials=10, parallel=2) for name in ("one", "two")]
    command = [sys.executable, "-m", "hpo_lab.local"]
    environment = {**os.environ, "HPO_LAB_STORE": store.location}

    def start(record):
        return subprocess.Popen([*command, record.uid], env=environment)

    one, two = map(start, records)
    while sum(trial.is_final for trial in store.trials(records[0].uid)) < 3:
        assert one.poll() is None
    one.kill()
    one.wait()
    assert start(records[0]).wait(timeout=120) == 0
    assert two.wait(timeout=120) == 0
    for record in records:
        trials = store.trials(record.uid)
        assert [trial.number for trial in trials] == list(range(10))
        assert {trial.state for trial in trials} == {TrialState.SUCCEEDED}
        assert len(store.observations(record.uid)) == 40
