"""Trials of functions are forked from a process that has loaded the function."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import random
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import hpo_lab
from hpo_lab.experiment.trial import TrialState
from hpo_lab.local.place import trial_folder
from hpo_lab.local.runner import local_runner
from tests.processes import processes_below

DRAWN = np.random.default_rng()
SEEDED = np.random.default_rng(0)


def told(store, record, name):
    """The values of a metric, trial by trial."""
    return [trial.metrics[name].latest for trial in store.trials(record.uid)]


def reasons(store, record):
    """Why the trials were not forked."""
    conditions = store.conditions(record.uid)
    return [each.message for each in conditions if each.reason == "TrialsNotForked"]


def tells_where_it_runs(x):
    print("x is", x)
    assert not any(hpo_lab.checkpoint_dir().iterdir())
    hpo_lab.keep("x", x)
    hpo_lab.report(
        parent=os.getppid(),
        random=random.random(),
        legacy=np.random.random(),
        drawn=DRAWN.random(),
        seeded=SEEDED.random(),
        score=x,
    )


METRICS = ("parent", "random", "legacy", "drawn", "seeded")


@pytest.mark.parametrize(("isolation", "parents"), [("auto", 1), ("fork", 1), ("kernel", 3)])
def test_isolation_says_whether_trials_are_forked(store, enrolled, isolation, parents) -> None:
    record = enrolled(
        tells_where_it_runs,
        trials=3,
        isolation=isolation,
        additional_metric=METRICS,
    )
    local_runner(store, record.uid).run()
    assert len(set(told(store, record, "parent"))) == parents
    for name in ("random", "legacy"):
        assert len(set(told(store, record, name))) == 3
    assert len(set(told(store, record, "seeded"))) == 1
    for trial in store.trials(record.uid):
        folder = trial_folder(store.folder(record.uid), trial.number)
        assert (folder / "log.txt").read_text() == f"x is {trial.assignments['x']}\n"
        assert store.artifact(record.uid, "x", trial.number) is not None
    assert reasons(store, record) == []
    assert processes_below(store.files) == []


def test_what_a_function_does_not_seed_is_seeded_by_experiment_and_trial(store, enrolled) -> None:
    names = ("random", "legacy", "drawn")
    values = []
    for name, isolation in (("first", "fork"), ("second", "fork"), ("third", "kernel")):
        record = enrolled(
            tells_where_it_runs,
            trials=2,
            name=name,
            isolation=isolation,
            additional_metric=METRICS,
        )
        local_runner(store, record.uid).run()
        values.append([told(store, record, metric) for metric in names])
    assert values[0] == values[1] == values[2]
    assert all(first != second for first, second in values[0])


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Write a module that can be imported here and in trials."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(source: str) -> Path:
        path = tmp_path / "own_loaded.py"
        path.write_text(source)
        return path

    yield write
    sys.modules.pop("own_loaded", None)


def imported():
    import own_loaded  # type: ignore[import-not-found]

    return lambda x: own_loaded.VALUE + x


def test_what_loading_prints_is_in_every_log(store, enrolled, module) -> None:
    module("import os\nVALUE = 1\nprint('loading')\nos.write(2, b'by the system\\n')\n")
    record = enrolled(imported(), trials=2)
    local_runner(store, record.uid).run()
    for number in range(2):
        log = trial_folder(store.folder(record.uid), number) / "log.txt"
        assert log.read_text() == "loading\nby the system\n"


def test_where_a_fork_would_not_work_every_trial_loads_the_function(
    store, enrolled, module
) -> None:
    module(
        "import threading, time\nVALUE = 1\n"
        "threading.Thread(target=time.sleep, args=(99,), name='feed', daemon=True).start()\n"
    )
    record = enrolled(imported(), trials=2)
    local_runner(store, record.uid).run()
    assert {trial.state for trial in store.trials(record.uid)} == {TrialState.SUCCEEDED}
    assert reasons(store, record) == [
        "Experiment is running; every trial loads the function itself, because "
        "the thread 'feed' runs"
    ]


@pytest.mark.parametrize("isolation", ["auto", "fork"])
def test_a_function_that_cannot_be_loaded_fails_with_its_traceback(
    store, enrolled, module, isolation
) -> None:
    path = module("VALUE = 1\n")
    record = enrolled(imported(), trials=1, isolation=isolation)
    path.write_text("VALUE = undefined\n")
    local_runner(store, record.uid).run()
    (trial,) = store.trials(record.uid)
    assert trial.message == "NameError: name 'undefined' is not defined"
    assert "VALUE = undefined" in store.trial(record.uid, 0).traceback
    assert "cannot be loaded once for all (NameError" in reasons(store, record)[0]


def leaves_work(x):
    folder = Path(os.environ["HPO_LAB_TRIAL_FOLDER"])

    def finish():
        time.sleep(0.3)
        (folder / "thread.txt").write_text("done")

    threading.Thread(target=finish).start()
    atexit.register((folder / "exit.txt").write_text, "done")
    with multiprocessing.Pool(2) as pool:
        return sum(pool.map(abs, [x, -x]))


def test_a_trial_ends_as_an_interpreter_does(store, enrolled) -> None:
    record = enrolled(leaves_work, trials=2)
    local_runner(store, record.uid).run()
    for trial in store.trials(record.uid):
        assert trial.metrics["score"].latest == 2 * trial.assignments["x"]
        folder = trial_folder(store.folder(record.uid), trial.number)
        assert (folder / "thread.txt").exists()
        assert (folder / "exit.txt").exists()
    assert reasons(store, record) == []


STATE = {"calls": 0}


def counts_its_calls(x):
    STATE["calls"] += 1
    return STATE["calls"]


def uses_much_memory(x):
    held = np.ones(64 * 2**20 // 8) if x < 2 else None
    while True:
        time.sleep(0.1)
        assert held is not None


def test_trials_share_nothing_that_they_change(store, enrolled) -> None:
    record = enrolled(counts_its_calls, trials=3)
    local_runner(store, record.uid).run()
    assert told(store, record, "score") == [1, 1, 1]


def test_a_trial_that_uses_too_much_memory_is_ended(store, enrolled) -> None:
    record = enrolled(uses_much_memory, trials=1, trial_memory=48 * 2**20)
    local_runner(store, record.uid).run()
    (trial,) = store.trials(record.uid)
    assert trial.state is TrialState.FAILED
    assert "of memory; allowed are 48 MiB" in trial.message
    assert processes_below(store.files) == []


def imported_late(file):
    def function(x):
        import own_loaded

        file.write_text("VALUE = 100\n")
        return own_loaded.VALUE

    return function


def test_a_module_that_is_edited_meanwhile_stays_as_it_was(store, enrolled, module) -> None:
    record = enrolled(imported_late(module("VALUE = 1\n")), trials=3)
    local_runner(store, record.uid).run()
    assert told(store, record, "score") == [1, 1, 1]
