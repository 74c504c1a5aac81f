"""Both places of ours keep what a place promises."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from hpo_lab.experiment.model import ObjectiveType
from hpo_lab.experiment.space import uniform
from hpo_lab.facade.enrolling import enrol_prepared
from hpo_lab.local.place import LocalPlace
from hpo_lab.options import TuneOptions
from hpo_lab.prepare import Prepared, prepare_function
from hpo_lab.store import open_store
from hpo_lab.testing.places import PlaceCase, check_place
from hpo_lab.testing.simulation import SimulatedPlace, TrialBehaviour, World


def function() -> Any:
    """A function that is pickled by value, since a test module cannot be imported in a trial."""
    namespace: dict[str, Any] = {"time": time, "__name__": "__main__"}
    source = """
def trains(x):
    from hpo_lab import report
    for step in range(1, 4):
        report(step=step, score=x * step)
    if x > 0.5:
        time.sleep(120)
"""
    exec(source, namespace)
    return namespace["trains"]


def case(tmp_path: Path, make: Any) -> PlaceCase:
    store = open_store(tmp_path / "hpo_lab.db")
    options = TuneOptions(direction=ObjectiveType.MAXIMIZE, metric="score", algorithm="random")
    prepared = prepare_function(function(), {"x": uniform(0, 1)}, options)
    record = enrol_prepared(store, Prepared(prepared.experiment, prepared.files)).record
    sources = [store.artifact(record.uid, each.name) for each in store.artifacts(record.uid)]
    return PlaceCase(make, record.document, sources, short={"x": 0.25}, long={"x": 0.75})


def test_this_machine(tmp_path: Path) -> None:
    check_place(case(tmp_path, lambda: LocalPlace(tmp_path / "experiment")))


def test_the_simulated_place(tmp_path: Path) -> None:
    world = World(behaviour=TrialBehaviour(seconds=300.0))
    check_place(case(tmp_path, lambda: SimulatedPlace(world)))
