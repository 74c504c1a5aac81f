"""An experiment that is recorded without being run, as a dashboard shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hpo_lab.experiment.identity import identity
from hpo_lab.experiment.model import (
    API_VERSION,
    ExperimentDocument,
    Metadata,
    ObjectiveType,
    TrialTemplate,
)
from hpo_lab.experiment.space import choice, uniform
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.facade.handle import Experiment
from hpo_lab.observation import Observation
from hpo_lab.options import TuneOptions
from hpo_lab.store import Runner, Store, open_store
from tests.store_writes import finish_trial, start_trial

Make = Callable[..., Experiment]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    opened = open_store(tmp_path / "hpo_lab.db")
    yield opened
    opened.close()


@pytest.fixture
def make(store: Store) -> Make:
    """`make("digits", 30)`: an experiment with so many trials, which runs on another machine."""

    def make(name: str = "digits", trials: int = 30, *, metric: str = "accuracy") -> Experiment:
        options = TuneOptions(direction=ObjectiveType.MAXIMIZE, metric=metric, trials=40)
        parameters = [uniform(0, 1).named("lr"), choice("adam", "sgd").named("opt")]
        template = TrialTemplate(trial_spec={"apiVersion": API_VERSION, "kind": "FunctionTrial"})
        spec = options.spec(parameters, template)
        document = ExperimentDocument(metadata=Metadata(name=name), spec=spec)
        record = store.create_experiment(document, identity=identity(spec))
        assert store.acquire_lease(record.uid, Runner("r", "elsewhere", 1, 0.0))
        store.set_condition(record.uid, "Running", "ForTheTest", "it runs")
        for number in range(trials):
            add(store, record.uid, number)
        return Experiment.of(store, record)

    return make


def add(store: Store, uid: str, number: int) -> None:
    """Record a whole trial; each seventh failed, the values of the others rise."""
    values = {"lr": number / 64, "opt": "adam" if number % 2 else "sgd"}
    start_trial(store, uid, number, 100.0 + number, new=Trial(number, values))
    ended = 101.0 + number
    if number % 7 == 6:
        message = "ValueError: <no luck>"
        finish_trial(store, uid, number, TrialState.FAILED, ended, message=message)
        return
    seen = [
        Observation(metric="accuracy", value=number / (100 - step), time=ended, step=step)
        for step in (1, 2)
    ]
    finish_trial(store, uid, number, TrialState.SUCCEEDED, ended, observations=seen, offset=2)
