"""`report()` inside and outside a trial."""

from __future__ import annotations

import json
import math
import multiprocessing
from pathlib import Path

import numpy as np
import pytest

import hpo_lab
from hpo_lab.trial import report, report_variables
from hpo_lab.trial.folder import METRICS, TRIAL_FOLDER


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(TRIAL_FOLDER, str(tmp_path))
    return tmp_path


def lines(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / METRICS).read_text().splitlines()]


def test_outside_a_trial_it_prints_and_does_nothing_else(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hpo_lab.report(accuracy=0.5)
    hpo_lab.report(step=3, accuracy=0.25, loss=math.nan)
    assert capsys.readouterr().out == "accuracy=0.5\nstep 3: accuracy=0.25  loss=nan\n"
    assert list(tmp_path.iterdir()) == []


def test_inside_a_trial_each_report_is_a_line(folder, capsys):
    report(step=1, accuracy=np.float32(0.5), loss=2)
    report(accuracy=math.inf, loss=-math.nan)
    first, second = lines(folder)
    assert first["step"] == 1 and first["metrics"] == {"accuracy": 0.5, "loss": 2.0}
    assert second["step"] is None and second["metrics"] == {"accuracy": "inf", "loss": "nan"}
    assert first["time"] <= second["time"]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "at least one metric"),
        ({"accuracy": "0.9"}, "metric 'accuracy' must be a number, not the text '0.9'"),
        ({"accuracy": [1, 2]}, "metric 'accuracy' must be a number, not an object of list"),
        ({"accuracy": None}, "not an object of NoneType"),
        ({"step": 1.5, "accuracy": 1}, "step must be an integer, not 1.5"),
        ({"step": "1", "accuracy": 1}, "step must be an integer"),
    ],
)
def test_what_is_no_number_is_refused_and_nothing_is_sent(folder, arguments, message):
    with pytest.raises(TypeError, match=message):
        report(**arguments)
    assert not (folder / METRICS).exists()


def test_variables_are_reported_unless_they_were(folder):
    report(step=0, accuracy=0.5)
    report_variables({"accuracy": 0.9, "loss": 1.0, "other": 3}, ["accuracy", "loss", "absent"])
    assert [line["metrics"] for line in lines(folder)] == [{"accuracy": 0.5}, {"loss": 1.0}]


def test_a_metric_may_be_called_step(folder):
    report_variables({"step": 4}, ["step"])
    assert lines(folder)[0]["metrics"] == {"step": 4.0}


def _many(number: int) -> None:
    for step in range(200):
        report(step=step, **{f"m{number}": step})


def test_processes_of_one_trial_can_report_at_once(folder):
    with multiprocessing.get_context("fork").Pool(4) as pool:
        pool.map(_many, range(4))
    written = lines(folder)
    assert len(written) == 800
    for number in range(4):
        name = f"m{number}"
        values = [line["metrics"][name] for line in written if name in line["metrics"]]
        assert values == list(range(200))
