"""Several `%%tune` cells of one notebook, told apart by the ids that a front end sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from hpo_lab.api import Experiments
from hpo_lab.store import Store

if TYPE_CHECKING:
    from tests.magics.conftest import Record, Shell

_CELL = "%%tune {} {}\nx = 1.0  # tune: uniform(0, {})\n{} = x"


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hpo_lab.facade.experiments.start_runner", lambda *arguments: None)
    monkeypatch.setattr("hpo_lab.magics.commands.LiveProgress", _Silent)


class _Silent:
    notes: ClassVar[list[str]] = []

    def __init__(self, *arguments: object, note: str = "", **rest: object) -> None:
        self.notes.append(note)

    def follow_in_background(self) -> None:
        pass


def test_cells_without_a_name_keep_their_experiments(
    shell: Shell, store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "digits.ipynb"))

    def run(id: str, goal: str, high: int = 4, options: str = "") -> str:
        parent = {"metadata": {"cellId": id}}
        monkeypatch.setattr(shell.shell, "get_parent", lambda: parent, raising=False)
        cell = _CELL.format(f"maximize {goal}", options, high, goal)
        assert shell.run(f"{cell}")[0]
        return str(shell.shell.magics_manager.registry["HpoLabMagics"]._commands.last.name)

    assert run("a", "accuracy") == "digits"
    assert run("b", "loss") == "digits-loss"
    assert run("a", "accuracy") == "digits"
    assert run("b", "loss", high=8) == "digits-loss-2"
    assert _Silent.notes[-1].startswith("digits-loss-2 is new: In [")
    assert "x is uniform(0, 8) now, uniform(0, 4) before" in _Silent.notes[-1]
    assert run("b", "loss") == "digits-loss"
    assert run("b", "loss", options="--fresh") == "digits-loss"
    assert _Silent.notes[-1] == "It replaces digits-loss and its 0 trials"


def test_a_notebook_without_ids_that_is_opened_again_keeps_its_experiments(
    shell: Shell, store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "digits.ipynb"))
    (tmp_path / "digits.ipynb").write_text('{"cells": [{"cell_type": "code", "source": ""}]}')
    magics = shell.shell.magics_manager.registry["HpoLabMagics"]

    def run(id: str, high: int) -> str:
        parent = {"metadata": {"cellId": id}}
        monkeypatch.setattr(shell.shell, "get_parent", lambda: parent, raising=False)
        assert shell.run(_CELL.format("maximize accuracy", "", high, "accuracy"))[0]
        return str(magics._commands.last.name)

    assert run("a", 4) == "digits"
    assert run("b", 8) == "digits-accuracy", "another cell of this session"
    magics._ids.clear()  # A new kernel, to which JupyterLab gives new ids.
    assert run("c", 4) == "digits"
    assert run("c", 5) == "digits-2"


def test_cells_without_ids_are_told_apart_by_metric_and_parameters(
    shell: Shell, store: Store
) -> None:
    for goal in ("accuracy", "loss", "accuracy", "loss"):
        assert shell.run(_CELL.format(f"maximize {goal}", "", 4, goal))[0]
    assert {each.name for each in store.experiments()} == {"tune-accuracy", "tune-loss"}


def test_the_list_is_of_this_folder(shell: Shell, record: Record, store: Store) -> None:
    assert shell.run("%hpo list")[1].strip() == "There are no experiments yet."
    store.move(record("theirs"), "/other/folder", None)
    shown = shell.run("%hpo list")[1]
    assert "There are no experiments of this folder. Of other folders: 1" in shown
    store.move(record("mine"), Experiments(store).project, None)
    shown = shell.run("%hpo list")[1]
    assert "mine" in shown and "theirs" not in shown
    shown = shell.run("%hpo list --all")[1]
    assert "theirs" in shown and "/other/folder" in shown
    assert shell.run("%hpo best theirs")[1].startswith("theirs of /other/folder")
