from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from hpo_lab.store import Store

if TYPE_CHECKING:
    from tests.magics.conftest import Record, Shell

_CELL = """%%tune maximize score --trials 4 {}
x = 1.0  # tune: uniform(0, 4)
score = f(x)"""


def test_a_dry_run_shows_the_space_and_the_cells_and_starts_nothing(
    shell: Shell, store: Store
) -> None:
    shell.run("def f(x):\n    return x")
    shell.run("unused = 3")
    shell.run("1 / 0")

    succeeded, shown = shell.run(_CELL.format("--dry-run"))

    assert succeeded
    assert "x: double 0 to 4" in shown
    reasons = {
        line.split("]")[0].strip(" "): line.split("]")[1].split()[0]
        for line in shown.splitlines()
        if "In [" in line
    }
    assert reasons == {"In [1": "left", "In [2": "runs", "In [3": "left", "In [4": "left"}
    assert "failed when it ran" in shown
    assert store.experiments() == []


def test_the_name_is_that_of_the_notebook(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.run("def f(x):\n    return x")
    assert shell.run(_CELL.format("--dry-run"))[1].startswith("tune-score:")
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/me/My Digits.ipynb")
    assert shell.run(_CELL.format("--dry-run"))[1].startswith("my-digits:")
    assert shell.run(_CELL.format("--dry-run --name mine"))[1].startswith("mine:")


def test_problems_name_the_line_of_the_cell_and_nothing_is_started(
    shell: Shell, store: Store
) -> None:
    succeeded, shown = shell.run(
        "\n\n%%tune maximze score --trals 3 -o 1x\n\nx = 1  # tune: unifrm(0, 4)\nscore = x"
    )
    assert not succeeded
    assert "In [2], line 3" in shown
    assert "did you mean '--trials'?" in shown
    assert "'maximize'" in shown
    assert "'1x' is no variable's name" in shown
    assert "In [2], line 5" in shown
    assert "Traceback" not in shown
    assert store.experiments() == []


def test_a_name_taken_by_another_experiment_is_refused(
    shell: Shell, record: Record, store: Store
) -> None:
    store.move(record("digits"), os.path.realpath("."), None)
    shell.run("def f(x):\n    return x")
    succeeded, shown = shell.run(_CELL.format("--name digits"))
    assert not succeeded
    assert "'digits' is another experiment, recorded with 0 trials" in shown
    assert len(store.experiments()) == 1
