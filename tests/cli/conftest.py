from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.testing import CliRunner, Result

import hpo_lab
from hpo_lab.cli import main
from hpo_lab.experiment.model import ObjectiveType
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.facade.enrolling import enrol_prepared
from hpo_lab.observation import Observation
from hpo_lab.options import TuneOptions
from hpo_lab.prepare import Prepared, check, prepare_function
from hpo_lab.prepare.prepared import experiment_name
from hpo_lab.store import ExperimentRecord, Store, open_store
from tests.store_writes import finish_trial, start_trial

Cli = Callable[..., Result]
Enrolled = Callable[..., ExperimentRecord]
Recorded = Callable[..., ExperimentRecord]
Write = Callable[..., Path]


@pytest.fixture
def cli() -> Cli:
    """`cli("show", "NAME")`: run a command in this process; a crash is the test's failure."""

    def invoke(*args: str | Path) -> Result:
        return CliRunner(catch_exceptions=False).invoke(main, [str(arg) for arg in args])

    return invoke


@pytest.fixture
def store() -> Store:
    """The store that the commands use by default."""
    return open_store()


def parabola(x: float) -> float:
    print("x is", x)
    return -((x - 2) ** 2)


@pytest.fixture
def enrolled(store: Store) -> Enrolled:
    """`enrolled(function, name="parabola", trials=3)`: an experiment that nobody runs yet."""

    def make(function: Callable[..., Any] = parabola, **options: Any) -> ExperimentRecord:
        given = TuneOptions(
            **{
                "direction": ObjectiveType.MAXIMIZE,
                "metric": "score",
                "seed": 0,
                "name": experiment_name(function.__name__),
                **options,
            }
        )
        prepared = prepare_function(function, {"x": hpo_lab.uniform(0, 5)}, given)
        check(prepared.experiment)
        return enrol_prepared(store, Prepared(prepared.experiment, prepared.files)).record

    return make


@pytest.fixture
def recorded(store: Store, enrolled: Enrolled) -> Recorded:
    """`recorded([0.5, None])`: an ended experiment with these objectives; None is a failure."""

    def make(
        values: Sequence[float | None],
        state: ExperimentState = ExperimentState.SUCCEEDED,
        **options: Any,
    ) -> ExperimentRecord:
        uid = enrolled(**{"name": "parabola", "trials": len(values) or 1, **options}).uid
        for number, value in enumerate(values):
            start_trial(store, uid, number, new=Trial(number, {"x": number / 2}))
            if value is None:
                finish_trial(
                    store,
                    uid,
                    number,
                    TrialState.FAILED,
                    message="ValueError: no good",
                    traceback="Traceback:\n  line 3\nValueError: no good [really]",
                )
            else:
                seen = Observation(metric="score", value=value, time=time.time())
                finish_trial(
                    store, uid, number, TrialState.SUCCEEDED, observations=[seen], offset=1
                )
        store.set_condition(uid, ExperimentState.RUNNING, "ExperimentRunning", "runs")
        store.set_condition(uid, state, f"Experiment{state.value}", f"it is {state.value}")
        record = store.experiment_by_uid(uid)
        assert record is not None
        return record

    return make


@pytest.fixture
def notebook(tmp_path: Path) -> Write:
    """`notebook(cell, ...)`: write these code cells to `cells.ipynb`."""

    def write(*cells: str) -> Path:
        written = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={
                "kernelspec": {"name": "python3", "display_name": "Py", "language": "python"}
            },
        )
        path = tmp_path / "cells.ipynb"
        nbformat.write(written, path)
        return path

    return write


class Process:
    """A real `hpo-lab`, with what it writes in files."""

    def __init__(self, folder: Path, *args: str | Path) -> None:
        self._out, self._err = folder / "stdout", folder / "stderr"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(
                [sys.executable, "-c", "from hpo_lab.cli import main; main()", *map(str, args)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=folder,
                env={**os.environ, "COLUMNS": "80"},
            )

    @property
    def stdout(self) -> str:
        return self._out.read_text()

    @property
    def stderr(self) -> str:
        return self._err.read_text()

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, signum: int) -> None:
        self._process.send_signal(signum)

    def wait(self, timeout: float = 60) -> int:
        try:
            return self._process.wait(timeout)
        finally:
            self._process.kill()


def until(condition: Callable[[], object], timeout: float = 60) -> None:
    """Wait until *condition* holds."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


@pytest.fixture
def wait_until() -> Callable[..., None]:
    return until


@pytest.fixture
def hpo_lab_process(tmp_path: Path) -> Callable[..., Process]:
    """`hpo_lab_process("run", path)`: start a real command."""
    return lambda *args: Process(tmp_path, *args)
