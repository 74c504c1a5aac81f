"""A function is edited and run again, each time by a new process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hpo_lab.facade.experiments import Experiments
from hpo_lab.problems import InvalidInput

_SCRIPT = """
from hpo_lab.facade.enrolling import enrol_prepared
from hpo_lab.options import TuneOptions
from hpo_lab.prepare import prepare_function
from hpo_lab.problems import InvalidInput
from hpo_lab.store import open_store

SCALE = 1

def evaluate(x):
    return x * SCALE

def objective(x):
    return evaluate(x)

options = TuneOptions(metric="loss", name=NAME)
prepared = prepare_function(objective, {"x": "uniform(0, 1)"}, options)
store = open_store("store.db")
try:
    enrolled = enrol_prepared(store, prepared)
except InvalidInput as error:
    print(error)
else:
    said = enrolled.said if enrolled.how == "created" else ""
    print(enrolled.record.name, enrolled.how.value, said)
"""


def _run(folder: Path, old: str = "", new: str = "", name: str | None = None) -> str:
    script = folder / "train.py"
    script.write_text(_SCRIPT.replace("NAME", repr(name)).replace(old or "#", new or "#"))
    command = [sys.executable, str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    return done.stdout.strip()


def test_a_helper_and_a_global_of_a_function_count_and_its_form_does_not(tmp_path: Path) -> None:
    assert _run(tmp_path) == "train-objective created"
    assert _run(tmp_path, "x * SCALE", "x * SCALE  # a scale") == "train-objective continued"
    taken = 'The trials of train-objective are taken along by warm_start="train-objective"'
    assert _run(tmp_path, "x * SCALE", "x + SCALE") == (
        "train-objective-2 created train-objective-2 is new: function: helper evaluate() changed. "
        + taken
    )
    assert _run(tmp_path, "SCALE = 1", "SCALE = 2") == (
        "train-objective-3 created train-objective-3 is new: function: global SCALE: 1 is 2 now. "
        + taken
    )
    assert _run(tmp_path) == "train-objective continued"


def test_a_script_finds_the_experiments_of_its_function(tmp_path: Path) -> None:
    script, experiments = tmp_path / "train.py", Experiments(tmp_path / "store.db")
    with pytest.raises(InvalidInput, match="no such experiment; no such file"):
        experiments.find(str(script))
    _run(tmp_path)
    _run(tmp_path, "SCALE = 1", "SCALE = 2")
    assert experiments.find(str(script)).name == "train-objective-2"
    (tmp_path / "other.py").write_text("")
    with pytest.raises(InvalidInput, match="no such experiment; its file was not run here yet"):
        experiments.find(str(tmp_path / "other.py"))

    _run(tmp_path, name="mine")
    listed = r"train.py: has several experiments; say which: mine, train-objective-2$"
    with pytest.raises(InvalidInput, match=listed):
        experiments.find(str(script))


def test_a_script_finds_the_experiment_whose_name_was_chosen(tmp_path: Path) -> None:
    _run(tmp_path, name="mine")
    assert Experiments(tmp_path / "store.db").find(str(tmp_path / "train.py")).name == "mine"


def test_a_chosen_name_is_refused_in_the_words_of_python(tmp_path: Path) -> None:
    assert _run(tmp_path, name="mine") == "mine created"
    said = _run(tmp_path, "uniform(0, 1)", "uniform(0, 2)", name="mine")
    assert said.splitlines() == [
        "'mine' is another experiment, recorded with 0 trials:",
        "  space['x']: is uniform(0, 2) now, uniform(0, 1) before",
        "Three ways on:",
        "  fresh=True                          deletes it and starts anew",
        "  another name                        leaves it as it is",
        '  another name and warm_start="mine"  leaves it, and learns from its trials',
    ]
