"""Notebooks that are stopped early, forked and in a kernel."""

from __future__ import annotations

import nbformat
import pytest

from hpo_lab.experiment.model import AlgorithmSetting, EarlyStopping
from hpo_lab.experiment.trial import TrialState
from hpo_lab.trial.folder import NOTEBOOK

from .conftest import Tuned

RULE = EarlyStopping(
    algorithm_name="threshold", algorithm_settings=(AlgorithmSetting(name="lower", value="0"),)
)
CELL = """
from hpo_lab import report
import time
for step in range(3):
    print("step", step, flush=True)
    report(step=step, score=x - 5 * step)
time.sleep(600)
"""


@pytest.mark.parametrize("isolation", ["fork", "kernel"])
def test_a_stopped_notebook_is_kept_as_far_as_it_came(tuned: Tuned, isolation: str) -> None:
    run = tuned(
        "print('set up')", CELL, trials=1, parallel=1, isolation=isolation, early_stopping=RULE
    )

    (one,) = run.trials
    assert one.trial.state is TrialState.EARLY_STOPPED
    assert one.reason == "TrialEarlyStopped" and "step 1" in one.trial.message
    assert one.trial.metrics["score"].count == 3
    left = run.store.artifact(run.uid, NOTEBOOK, 0)
    assert left is not None
    cells = nbformat.reads(left.read().decode(), as_version=4).cells
    assert any(cell.get("outputs") and cell.outputs[0].text == "set up\n" for cell in cells)
    assert any(f"x = {one.trial.assignments['x']!r}" in cell.source for cell in cells)
