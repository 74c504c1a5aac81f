"""Where a trial failed, in the words of the notebook that its author has."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import nbformat
import pytest

from hpo_lab.execution.executed import told
from hpo_lab.execution.slice_check import compare
from hpo_lab.options import TuneOptions
from hpo_lab.prepare import prepare_file
from hpo_lab.trial.folder import CELL

TRACEBACK = [
    "-----",
    "Cell In[3], line 2",
    "      1 # k: set by the trial",
    "----> 2 loss = f(k)",
    "",
    "Cell In[1], line 1, in f(k)",
    "----> 1 def f(k): return 1 / 0",
    "",
    "ZeroDivisionError: division by zero",
]


def test_cells_and_lines_are_numbered_as_their_author_sees_them() -> None:
    cells = [
        {"cell_type": "code", "execution_count": count, "metadata": {CELL: named} if named else {}}
        for count, named in ((1, {"name": "In [7]", "line": 1}), (2, {}), (3, {"name": "cell 9"}))
    ]
    cells[2]["metadata"] = {CELL: {"name": "cell 9", "line": 9}}

    assert told({"traceback": TRACEBACK}, cells).split("\n") == [
        "-----",
        "Cell 9, line 10",
        "      9 # k: set by the trial",
        "----> 10 loss = f(k)",
        "",
        "Cell In [7], line 1, in f(k)",
        "----> 1 def f(k): return 1 / 0",
        "",
        "ZeroDivisionError: division by zero",
    ]


_SHOWN = "class Drawing:\n    def _repr_html_(self): raise FileNotFoundError('dot')\nDrawing()"


@pytest.mark.parametrize("failing", ["missing = open('missing.csv')", _SHOWN])
def test_a_check_says_which_cell_fails(failing: str, tmp_path: Path) -> None:
    cells = ["x = 1", "print('shown')", failing]
    tuned = "%%tune minimize loss\nk = 1.0  # tune: uniform(0, 1)\nloss = k * x"
    made = [nbformat.v4.new_code_cell(source) for source in [*cells, tuned]]
    path = tmp_path / "cells.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=made), path)
    halves = prepare_file(path, TuneOptions(), None).halves
    assert halves is not None

    failure = compare(halves()).failure

    if failing == _SHOWN and version("ipykernel") < "7":
        # To older kernels a picture that cannot be drawn is no failure of its cell.
        assert not failure
        return
    assert failure.startswith("the whole notebook does not run to its end: cell 3: FileNotFound")
