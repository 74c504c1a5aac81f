"""What a function's experiment is called, and the folder of who asks."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hpo_lab.options import TuneOptions
from hpo_lab.prepare import prepare_function, project_here
from hpo_lab.prepare.project import function_place, names_of_function

_SCRIPT = """
from hpo_lab import uniform
from hpo_lab.prepare import prepare_function, project_here
from hpo_lab.options import TuneOptions
def objective(x):
    return x
prepared = prepare_function(objective, {"x": uniform(0, 1)}, TuneOptions(metric="a"))
print(*prepared.names, prepared.project == project_here(), project_here())
"""


def squared(x: float) -> float:
    return x * x


class Model:
    def loss(self, x: float) -> float:
        return x

    def __call__(self, x: float) -> float:
        return x


@pytest.mark.parametrize(
    "function, place",
    [
        (squared, ("test_project.py", "squared")),
        (functools.partial(squared), ("test_project.py", "squared")),
        (Model().loss, ("test_project.py", "Model.loss")),
    ],
)
def test_a_function_is_told_by_its_file_and_name(function: object, place: tuple[str, str]) -> None:
    assert function_place(function) == place  # type: ignore[arg-type]


def test_names_of_functions() -> None:
    assert names_of_function("train.py", "Model.loss") == ["train-loss", "loss"]
    assert names_of_function("digits.ipynb", "objective") == ["digits", "digits-objective"]
    assert names_of_function("", "objective") == ["objective"]


def test_a_script_is_a_project_and_the_prompt_is_none(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    script = tmp_path / "work" / "train.py"
    script.write_text(_SCRIPT)

    def run(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
        return done.stdout.strip()

    folder = os.path.realpath(tmp_path)
    assert run(str(script)) == f"train-objective objective True {folder}/work"
    assert run("-c", _SCRIPT) == f"objective True {folder}"


def test_a_chosen_name_has_no_alternatives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    options = TuneOptions(metric="a", name="mine")
    prepared = prepare_function(squared, {"x": "uniform(0, 1)"}, options)
    assert (prepared.experiment.name, prepared.names) == ("mine", ())
    assert prepared.project == project_here() == os.path.realpath(tmp_path)
