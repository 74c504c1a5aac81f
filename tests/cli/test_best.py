"""`hpo-lab best`: what it shows, and what it writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hpo_lab.store import Artifact
from tests.store_writes import add_artifact


def test_best(cli: Any, recorded: Any) -> None:
    recorded([0.25, 0.123456789, None])
    shown = cli("best", "parabola")
    assert shown.exit_code == 0
    assert "score 0.25 in trial 0" in shown.stdout
    document = json.loads(cli("best", "parabola", "--json").stdout)
    assert document["best"] == {
        "trial": 0,
        "value": 0.25,
        "parameters": {"x": 0.0},
        "notebook": None,
        "kept": [],
    }


def test_best_of_none_is_a_failure(cli: Any, recorded: Any) -> None:
    recorded([None])
    shown = cli("best", "parabola")
    assert (shown.exit_code, shown.stdout) == (1, "")
    as_json = cli("best", "parabola", "--json")
    assert as_json.exit_code == 1
    assert json.loads(as_json.stdout)["best"] is None


@pytest.fixture
def written(notebook: Any) -> Path:
    """A notebook that the values of the recorded experiment fit."""
    cell = "%%tune maximize score\nx = 4.0  # tune: uniform(0, 5)\nscore = -x"
    path: Path = notebook("y = 1", cell)
    return path


def test_values_are_written_into_the_cell(cli: Any, recorded: Any, written: Path) -> None:
    recorded([0.25, 0.5])
    before = written.read_bytes()
    written.chmod(0o640)
    said = cli("best", "parabola", "--write", written)
    assert (said.exit_code, said.stdout) == (0, "")
    assert said.stderr == (
        f"{written}, cell 2 has the values of trial 1 now:\nx = 0.5  (was 4.0)\n"
        "Open in JupyterLab, it shows them after File, Reload Notebook from Disk.\n"
    )
    assert written.read_bytes() == before.replace(b"x = 4.0 ", b"x = 0.5 ")
    assert written.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in written.parent.glob("*cells.ipynb*")] == ["cells.ipynb"]

    entry = written.stat()
    again = cli("best", "parabola", "--write", written, "--json")
    assert "has the values of trial 1 already; nothing was written" in again.stderr
    assert written.stat() == entry
    document = json.loads(again.stdout)
    assert document["written"] == {"file": str(written), "cell": "cell 2", "changed": {}}
    assert document["best"]["trial"] == 1


def test_another_trial_is_written_to_another_file(
    cli: Any, recorded: Any, written: Path, tmp_path: Path
) -> None:
    recorded([0.25, 0.5, None])
    before, other = written.read_bytes(), tmp_path / "other.ipynb"
    said = cli("best", "parabola", "--trial", 0, "--write", written, "-o", other)
    assert said.stderr.startswith(f"{other}, cell 2 has the values of trial 0 now:")
    assert written.read_bytes() == before
    assert other.read_bytes() == before.replace(b"x = 4.0 ", b"x = 0.0 ")
    failed = cli("best", "parabola", "--trial", 2)
    assert failed.exit_code == 2
    assert "trial 2: has no value of the objective; it is Failed" in failed.stderr


def test_what_does_not_fit_is_refused(cli: Any, recorded: Any, notebook: Any) -> None:
    recorded([0.25])
    path = notebook("%%tune maximize score\ny = 4.0  # tune: uniform(0, 5)\nscore = -y")
    before = path.read_bytes()
    said = cli("best", "parabola", "--write", path)
    assert said.exit_code == 2
    assert "cell 1: has no annotated x" in said.stderr
    assert "cell 1, line 2: y is no parameter of the experiment" in said.stderr
    assert path.read_bytes() == before
    assert "give the notebook to write" in cli("best", "parabola", "-o", path).stderr


def test_what_the_best_trial_kept_is_shown(
    cli: Any, recorded: Any, store: Any, tmp_path: Path
) -> None:
    uid = recorded([0.25, 0.5]).uid
    for name in ("notebook.ipynb", "model.pkl"):
        (tmp_path / name).write_text("{}")
        kept = Artifact(name=name, media_type="text/plain", path=tmp_path / name, number=1)
        add_artifact(store, uid, kept)
    shown = cli("best", "parabola").stdout.splitlines()
    assert f"Notebook of trial 1: {tmp_path / 'notebook.ipynb'}" in shown
    assert f"Kept by trial 1: {tmp_path / 'model.pkl'}" in shown
    best = json.loads(cli("best", "parabola", "--json").stdout)["best"]
    assert best["notebook"] == str(tmp_path / "notebook.ipynb")
    assert best["kept"] == [
        {"name": "model.pkl", "mediaType": "text/plain", "path": str(tmp_path / "model.pkl")}
    ]
