from __future__ import annotations

import nbformat
import papermill
import pytest

from hpo_lab.experiment.model import Objective, ObjectiveType
from hpo_lab.notebook.annotations import parse_annotations
from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.notebook.trial_notebook import build_trial_notebook, objective_problems


def objective(*names):
    return Objective(
        type=ObjectiveType.MAXIMIZE,
        objective_metric_name=names[0],
        additional_metric_names=names[1:],
    )


def build(tuned, *kept, metrics=("accuracy",)):
    cell = ParsedCell(tuned)
    return build_trial_notebook(cell, parse_annotations(cell), kept, objective(*metrics))


TUNED = """\
%time 1
lr = 0.01  # tune: loguniform(1e-4, 1e-1)
opt = "a"  # tune: choice("a", "b")
accuracy = lr"""


def test_the_parts_and_their_order():
    kept = ParsedCell("%load_ext hpo_lab\nimport os\n", frozenset({"tune-keep", "parameters"}))
    nb = build(TUNED, kept, metrics=("accuracy", "loss"))
    nbformat.validate(nb)
    assert [(c.source, c.metadata.get("tags")) for c in nb.cells] == [
        ("pass  # %load_ext hpo_lab\nimport os\n", ["tune-keep"]),
        (
            'lr = 0.01  # tune: loguniform(1e-4, 1e-1)\nopt = "a"  # tune: choice("a", "b")',
            ["parameters"],
        ),
        ("%time 1\n# lr: set by the trial\n# opt: set by the trial\naccuracy = lr", ["tune"]),
        (
            "from hpo_lab.trial import report_variables as _report\n"
            '_report(globals(), ["accuracy", "loss"])',
            ["hpo-lab-objective"],
        ),
    ]


def test_the_same_input_gives_the_same_file():
    assert nbformat.writes(build(TUNED, ParsedCell("a = 1"))) == nbformat.writes(
        build(TUNED, ParsedCell("a = 1"))
    )


def test_parameters_come_first_where_the_set_up_reads_them():
    nb = build(TUNED, ParsedCell("rate = lr * 2"))
    assert nb.cells[0].metadata.tags == ["parameters"]


def test_annotated_assignments_are_turned_off_line_for_line():
    tuned = "%time 1\nlr = (\n  0.1)  # tune: uniform(0, 1)\nx = lr\n"
    assert build(tuned).cells[-2].source == "%time 1\n# lr: set by the trial\n  #\nx = lr\n"


def test_an_indented_cell_can_still_run():
    tuned = "  lr = 1  # tune: int(1, 2)\n  x = lr\n"
    assert build(tuned).cells[-2].source == "  # lr: set by the trial\n  x = lr\n"


def test_own_magics_in_blocks_are_turned_off():
    nb = build(TUNED, ParsedCell("if True:\n    %hpo status\nx = '''\n%hpo status\n'''"))
    assert nb.cells[0].source == "if True:\n    pass  # %hpo status\nx = '''\n%hpo status\n'''"


@pytest.mark.parametrize(
    ("kept", "tuned", "values", "expected"),
    [
        # An earlier cell assigns the tuned name: the trial wins, below it.
        (
            ["lr = 0.5", "before = lr"],
            "lr = 0.25  # tune: uniform(0, 1)\n"
            "text = (\n  'a')  # tune: choice('a', 'it\\'s \"b\"\\n')\n"
            "print([before, lr, text])",
            {"lr": 0.125, "text": 'it\'s "b"\n'},
            "[0.5, 0.125, 'it\\'s \"b\"\\n']\n",
        ),
        # What the trial leaves out has its default.
        (
            [],
            "a = 3  # tune: int(1, 4)\nflag = None  # tune: choice(None, True)\nprint(a, flag)",
            {"flag": True},
            "3 True\n",
        ),
        # The set-up reads the tuned name, which nothing above defines.
        (["double = 2 * lr"], "lr = 1  # tune: int(1, 4)\nprint(double)", {"lr": 4}, "8\n"),
    ],
)
def test_executed_by_papermill(tmp_path, kept, tuned, values, expected):
    nb = build(tuned, *map(ParsedCell, kept))
    nb.cells.pop()  # reporting needs a trial
    done = papermill.execute_notebook(
        nb, str(tmp_path / "out.ipynb"), values, kernel_name="python3", progress_bar=False
    )
    (cell,) = [c for c in done.cells if "tune" in c.metadata.tags]
    assert "".join(o.text for o in cell.outputs) == expected


def missing(tuned, *metrics, kept=()):
    cells = [ParsedCell(source) for source in kept]
    problems = objective_problems(ParsedCell(tuned), cells, objective(*metrics), where="cell 3")
    return [str(problem) for problem in problems]


@pytest.mark.parametrize(
    "tuned",
    [
        "loss = 1",
        "if 1:\n    loss = 1",
        "for loss in [1]: pass",
        "a, (loss, b) = 1, (2, 3)",
        "%time loss = 1",
        "%%time\nloss = 1",
        "report(loss=1)",
        "def f():\n    report(step=1, loss=2)",
        "import hpo_lab\nhpo_lab.report(loss=1)",
        "import hpo_lab as h\nh.report(loss=1)",
        "from hpo_lab import report as r\nr(loss=1)",
        "from hpo_lab import trial\ntrial.report(loss=1)",
        "report(**metrics)",
        "from metrics import *",
        "exec('loss = 1')",
        "%run loss.py",
        "%%unknown\nloss",
    ],
)
def test_metrics_that_may_be_produced(tuned):
    assert missing(tuned, "loss") == []


@pytest.mark.parametrize(
    "tuned",
    ["lss = 1", "def f():\n    loss = 1", "print('loss')", "other.log(loss=1)", "x.loss = 1"],
)
def test_metrics_that_nothing_produces(tuned):
    assert len(missing(tuned, "loss")) == 1


def test_missing_metrics_name_the_nearest():
    assert missing("acuracy = 1", "accuracy", "loss", kept=["loss = 1"]) == [
        "cell 3: nothing assigns or reports the metric 'accuracy'; did you mean 'acuracy'?; "
        "assign it in the cell (`accuracy = ...`) or call `hpo_lab.report`"
    ]
    assert "`metric = ...`" in missing("x = 1", "val/loss")[0]
