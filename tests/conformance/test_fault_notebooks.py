"""Notebooks that failed in real use: what `validate` says of each; README.md says who runs them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from hpo_lab.cli import main

FAULTS = Path(__file__).parent / "faults" / "notebooks"
SAYS = {
    "01-open-pool-hangs": "defines pool, sq (used by the tuned cell)",
    "02-net-eval-dropped": "cell 2         yes         changes net in place",
    "04-class-patched-after-instance": "cell 2         yes         changes Model in place",
    "06-unknown-object-pure-name": "cell 3         yes         changes c in place",
    "08-iterator-consumed": "cell 2         yes         changes s in place",
    "10-global-rng-drawn": "cell 2         yes         draws random numbers of random",
    "11-annotation-behind-other-comment": "\nlr ",
    "13-kernel-missing": "this machine does not have its kernel 'conda-env-ml-py'",
    "14-time-above-tune": "ok",
    "18-kernel-unseeded": "defines random (used by the tuned cell)",
}


@pytest.mark.parametrize("name", SAYS)
def test_what_is_said_of_a_notebook(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(FAULTS, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["validate", f"{name}.ipynb"])
    assert result.exit_code == 0, result.output
    assert SAYS[name] in result.output


def test_a_name_that_nothing_defines_is_an_error(tmp_path: Path) -> None:
    path = Path(shutil.copy(FAULTS / "16-undefined-name.ipynb", tmp_path))
    result = CliRunner().invoke(main, ["validate", str(path)])
    assert result.exit_code == 2
    assert "cell 2, line 3: no cell above defines 'nowhere'" in result.output


def test_a_second_tuned_cell_reads_what_the_first_leaves(tmp_path: Path) -> None:
    path = Path(shutil.copy(FAULTS / "12-second-tuned-cell.ipynb", tmp_path))
    result = CliRunner().invoke(main, ["validate", str(path)])
    assert result.exit_code == 2 and "2 cells start with `%%tune`; say which" in result.output
    result = CliRunner().invoke(main, ["validate", str(path), "--cell", "3"])
    assert result.exit_code == 0, result.output
