"""What a tuned cell reads and no trial would have, told before the first trial."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import nbformat
import pytest

from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.notebook.trial_notebook import TrialNotebook
from hpo_lab.options import TuneOptions
from hpo_lab.prepare import Prepared, prepare_file
from hpo_lab.prepare.notebook import prepare_cell
from hpo_lab.problems import InvalidInput
from hpo_lab.trial.folder import NOTEBOOK

SPARK = ["--profile=spark"]
TUNE = "%%tune minimize loss --trials 2\nk = 1.0  # tune: uniform(0, 2)\n"
FIRST = TUNE + "loss = k * x\nfitted = loss"
SECOND = "%%tune minimize loss2 --trials 1\nm = 1.0  # tune: uniform(0, 2)\nloss2 = m * fitted + k"


def prepared(folder: Path, *cells: str, cell: str | None = None) -> Prepared:
    written = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in cells])
    path = folder / "cells.ipynb"
    nbformat.write(written, path)
    return prepare_file(path, TuneOptions(), cell)


def refusal(folder: Path, *cells: str, cell: str | None = None) -> str:
    with pytest.raises(InvalidInput) as error:
        prepared(folder, *cells, cell=cell)
    (problem,) = error.value.problems
    return str(problem)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            ["hist = [1.0]\nraise ValueError", TUNE + "loss = sum(hist) * nowhere"],
            "cells.ipynb, cell 2, line 3: no cell above defines 'nowhere'",
        ),
        (
            [TUNE + "loss = helper(k)", "def helper(k):\n    return k"],
            "cells.ipynb, cell 1, line 3: no cell above defines 'helper'; cell 2, which is below, "
            "does",
        ),
        (
            ["helper = abs", "size = 1", TUNE + "loss = hepler(k) * size"],
            "cells.ipynb, cell 3, line 3: no cell above defines 'hepler'",
        ),
        (
            ["data = read(1)", TUNE + "loss = k * data"],
            "cells.ipynb, cell 1, line 1: no cell above defines 'read'",
        ),
    ],
)
def test_a_name_that_nothing_defines_is_refused(
    tmp_path: Path, cells: list[str], message: str
) -> None:
    assert refusal(tmp_path, *cells).startswith(message)


@pytest.mark.parametrize("file", ["startup/00-names.py", "ipython_kernel_config.py"])
def test_the_profile_of_ipython_may_define_it(tmp_path: Path, file: str) -> None:
    path = Path(os.environ["IPYTHONDIR"]) / "profile_default" / file
    path.parent.mkdir(parents=True)
    path.write_text("nowhere = 1")

    assert prepared(tmp_path, TUNE + "loss = k * nowhere")


def test_a_tuned_cell_that_another_reads_runs_with_its_defaults(tmp_path: Path) -> None:
    made = prepared(tmp_path, "x = 2.0", FIRST, SECOND, cell="3")

    assert [each.kept for each in made.decisions] == [True, True]
    assert made.decisions[1].reason == "defines fitted, k (used by the tuned cell)"
    _, first = TrialNotebook.read(made.files[NOTEBOOK][1]).set_up
    assert first["source"] == FIRST.replace("%%tune", "# %%tune")


def test_a_tuned_cell_that_no_other_reads_is_left_out(tmp_path: Path) -> None:
    made = prepared(tmp_path, "x = 2.0", FIRST, SECOND.replace("fitted + k", "x"), cell="3")

    assert [each.kept for each in made.decisions] == [True, False]


def test_a_tuned_cell_that_reports_is_not_part_of_the_trials_of_another(tmp_path: Path) -> None:
    first = FIRST.replace("loss = k", "from hpo_lab import report\nreport(loss=k)\nloss = k")

    message = refusal(tmp_path, "x = 2.0", first, SECOND.replace(" + k", ""), cell="3")

    assert message == (
        "cells.ipynb, cell 3, line 3: no cell above defines 'fitted' but cell 2, which is left "
        "out (tuned itself: what calls report() belongs to its trials)"
    )


@pytest.mark.parametrize("above", ["%%time\n", "%%capture\n", "\n# first\n%%time\n"])
def test_what_runs_a_cell_may_stand_above_tune(tmp_path: Path, above: str) -> None:
    made = prepared(tmp_path, "x = 2.0", above + FIRST)

    assert [each.name for each in made.experiment.spec.parameters] == ["k"]
    message = refusal(tmp_path, "x = 2.0", above + FIRST.replace("uniform", "unifrom"))
    assert f"cells.ipynb, cell 2, line {above.count(chr(10)) + 2}: " in message


def live(*cells: str, names: list[str], hidden: list[str] | None = None) -> str:
    """What is refused of the last of *cells* in a kernel that has *names*."""
    *earlier, tuned = cells
    labelled = [ParsedCell(each, label=f"In [{n}]") for n, each in enumerate(earlier, start=1)]
    try:
        prepare_cell(
            tuned.partition("\n")[2],
            labelled,
            TuneOptions(metric="loss"),
            where=f"In [{len(cells)}]",
            name="cells",
            file="cells.ipynb",
            working_directory=Path.cwd(),
            types=dict.fromkeys(names, "builtins.float"),
            provided=hidden or [],
        )
    except InvalidInput as error:
        return "\n".join(map(str, error.problems))
    return ""


def test_a_kernel_is_told_what_its_history_does_not_define() -> None:
    cell = TUNE + "loss = k * helper"

    assert live(cell, names=["helper"]) == (
        "In [1], line 3: no cell that ran in this kernel defines 'helper', which trials would "
        "not have; run the cell that does"
    )
    assert live(cell, names=[]) == (
        "In [1], line 3: no cell that ran in this kernel defines 'helper'"
    )
    assert live(cell, names=["helper"], hidden=["helper"]) == ""
    assert live(FIRST.replace("x", "1"), TUNE + "loss = k * fitted", names=[]) == (
        "In [2], line 3: no cell that ran in this kernel defines 'fitted' but In [1], which is "
        "tuned; %hpo best --run runs it with its best"
    )


def test_a_kernel_that_starts_in_its_own_way_may_define_the_name(tmp_path: Path) -> None:
    kernel = Path(os.environ["JUPYTER_DATA_DIR"]) / "kernels" / "spark" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", *SPARK]
    kernel.write_text(json.dumps({"argv": argv, "display_name": "Spark", "language": "python"}))
    cell = TUNE.replace("--trials", "--kernel spark --trials") + "loss = spark.loss(k)"

    (notice,) = prepared(tmp_path, cell).warnings

    assert str(notice) == (
        "cells.ipynb, cell 1, line 3: no cell above defines 'spark'; the trials fail unless their "
        "kernel does: the kernel 'spark' starts with --profile=spark"
    )


@pytest.mark.parametrize("applies", ["%hpo best --run", "%hpo best cells --apply"])
def test_a_file_says_that_the_best_of_a_cell_above_is_not_applied(
    tmp_path: Path, applies: str
) -> None:
    (notice,) = prepared(tmp_path, "x = 2.0", FIRST, applies, SECOND, cell="4").warnings

    assert str(notice) == (
        f"cells.ipynb, cell 3: `{applies}` is not run in trials of a file, which run cell 2 with "
        "the values that are written in it; hpo-lab best NAME --write cells.ipynb writes the best"
    )
    assert prepared(tmp_path, "x = 2.0", FIRST, applies, FIRST, cell="4").warnings == ()
