"""What a trial knows and says of itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import hpo_lab
from hpo_lab.trial.folder import TRIAL_FOLDER


def test_a_trial_knows_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TRIAL_FOLDER, "/experiments/uid/00012")
    assert hpo_lab.trial_number() == 12
    # The set-up of a notebook runs once, for all trials.
    monkeypatch.setenv(TRIAL_FOLDER, "/experiments/uid")
    assert hpo_lab.trial_number() is None
    monkeypatch.delenv(TRIAL_FOLDER)
    assert hpo_lab.trial_number() is None


def test_an_attribute_is_sent_as_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TRIAL_FOLDER, str(tmp_path))
    hpo_lab.set_attribute("why", "warm\n☀")
    (line,) = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert json.loads(line)["metrics"] == {"why": "warm\n☀"}


def test_outside_a_trial_an_attribute_is_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(TRIAL_FOLDER, raising=False)
    hpo_lab.set_attribute("why", "warm")
    assert capsys.readouterr().out == "why: warm\n"


@pytest.mark.parametrize(("name", "text"), [("why", 3), (3, "warm"), ("why", None)])
def test_an_attribute_is_a_text(name: Any, text: Any) -> None:
    with pytest.raises(TypeError, match="an attribute is a text"):
        hpo_lab.set_attribute(name, text)


@pytest.mark.parametrize("text", ["nan", "-NaN", "inf", "+Infinity"])
def test_the_spelling_of_a_number_is_no_attribute(text: str) -> None:
    with pytest.raises(ValueError, match="stands for a number"):
        hpo_lab.set_attribute("why", text)


def test_a_step_fits_into_64_bits(capsys: pytest.CaptureFixture[str]) -> None:
    hpo_lab.report(step=2**63 - 1, loss=1)
    with pytest.raises(ValueError, match="must fit into 64 bits"):
        hpo_lab.report(step=2**63, loss=1)
