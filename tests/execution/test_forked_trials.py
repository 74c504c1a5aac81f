"""Trials forked from a process that has run their set-up."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import nbformat
import pytest

from hpo_lab.experiment.trial import TrialState
from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.trial.folder import NOTEBOOK
from tests.processes import processes_below

from .conftest import Tuned

ONCE = "import os, random\nset_up_by = os.getpid()\nprint('set up by', set_up_by)"


def notebook(run, number=0):
    return nbformat.read(run.folder(number) / NOTEBOOK, as_version=4)


def test_the_set_up_runs_once_and_shows_in_every_notebook(tuned: Tuned) -> None:
    run = tuned(
        ONCE,
        "score = x\nprint('tuned by', os.getpid())\nassert set_up_by == os.getppid()",
        trials=4,
    )

    assert run.scores() == [one.trial.assignments["x"] for one in run.trials]
    texts = set()
    for number, one in enumerate(run.trials):
        found = notebook(run, number)
        nbformat.validate(found)
        set_up, _, injected, tune, _ = found.cells
        texts.add(set_up.outputs[0].text)
        assert set_up.metadata.hpo_lab == {"warm": True}
        assert injected.source == f"# Parameters\nx = {one.trial.assignments['x']!r}\n"
        assert tune.outputs[0].text.startswith("tuned by")
        assert [cell.execution_count for cell in found.cells] == [1, 2, 3, 4, 5]
        assert {cell.metadata.papermill.status for cell in found.cells} == {"completed"}
        assert found.metadata.papermill.parameters == one.trial.assignments
        log = (run.folder(number) / "log.txt").read_text()
        assert log == set_up.outputs[0].text + tune.outputs[0].text
    assert len(texts) == 1


def test_the_first_cell_reading_a_parameter_is_not_shared(tuned: Tuned) -> None:
    run = tuned("doubled = 2 * x", "score = doubled")

    assert run.scores() == [2 * one.trial.assignments["x"] for one in run.trials]


def test_a_report_in_the_set_up_reaches_every_trial(tuned: Tuned) -> None:
    run = tuned("from hpo_lab import report\nreport(score=7)", "y = x")

    assert run.scores() == [7.0, 7.0]


DRAWS = (
    "import random, numpy as np\n"
    "score = 1e6 * random.randrange(1000) + 1e3 * np.random.randint(1000) + float({own})"
)


def test_unseeded_trials_draw_differently_and_the_same_again(tuned: Tuned) -> None:
    set_up = "import random, numpy as np\ngenerator = np.random.default_rng()"
    cell = DRAWS.format(own="generator.integers(1000)")
    first = tuned(set_up, cell, name="first", trials=4).scores()

    for digits in (1e6, 1e3, 1):
        assert len({score // digits % 1000 for score in first}) > 1
    assert tuned(set_up, cell, name="second", trials=4).scores() == first


def test_a_seeded_set_up_gives_the_numbers_of_a_kernel(tuned: Tuned) -> None:
    set_up = (
        "import random, numpy as np\n"
        "random.seed(3); np.random.seed(4); generator = np.random.default_rng(5)"
    )
    cell = DRAWS.format(own="generator.integers(1000)")
    forked = tuned(set_up, cell, name="fork").scores()

    assert forked[0] == forked[1]
    assert tuned(set_up, cell, name="kernel", isolation="kernel", trials=2).scores() == forked


def test_unseeded_trials_in_kernels_draw_what_forks_draw(tuned: Tuned) -> None:
    set_up = "import random, numpy as np\ngenerator = np.random.default_rng()"
    cell = DRAWS.format(own="generator.integers(1000)")
    forked = tuned(set_up, cell, name="fork").scores()

    assert forked[0] != forked[1]
    assert tuned(set_up, cell, name="kernel", isolation="kernel").scores() == forked


@pytest.mark.parametrize("isolation", ["fork", "kernel"])
def test_what_the_cell_imports_draws_the_same_again(tuned: Tuned, isolation: str) -> None:
    first = tuned("", DRAWS.format(own=0), name="first", isolation=isolation).scores()

    assert first[0] != first[1]
    again = tuned("", DRAWS.format(own=0), name="again", isolation=isolation)
    assert again.scores() == first
    assert "_hpo_lab" not in (again.folder(0) / "notebook.ipynb").read_text()


def test_a_failing_set_up_fails_the_trials_with_its_traceback(tuned: Tuned) -> None:
    run = tuned("def load():\n    raise OSError('no data')\nload()", "score = x")

    for one in run.trials:
        assert one.trial.state is TrialState.FAILED
        assert one.trial.message == "OSError: no data"
        assert "in load()" in one.traceback
    cells = notebook(run).cells
    assert [cell.metadata.get("tags") for cell in cells[:2]] == [["papermill-error-cell-tag"]] * 2
    assert cells[-1].metadata.papermill.status == "pending"


def test_a_failing_cell_fails_its_trial_alone(tuned: Tuned) -> None:
    run = tuned("", "score = x\nif x != 0.5:\n    raise ValueError(x)", trials=3)

    states = [one.trial.state for one in run.trials]
    assert states == [TrialState.SUCCEEDED, TrialState.FAILED, TrialState.FAILED]
    assert "----> " in run.trials[1].traceback
    assert "ValueError" in (run.folder(1) / "log.txt").read_text()


@pytest.mark.parametrize(
    ("set_up", "reason"),
    [
        (
            "import threading, time\nthreading.Thread(target=time.sleep, args=(9,)).start()",
            "thread",
        ),
        ("import os\nos._exit(3)", "it ended its process"),
    ],
)
def test_a_set_up_that_cannot_be_shared_runs_in_every_trial(
    tuned: Tuned, set_up: str, reason: str
) -> None:
    run = tuned(set_up, "score = x")

    (message,) = [text for text in run.messages() if "every trial runs its set-up" in text]
    assert reason in message
    if reason == "thread":
        assert run.scores() == [one.trial.assignments["x"] for one in run.trials]


@pytest.mark.parametrize("starts", ["", "; subprocess.Popen(['setsid', 'sleep', '600'])"])
def test_a_trial_that_takes_too_long_ends_with_all_it_started(tuned, store, starts) -> None:
    run = tuned(
        "",
        f"import subprocess, time{starts}\nprint('begun', flush=True)\n"
        "time.sleep(600 if x == 0.5 else 0)\nscore = x",
        trial_timeout=6.0,
    )

    assert run.trials[0].trial.message == "ran longer than 6 seconds"
    assert run.trials[1].trial.state is TrialState.SUCCEEDED
    assert processes_below(store.files) == []
    tune = notebook(run).cells[2]
    assert tune.outputs[0].text == "begun\n"
    assert tune.metadata.papermill.status == "running"


def test_a_killed_trial_leaves_its_notebook_and_no_process(tuned, store) -> None:
    run = tuned(
        "",
        "import os, subprocess\nsubprocess.Popen(['setsid', 'sleep', '600'])\n"
        "os.kill(os.getpid(), 9)\nscore = x",
    )

    for number, one in enumerate(run.trials):
        assert one.trial.message == "the trial's process was killed by signal 9"
        assert f"x = {one.trial.assignments['x']!r}" in notebook(run, number).cells[1].source
    assert processes_below(store.files) == []


@pytest.mark.parametrize("set_up", ["", "import socket\nopened = socket.socket()"])
def test_a_trial_is_ended_when_it_uses_too_much_memory(tuned: Tuned, set_up: str) -> None:
    """In a fork, and where the set-up forbids one, in a kernel."""
    run = tuned(
        set_up,
        "import time\nheld = bytearray(400 << 20) if x == 0.5 else 0\n"
        "time.sleep(20 if held else 0)\nscore = x",
        trial_memory=300 << 20,
    )

    assert run.trials[0].reason == "TrialMemoryExceeded"
    assert "allowed are 300 MiB" in run.trials[0].trial.message
    assert run.trials[1].trial.state is TrialState.SUCCEEDED


@pytest.mark.parametrize("isolation", ["fork", "kernel"])
def test_endless_output_is_cut_off(tuned: Tuned, isolation: str) -> None:
    run = tuned(
        "",
        "for _ in range(40):\n    print('y' * (1 << 15), flush=True)\nscore = x",
        trials=1,
        parallel=1,
        isolation=isolation,
        trial_output=1 << 20,
    )

    outputs = [output for cell in notebook(run).cells for output in cell.outputs]
    assert run.trials[0].trial.state is TrialState.SUCCEEDED
    assert 0.9 * 2**20 < sum(len(output.text) for output in outputs) < 1.1 * 2**20
    assert "cut off after 1048576 bytes" in outputs[-1].text


@pytest.mark.parametrize(
    ("keep", "kept"), [("all", {0, 1, 2}), ("best", {1}), ("failed", {2}), ("none", set())]
)
def test_the_notebooks_that_were_asked_for_are_kept(tuned, store, keep, kept) -> None:
    run = tuned(
        "",
        "import os\nnumber = int(os.path.basename(os.environ['HPO_LAB_TRIAL_FOLDER']))\n"
        "assert number != 2\nscore = number",
        trials=3,
        keep=keep,
    )

    assert {n for n in range(3) if (run.folder(n) / NOTEBOOK).exists()} == kept
    assert {n for n in range(3) if store.artifact(run.uid, NOTEBOOK, n)} == kept


def test_files_and_exit_handlers_of_a_trial_are_completed(tuned: Tuned, tmp_path) -> None:
    tuned(
        "import atexit, tempfile\nshared = tempfile.TemporaryDirectory()",
        "import os\nassert os.path.isdir(shared.name)\n"
        "out = open(f'{x}.txt', 'w'); out.write('written')\n"
        "atexit.register(lambda: open(f'{x}.end', 'w').close())\nscore = x",
        trials=3,
    )

    assert [path.read_text() for path in tmp_path.glob("*.txt")] == ["written"] * 3
    assert len(list(tmp_path.glob("*.end"))) == 3


def test_the_server_grows_by_nothing(tuned: Tuned) -> None:
    run = tuned(
        "import os\nserver = os.getpid()",
        "score = len(os.listdir(f'/proc/{server}/fd'))",
        trials=30,
    )

    # One descriptor tells the end of each trial that runs, of two at most; a request takes one.
    assert max(run.scores()) - min(run.scores()) <= 3


def test_a_killed_server_fails_its_trials_and_the_next_one_starts(tuned, store) -> None:
    run = tuned(
        "import os, signal, time",
        "if x == 0.5:\n    os.kill(os.getppid(), signal.SIGKILL); time.sleep(60)\nscore = x",
        trials=4,
        parallel=1,
    )

    states = [one.trial.state for one in run.trials]
    assert states == [TrialState.FAILED] + [TrialState.SUCCEEDED] * 3
    assert processes_below(store.files) == []


POOLS = {
    "sklearn": (
        "import numpy as np\nfrom sklearn.cluster import KMeans\n"
        "data = np.random.default_rng(0).random((2000, 8))\n"
        "shared = KMeans(3, n_init=1).fit(data)",
        "KMeans(2, n_init=1, max_iter=2).fit(data[:600])",
    ),
    "torch": (
        "import torch\nweights = torch.ones(1 << 18, requires_grad=True)\n"
        "(weights * 2).sum().backward()\ntorch.ones(1 << 20).sum()",
        "(weights * x).sum().backward()\nassert weights.grad is not None",
    ),
}


@pytest.mark.parametrize("library", POOLS)
def test_thread_pools_of_the_set_up_hang_no_trial(
    tuned: Tuned, require: Callable[..., None], library: str
) -> None:
    require(library, find_spec(library), f"pip install {library}")
    set_up, cell = POOLS[library]
    run = tuned(set_up, f"{cell}\nscore = x", trials=20, trial_timeout=60.0, keep="none")

    assert not [text for text in run.messages() if "every trial" in text]
    assert {one.trial.state for one in run.trials} == {TrialState.SUCCEEDED}


CONTINUES = """
from hpo_lab import checkpoint_dir
from tests.processes import processes_below
state = checkpoint_dir() / "sum"
score = x + (float(state.read_text()) if state.exists() else 0.0)
state.write_text(repr(score))
"""


@pytest.mark.parametrize("isolation", ["fork", "kernel"])
def test_notebooks_continue_from_checkpoints(tuned: Tuned, isolation: str) -> None:
    run = tuned(
        "print('set up')",
        CONTINUES,
        algorithm="pbt",
        setting=(("n_population", "5"),),
        trials=7,
        isolation=isolation,
    )

    assert any(one.trial.parent is not None for one in run.trials)
    for one in run.trials:
        before = 0.0 if one.trial.parent is None else run.scores()[one.trial.parent]
        assert one.trial.metrics["score"].latest == one.trial.assignments["x"] + before


def test_a_set_up_that_looks_at_a_checkpoint_is_not_shared(tuned: Tuned) -> None:
    run = tuned(
        "from hpo_lab import checkpoint_dir\nplace = checkpoint_dir()", "score = len(str(place))"
    )

    folders = [str(run.folder(number) / "checkpoint") for number in range(2)]
    assert run.scores() == [len(folder) for folder in folders]


@pytest.mark.parametrize("isolation", ["fork", "kernel"])
def test_settings_of_the_set_up_hold_in_the_trials(tuned: Tuned, isolation: str) -> None:
    run = tuned(
        "import decimal\nimport numpy as np\n"
        "decimal.getcontext().prec = 5\nnp.seterr(divide='raise'); None",
        "score = x + decimal.getcontext().prec\nassert np.geterr()['divide'] == 'raise'",
        isolation=isolation,
        trials=1,
        parallel=1,
    )

    assert run.scores() == [run.trials[0].trial.assignments["x"] + 5]


def test_a_report_of_an_exit_handler_counts(tuned: Tuned) -> None:
    run = tuned(
        "import atexit\nfrom hpo_lab import report", "atexit.register(lambda: report(score=x))"
    )

    assert run.scores() == [one.trial.assignments["x"] for one in run.trials]


def test_a_set_up_may_keep_more_than_a_thousand_files_open(tuned: Tuned) -> None:
    set_up = "import os\nfiles = [open(os.devnull) for _ in range(1100)]"

    run = tuned(set_up, "print(len(files))\nscore = len(files)", trials=3)

    assert run.scores() == [1100.0] * 3


@pytest.mark.parametrize("isolation", ["fork", "kernel"])
def test_a_cell_that_may_fail_ends_no_trial(tuned: Tuned, isolation: str) -> None:
    tags = frozenset({"raises-exception", "tune-keep"})
    failing = ParsedCell("a = 2.0\nraise ValueError('half-way')", tags, "cell 1")

    run = tuned([failing], "score = a", parallel=1, isolation=isolation)

    assert run.scores() == [2.0, 2.0]
    assert "An Exception was encountered" not in (run.folder(0) / NOTEBOOK).read_text()


@pytest.mark.parametrize("isolation", ["fork", "kernel"])
def test_what_comes_after_a_cell_that_may_fail_fails_its_trial(
    tuned: Tuned, isolation: str
) -> None:
    tags = frozenset({"raises-exception", "tune-keep"})
    failing = ParsedCell("raise ValueError('half-way')", tags, "cell 1")

    run = tuned([failing], "score = 1 / 0", trials=1, parallel=1, isolation=isolation)

    assert run.trials[0].trial.message == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize("isolation", ["fork", "kernel"])
def test_what_fails_inside_a_widget_is_passed_over(tuned: Tuned, isolation: str) -> None:
    set_up = "from ipywidgets import Output\nout = Output()"
    cell = "with out:\n    print('inside')\n    1 / 0\nscore = 1"

    run = tuned(set_up, cell, trials=1, parallel=1, isolation=isolation)

    assert run.scores() == [1.0]


def test_what_a_widget_takes_is_its_own_to_clear(tuned: Tuned) -> None:
    set_up = "from ipywidgets import Output\nout, other = Output(), Output()"
    cell = (
        "print('before')\nwith out:\n    print('inside')\n    with other:\n        print('deep')\n"
        "    1 / 0\nprint('between')\nout.clear_output()\nwith out:\n    print('again')\nscore = 1"
    )

    run = tuned(set_up, cell, trials=1, parallel=1)

    (tuned_cell,) = [each for each in notebook(run).cells if "out.clear_output" in each.source]
    texts = [output.text for output in tuned_cell.outputs]
    assert texts == ["before\n", "deep\n", "between\n", "again\n"]
