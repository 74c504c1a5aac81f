"""Experiments of small functions, and a look at the processes they leave."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from hpo_lab.experiment.model import ObjectiveType
from hpo_lab.experiment.space import uniform
from hpo_lab.facade.enrolling import enrol_prepared
from hpo_lab.options import TuneOptions
from hpo_lab.prepare import Prepared, prepare_function
from hpo_lab.prepare.prepared import experiment_name
from hpo_lab.store import ExperimentRecord, Store, open_store


@pytest.fixture
def location(tmp_path: Path) -> str:
    """Where the store is; a test may have it elsewhere."""
    return str(tmp_path / "store" / "hpo_lab.db")


@pytest.fixture
def store(location: str) -> Iterator[Store]:
    opened = open_store(location)
    yield opened
    opened.close()


Enrol = Callable[..., ExperimentRecord]


def enrolled_in(store: Store, function: Callable[..., Any], **options: Any) -> ExperimentRecord:
    """Enrol an experiment of a function over `x` in [0, 1]; options as of `TuneOptions`."""
    # A test module cannot be imported by name in a trial.
    module = sys.modules[function.__module__]
    cloudpickle.register_pickle_by_value(module)
    try:
        defaults = {
            "direction": ObjectiveType.MAXIMIZE,
            "metric": "score",
            "seed": 0,
            "name": experiment_name(function.__name__),
        }
        prepared = prepare_function(
            function,
            options.pop("space", {"x": uniform(0, 1)}),
            TuneOptions(**{**defaults, "algorithm": "random", **options}),
        )
    finally:
        cloudpickle.unregister_pickle_by_value(module)
    return enrol_prepared(store, Prepared(prepared.experiment, prepared.files)).record


@pytest.fixture
def enrolled(store: Store) -> Enrol:
    """`enrolled_in` of the store."""
    return partial(enrolled_in, store)
