"""What is read back from the notebook of a trial."""

from __future__ import annotations

import ast
import json

import nbformat
import pytest

from hpo_lab.experiment.model import Objective
from hpo_lab.notebook.annotations import parse_annotations
from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.notebook.trial_notebook import TrialNotebook, build_trial_notebook

TUNED = """\
%matplotlib inline
lr     = 0.01   # tune: loguniform(1e-4, 1e-1)
units: int = (  # as wide as this
    0x10        # tune: int(1, 99)
)
opt    = 'a'    #tune:choice("a", 'b')

loss = train(X, lr, units, opt)
"""


def recorded(tuned: str, *earlier: str) -> TrialNotebook:
    cell = ParsedCell(tuned)
    objective = Objective(type="minimize", objective_metric_name="loss")
    kept = [ParsedCell(source) for source in earlier]
    notebook = build_trial_notebook(cell, parse_annotations(cell), kept, objective)
    return TrialNotebook.read(nbformat.writes(notebook).encode())


@pytest.mark.parametrize("tuned", [TUNED, "\n".join(f"  {line}" for line in TUNED.splitlines())])
def test_the_cell_comes_back_as_it_was_written(tuned: str) -> None:
    notebook = recorded(tuned, "import os", "X = 1")
    assert notebook.tuned_source() == tuned
    assert [cell["source"] for cell in notebook.set_up] == ["import os", "X = 1"]
    assert [cell.source for cell in notebook.code.cells[:-1]] == ["import os", "X = 1"]


def test_the_assignments() -> None:
    assignments = recorded(TUNED).assignments.items()
    assert {name: (ast.literal_eval(a.value), a.annotation) for name, a in assignments} == {
        "lr": (0.01, "loguniform(1e-4, 1e-1)"),
        "units": (16, "int(1, 99)"),
        "opt": ("a", "choice(\"a\", 'b')"),
    }


def test_assignments_are_written_in_another_way_in_their_places() -> None:
    source = recorded(TUNED).tuned_source({"units": ["units = 3"], "lr": ["lr = (", "1)"]})
    before = TUNED.split("\n")
    assert source.split("\n") == [before[0], "lr = (", "1)", "units = 3", *before[5:]]
    lost = recorded(TUNED)
    lost.tuned["source"] = "loss = lr"
    assert lost.tuned_source({"units": ["units = 3"]}) == "\n".join(
        [before[1], "units = 3", before[5], "loss = lr"]
    )


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"cells": [1]}', '{"cells": [{"source": "", "metadata": {}}]}', "[" * 10**5],
)
def test_what_is_no_trial_notebook(content: str) -> None:
    with pytest.raises(ValueError):
        TrialNotebook.read(content.encode())


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
    lines = TrialNotebook.read(json.dumps(notebook).encode()).tuned_source().split("\n")
    assert lines == [
        "lr = 0.01  # tune: uniform(0, 1)",
        "n = 2  # tune: int(1, 2)",
        "#",
        "loss = lr",
    ]


def test_cells_that_define_what_is_lacking() -> None:
    notebook = recorded(TUNED, "import os", "def train(*a): return len(a)", "X = Y = 1")
    lacking = [(each.source, names) for each, names in notebook.lacking(["X"])]
    assert lacking == [("def train(*a): return len(a)", ["train"])]
    assert notebook.lacking(["X", "train", "unused"]) == []
