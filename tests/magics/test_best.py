"""`%hpo best`: what it shows, sets, runs and writes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import nbformat
import pytest

from hpo_lab.experiment.model import Objective
from hpo_lab.experiment.trial import TrialState
from hpo_lab.notebook.annotations import parse_annotations
from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.notebook.trial_notebook import build_trial_notebook
from hpo_lab.store import Artifact, Store
from hpo_lab.trial.folder import NOTEBOOK
from tests.store_writes import add_artifact

if TYPE_CHECKING:
    from tests.magics.conftest import Record, Shell

SUCCEEDED, FAILED = TrialState.SUCCEEDED, TrialState.FAILED
_TWO = ((SUCCEEDED, {"lr": 0.0123456, "opt": "adam"}, 0.5), (SUCCEEDED, {"lr": 0.05}, 0.25))
_CELL = """\
%time
lr  = 0.1    # tune: loguniform(1e-4, 1e-1)
opt = "sgd"  # tune: choice("adam", "sgd")
model = train(lr, opt)
accuracy = model["lr"] * 2
"""
_SET_UP = ("# the data\n\nsize = 3", "def train(lr, opt):\n    return {'lr': lr, 'n': size}")


Tuned = Callable[..., str]


@pytest.fixture
def tuned(record: Record, store: Store) -> Tuned:
    """`tuned(cell)`: the uid of an experiment of this cell; trial 0 is the best."""

    def make(source: str = _CELL) -> str:
        uid = record("digits", *_TWO, (FAILED, {"lr": 0.01}, None))
        cell = ParsedCell(source)
        objective = Objective(type="maximize", objective_metric_name="accuracy")
        set_up = [ParsedCell(earlier) for earlier in _SET_UP]
        notebook = build_trial_notebook(cell, parse_annotations(cell), set_up, objective)
        content = nbformat.writes(notebook).encode()
        kept = Artifact(name=NOTEBOOK, media_type="application/x-ipynb+json", content=content)
        add_artifact(store, uid, kept)
        return uid

    return make


def test_best_shows_values_and_applies_them_on_demand(shell: Shell, record: Record) -> None:
    record("digits", *_TWO)
    shell.run("lr = 0.1")

    succeeded, shown = shell.run("%hpo best")
    assert succeeded
    assert "best accuracy 0.5 in trial 0" in shown
    assert shell.names["lr"] == 0.1

    succeeded, shown = shell.run("%hpo best --apply")
    assert succeeded
    assert "lr = 0.0123456  (was 0.1)" in shown
    assert "opt = 'adam'  (new)" in shown
    assert (shell.names["lr"], shell.names["opt"]) == (0.0123456, "adam")


def test_an_inactive_parameter_gets_the_value_that_the_trial_had(
    shell: Shell, record: Record, store: Store
) -> None:
    uid = record("digits", (SUCCEEDED, {"lr": 0.01}, 0.9))
    metadata = {"tags": ["parameters"]}
    cell = {"cell_type": "code", "source": "lr = 0.1\nopt = 'sgd'", "metadata": metadata}
    content = json.dumps({"cells": [cell]}).encode()
    kept = Artifact(name=NOTEBOOK, media_type="application/x-ipynb+json", content=content)
    add_artifact(store, uid, kept)
    shell.run("opt = 'adam'")

    assert "opt = 'sgd'  (inactive)" in shell.run("%hpo best")[1]
    assert "opt = 'sgd'  (inactive, was 'adam')" in shell.run("%hpo best --apply")[1]
    assert (shell.names["lr"], shell.names["opt"]) == (0.01, "sgd")


def test_without_a_value_there_is_no_best(shell: Shell, record: Record) -> None:
    record("digits", (FAILED, {"lr": 0.1}, None))
    succeeded, shown = shell.run("%hpo best")
    assert not succeeded
    assert "no trial has ended with a value" in shown
    assert "Traceback" not in shown


def test_run_runs_the_cell_with_the_best_values(shell: Shell, tuned: Tuned) -> None:
    tuned()
    for source in _SET_UP:
        shell.run(source)
    succeeded, shown = shell.run("%hpo best --run\ntwice = accuracy * 2  # here already")
    assert succeeded
    assert "digits: best accuracy 0.5 in trial 0\nlr = 0.0123456\nopt = 'adam'\n" in shown
    assert shell.names["model"] == {"lr": 0.0123456, "n": 3}
    assert shell.names["twice"] == 4 * 0.0123456

    # The history has the code that ran, where it ran.
    code = _CELL.replace("0.1 ", "0.0123456 ").replace('= "sgd"', '= "adam"')
    assert shell.names["In"][-1].startswith("get_ipython().run_line_magic('time', '')\nlr  = 0.01")
    raw = shell.shell.history_manager.input_hist_raw
    assert raw[-1] == f"{code.strip()}\ntwice = accuracy * 2  # here already"
    count = shell.shell.execution_count
    assert shell.run("opt")[0] and shell.shell.execution_count == count + 1

    assert shell.run("%hpo best --run --trial 1")[0]
    assert shell.names["model"]["lr"] == 0.05
    assert shell.names["opt"] == "sgd"  # inactive, and so as it is written
    succeeded, shown = shell.run("%hpo best --run --trial 2")
    assert not succeeded and "trial 2: has no value of the objective; it is Failed" in shown


def test_a_later_cell_to_tune_finds_what_the_best_defined(shell: Shell, tuned: Tuned) -> None:
    tuned()
    for source in _SET_UP:
        shell.run(source)
    shell.run("%hpo best --run")
    tune = "%%tune minimize loss --dry-run\nx = 1.0  # tune: uniform(0, 2)\nloss = model['lr'] * x"
    assert "defines model" in shell.run(tune)[1]


def test_run_says_which_cells_are_missing(shell: Shell, tuned: Tuned) -> None:
    tuned()
    shell.run("size = 3")
    succeeded, shown = shell.run("%hpo best --run")
    assert not succeeded
    assert (
        "digits: the cell needs train; first run the cell that begins `def train(lr, opt):`"
        in shown
    )
    assert "model" not in shell.names and "lr" not in shell.names


def test_an_error_of_the_cell_is_that_of_any_cell(shell: Shell, tuned: Tuned) -> None:
    tuned()
    shell.run("class Broken(TimeoutError): pass\ndef train(lr, opt):\n    raise Broken('no luck')")
    succeeded, shown = shell.run("%hpo best --run\nafter = 1")
    assert not succeeded
    shown = re.sub(r"\x1b\[[\d;]*m", "", shown)
    assert shown.count("no luck") == 2  # the line that raises, and the message
    assert "model = train(lr, opt)" in shown and "----> 4" in shown
    assert "magics/best.py" not in shown and "magics/shell.py" not in shown
    assert "after" not in shell.names
    # As any cell that failed, it does not run in a trial.
    shown = shell.run("%%tune minimize x --dry-run\ny = 1 # tune: int(1, 2)\nx = model")[1]
    assert "failed when it ran" in shown


def test_write_makes_a_new_cell_with_the_values(
    shell: Shell, tuned: Tuned, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuned()
    cells: list[tuple[str, bool]] = []
    monkeypatch.setattr(
        shell.shell, "set_next_input", lambda text, replace=False: cells.append((text, replace))
    )
    succeeded, shown = shell.run("%hpo best digits --write")
    assert succeeded and "The new cell below is the tuned cell with these values." in shown
    code = _CELL.replace("0.1 ", "0.0123456 ").replace('= "sgd"', '= "adam"')
    assert cells == [(code.strip(), False)]
    assert "lr" not in shell.names


def test_where_no_cell_was_tuned_there_is_none_to_run(shell: Shell, record: Record) -> None:
    record("digits", *_TWO)
    succeeded, shown = shell.run("%hpo best --run")
    assert not succeeded and "digits: no notebook cell was tuned" in shown


def test_a_cell_that_awaits_is_written_and_not_run(shell: Shell, tuned: Tuned) -> None:
    tuned("import asyncio\nlr = 0.1  # tune: uniform(0, 1)\nawait asyncio.sleep(lr)")
    succeeded, shown = shell.run("%hpo best --run")
    assert not succeeded
    assert "digits: the cell awaits, which no magic can; %hpo best --write" in shown


def test_the_trials_of_a_cell_below_have_the_applied_values(shell: Shell, record: Record) -> None:
    record("digits", *_TWO)
    shell.run("%hpo best --apply")

    succeeded, shown = shell.run(
        "%%time\n%%tune maximize score --dry-run\nn = 1  # tune: int(1, 3)\nscore = n * lr"
    )

    assert succeeded
    assert "defines lr (used by the tuned cell)" in shown
