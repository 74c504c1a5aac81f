"""Experiments that are recorded without being run, some at a time by a runner that is this one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from hpo_lab.experiment.identity import identity
from hpo_lab.experiment.model import ExperimentDocument, Metadata, ObjectiveType, TrialTemplate
from hpo_lab.experiment.space import uniform
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.observation import Observation
from hpo_lab.options import TuneOptions
from hpo_lab.store import Runner, Store, open_store
from tests.store_writes import finish_trial, start_trial


@pytest.fixture
def location(tmp_path: Path) -> Path:
    """Where the store is."""
    return tmp_path / "store" / "hpo_lab.db"


@pytest.fixture
def store(location: Path) -> Iterator[Store]:
    """An empty store."""
    opened = open_store(location)
    yield opened
    opened.close()


Create = Callable[..., str]


@pytest.fixture
def create(store: Store) -> Create:
    """`create("digits", "team", runs=True)`: a new experiment; returns its uid."""

    def make(name: str = "digits", namespace: str = "default", *, runs: bool = False) -> str:
        options = TuneOptions(direction=ObjectiveType.MAXIMIZE, metric="score", trials=20)
        spec = options.spec([uniform(0, 1).named("x")], TrialTemplate())
        metadata = Metadata(name=name, namespace=namespace)
        document = ExperimentDocument(metadata=metadata, spec=spec)
        uid = store.create_experiment(document, identity=identity(spec)).uid
        if runs:
            assert store.acquire_lease(uid, Runner.current())
            store.set_condition(uid, "Running", "ExperimentRunning", "it runs")
        return uid

    return make


def end(
    store: Store, uid: str, number: int, metrics: Mapping[str, float] | None, *, best: bool = False
) -> None:
    """Record a whole trial; one without metrics failed."""
    start_trial(store, uid, number, new=Trial(number, {"x": number / 10}))
    if metrics is None:
        message = f"ValueError: no luck with {number}"
        trace = f"Traceback:\n  line 3\n{message}"
        finish_trial(store, uid, number, TrialState.FAILED, message=message, traceback=trace)
        return
    seen = [Observation(metric=m, value=v, time=time.time()) for m, v in metrics.items()]
    finish_trial(store, uid, number, TrialState.SUCCEEDED, observations=seen, offset=1)
    if best:
        with store.transaction(uid) as transaction:
            transaction.set_best(number)
