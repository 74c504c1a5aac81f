from __future__ import annotations

import pytest

from hpo_lab.experiment.model import Objective
from hpo_lab.notebook.annotations import parse_annotations
from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.notebook.recorded_cell import RecordedCell
from hpo_lab.notebook.trial_notebook import build_trial_notebook

TUNED = """\
%matplotlib inline
lr     = 0.01   # tune: loguniform(1e-4, 1e-1)
units: int = (  # as wide as this
    0x10        # tune: int(1, 99)
)
opt    = 'a'    #tune:choice("a", 'b')

loss = train(X, lr, units, opt)
"""


def recorded(tuned: str, *earlier: str) -> RecordedCell:
    cell = ParsedCell(tuned)
    objective = Objective(type="minimize", objective_metric_name="loss")
    kept = [ParsedCell(source) for source in earlier]
    return RecordedCell.of(build_trial_notebook(cell, parse_annotations(cell), kept, objective))


@pytest.mark.parametrize("tuned", [TUNED, "\n".join(f"  {line}" for line in TUNED.splitlines())])
def test_the_cell_comes_back_as_it_was_written(tuned: str) -> None:
    cell = recorded(tuned, "import os", "X = 1")
    assert cell.source == tuned
    assert [each.source for each in cell.set_up] == ["import os", "X = 1"]


def test_a_notebook_of_an_earlier_version() -> None:
    cells = [
        ("X = 1", []),
        ("lr = 0.01  # tune: uniform(0, 1)\nn = 2  # tune: int(1, 2)", ["parameters"]),
        ("# lr: set by the trial\n# n: set by the trial\n#\nloss = lr", ["tune"]),
        ("_report()", ["hpo-lab-objective"]),
    ]
    notebook = {
        "cells": [
            {"cell_type": "code", "source": source, "metadata": {"tags": tags}}
            for source, tags in cells
        ]
    }
    lines = RecordedCell.of(notebook).source.split("\n")
    assert lines == [
        "lr = 0.01  # tune: uniform(0, 1)",
        "n = 2  # tune: int(1, 2)",
        "#",
        "loss = lr",
    ]


def test_cells_that_define_what_is_lacking() -> None:
    cell = recorded(TUNED, "import os", "def train(*a): return len(a)", "X = Y = 1")
    lacking = [(each.source, names) for each, names in cell.lacking(["X"])]
    assert lacking == [("def train(*a): return len(a)", ["train"])]
    assert cell.lacking(["X", "train", "unused"]) == []
