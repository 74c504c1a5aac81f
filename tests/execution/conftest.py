"""Experiments of notebooks whose trials are forked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hpo_lab.experiment.model import ObjectiveType
from hpo_lab.facade.enrolling import enrol_prepared
from hpo_lab.local.place import trial_folder
from hpo_lab.local.runner import local_runner
from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.options import TuneOptions
from hpo_lab.prepare import Prepared
from hpo_lab.prepare.notebook import prepare_cell
from hpo_lab.store import Store, TrialRecord, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "store" / "hpo_lab.db")
    yield opened
    opened.close()


class Run:
    """An experiment that was run to its end, and what it left."""

    def __init__(self, store: Store, uid: str) -> None:
        self.store = store
        self.uid = uid
        self.trials: list[TrialRecord] = []
        for trial in store.trials(uid):
            record = store.trial(uid, trial.number)
            assert record is not None
            self.trials.append(record)

    def folder(self, number: int) -> Path:
        return trial_folder(self.store.folder(self.uid), number)

    def scores(self) -> list[float]:
        return [one.trial.metrics["score"].latest for one in self.trials]

    def messages(self) -> list[str]:
        return [condition.message for condition in self.store.conditions(self.uid)]


Tuned = Callable[..., Run]


@pytest.fixture
def tuned(store: Store, tmp_path: Path) -> Tuned:
    """Run an experiment of a set-up, or its cells, and a tuned cell; options: `TuneOptions`."""

    def run(set_up: str | list[ParsedCell], cell: str, **options: Any) -> Run:
        cells = set_up or []
        if isinstance(cells, str):
            cells = [ParsedCell(cells, frozenset({"tune-keep"}), "cell 1")]
        defaults: dict[str, Any] = {
            "direction": ObjectiveType.MAXIMIZE,
            "metric": "score",
            "algorithm": "random",
            "seed": 0,
            "trials": 2,
            "parallel": 2,
        }
        prepared = prepare_cell(
            f"x = 0.5  # tune: uniform(0, 1)\n{cell}",
            cells,
            TuneOptions(**{**defaults, **options}),
            where="cell 2",
            name="experiment",
            working_directory=tmp_path,
        )
        record = enrol_prepared(store, Prepared(prepared.experiment, prepared.files)).record
        local_runner(store, record.uid).run()
        return Run(store, record.uid)

    return run
