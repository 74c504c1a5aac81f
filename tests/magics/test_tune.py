from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hpo_lab.store import Store

if TYPE_CHECKING:
    from pathlib import Path

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
    assert "x: uniform(0, 4)" in shown
    reasons = {
        line.split("]")[0].strip(" "): line.split("]")[1].split()[0]
        for line in shown.splitlines()
        if "In [" in line
    }
    assert reasons == {"In [1": "left", "In [2": "runs", "In [3": "left", "In [4": "left"}
    assert "failed when it ran" in shown
    assert store.experiments() == []


def _shown(shell: Shell) -> dict[str, str]:
    """What a dry run says of each cell, by its number."""
    lines = shell.run(_CELL.format("--dry-run"))[1].splitlines()
    return {
        line.split("]")[0].strip(" In["): line.split("]")[1].strip()
        for line in lines
        if line.strip().startswith("In [")
    }


def test_the_kernel_tells_the_types_that_the_code_does_not(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loading.py").write_text("def load(): return [3, 1]")
    monkeypatch.syspath_prepend(tmp_path)
    shell.run("from loading import load\ndata = load()\ndef f(x): return data[0] * x")
    shell.run("sorted(data)")
    shell.run("data.sort()")

    shown = _shown(shell)

    assert shown["3"].startswith("left out")
    assert shown["4"].startswith("runs      changes data in place")


def test_what_a_cell_did_before_it_failed_counts(shell: Shell) -> None:
    shell.run("log = []\ndef f(x): return len(log)")
    shell.run("log.append(1); 1 / 0")
    shell.run("other = []; other.append(1); 1 / 0")

    shown = _shown(shell)

    assert shown["3"] == ("runs      changes log in place; failed when it ran, and may fail again")
    assert shown["4"] == "left out  not needed: failed when it ran"


def test_kept_cells_that_only_show_something_are_named_with_their_time(shell: Shell) -> None:
    shell.run("import itertools\nit = iter(range(9))\ndef f(x): return next(it)")
    shell.run("print(next(it))")

    reason = _shown(shell)["3"]

    assert "changes it in place; only shows something? took 0.0 s here; tag it tune-skip" in reason


def test_check_compares_the_slice_with_the_whole(shell: Shell) -> None:
    succeeded, shown = shell.run("%hpo check")
    assert not succeeded
    shell.run("k = [2]\ndef f(x): return k[0] * x")
    shell.run("other = 3")
    _shown(shell)

    succeeded, shown = shell.run("%hpo check")

    assert succeeded, shown
    assert "the slice gives what the whole notebook gives: k, the metric score" in shown


def test_check_leaves_out_what_an_earlier_tuned_cell_did_in_its_trials(shell: Shell) -> None:
    shell.run("def f(x): return x")
    assert shell.run("%%tune minimize cost --dry-run\na = 1.0  # tune: uniform(0, 2)\ncost = a")[0]
    _shown(shell)

    succeeded, shown = shell.run("%hpo check")

    assert succeeded, shown
    assert "the slice gives what the whole notebook gives" in shown


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
