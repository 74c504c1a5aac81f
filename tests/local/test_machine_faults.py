"""What the machine does wrong is no fault of a trial, and nothing is waited for without a limit."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hpo_lab.experiment.trial import TrialState
from hpo_lab.local import forked, place
from hpo_lab.local.place import LocalPlace
from hpo_lab.local.runner import local_runner
from hpo_lab.running import driver, turns
from hpo_lab.store import Store

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="trials are not forked here")


def signals_its_server(x):
    """The first trial sends a signal to its parent, which is the fork server."""
    import os
    import time
    from pathlib import Path

    folder = Path(os.environ["HPO_LAB_TRIAL_FOLDER"])
    told = folder.parent / "told"
    if folder.name == "00000" and not told.exists():
        told.touch()
        os.kill(os.getppid(), int(os.environ["WHICH_SIGNAL"]))
        time.sleep(600)
    return x


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little patience with what does not answer."""
    monkeypatch.setattr(place, "_LONGEST_END", 1.0)
    monkeypatch.setattr(forked, "GRACE", 0.5)


def test_a_fork_server_that_is_killed_costs_no_trial(
    store: Store, enrolled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHICH_SIGNAL", str(int(signal.SIGKILL)))
    record = enrolled(signals_its_server, trials=4, parallel=2)

    verdict = local_runner(store, record.uid).run()

    trials = store.trials(record.uid)
    assert verdict.state == "Succeeded"
    assert [trial.state for trial in trials] == [TrialState.SUCCEEDED] * 4
    assert trials[0].attempt == 2
    notes = [each.message for each in store.conditions(record.uid) if each.reason == "TrialLost"]
    assert "trial 0 runs again, for its fork server was gone" in " ".join(notes)


def test_a_fork_server_that_is_stopped_does_not_stop_the_timeout(
    hasty: None, store: Store, enrolled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHICH_SIGNAL", str(int(signal.SIGSTOP)))
    record = enrolled(signals_its_server, trials=4, parallel=1, trial_timeout=2)

    verdict = local_runner(store, record.uid).run()

    first, *others = store.trials(record.uid)
    assert verdict.state == "Succeeded"
    assert (first.state, first.message) == (TrialState.FAILED, "ran longer than 2 seconds")
    assert {trial.state for trial in others} == {TrialState.SUCCEEDED}


def test_a_fork_server_that_is_stopped_is_noticed(
    hasty: None, store: Store, enrolled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHICH_SIGNAL", str(int(signal.SIGSTOP)))
    monkeypatch.setattr(forked, "_PING_EVERY", 0.2)
    monkeypatch.setattr(forked, "_SILENCE", 2.0)
    record = enrolled(signals_its_server, trials=3, parallel=2)

    assert local_runner(store, record.uid).run().state == "Succeeded"
    assert {trial.state for trial in store.trials(record.uid)} == {TrialState.SUCCEEDED}


def test_a_signal_ends_a_runner_whose_fork_server_is_stopped(
    store: Store, enrolled, tmp_path: Path
) -> None:
    record = enrolled(signals_its_server, trials=4, parallel=2)
    environment = {"HPO_LAB_STORE": store.location, "WHICH_SIGNAL": str(int(signal.SIGSTOP))}
    runner = subprocess.Popen(
        [sys.executable, "-m", "hpo_lab.local", record.uid, "FunctionTrial"],
        env={**os.environ, **environment},
    )
    told = store.folder(record.uid) / "told"
    while not told.exists():
        assert runner.poll() is None
        time.sleep(0.05)

    runner.terminate()

    assert runner.wait(timeout=120) == 0
    stopped = store.experiment_by_uid(record.uid)
    assert stopped is not None and stopped.state == "Stopped" and stopped.lease is None


def plain(x):
    return x


@pytest.mark.parametrize("code", [errno.EAGAIN, errno.ENOMEM, errno.EMFILE])
def test_a_machine_that_is_full_is_waited_for(
    store: Store, enrolled, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    start, failures = LocalPlace.start, iter([1, 2])

    def failing(self, *arguments) -> None:
        if next(failures, None):
            raise OSError(code, os.strerror(code))
        start(self, *arguments)

    monkeypatch.setattr(LocalPlace, "start", failing)
    monkeypatch.setattr(turns, "_PAUSE", 0.01)
    record = enrolled(plain, trials=3, parallel=1)

    assert local_runner(store, record.uid).run().state == "Succeeded"
    assert {trial.state for trial in store.trials(record.uid)} == {TrialState.SUCCEEDED}
    reasons = [each.reason for each in store.conditions(record.uid)]
    assert "MachineExhausted" in reasons


def test_a_runner_without_room_keeps_its_lease_and_can_be_stopped(
    store: Store, enrolled, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(self, *arguments) -> None:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(LocalPlace, "start", failing)
    monkeypatch.setattr(turns, "_PAUSE", 0.05)
    monkeypatch.setattr(driver, "_RENEW_EVERY", 0.1)
    record = enrolled(plain, trials=4, parallel=4)
    runner = local_runner(store, record.uid)
    renewals = []

    def renewing(*arguments) -> bool:
        renewals.append(arguments)
        if len(renewals) == 3:
            runner.stop()
        return renew(*arguments)

    renew = store.renew_lease
    monkeypatch.setattr(store, "renew_lease", renewing)

    assert runner.run().state == "Stopped"
    assert capsys.readouterr().err.count("it waits, for") == 1


def test_a_machine_that_stays_full_ends_in_a_failure_with_the_reason(
    store: Store, enrolled, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(self, *arguments) -> None:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(LocalPlace, "start", failing)
    monkeypatch.setattr(turns, "_PAUSE", 0.0)
    monkeypatch.setattr(turns, "_MOST_TRIES", 2)
    record = enrolled(plain, trials=1)

    assert local_runner(store, record.uid).run().state == "Failed"
    (trial,) = store.trials(record.uid)
    assert "could not be started" in trial.message


@pytest.mark.parametrize("isolation", ["fork", "kernel"])
def test_no_module_of_the_current_folder_is_run_in_processes_of_ours(
    store: Store, enrolled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolation: str
) -> None:
    record = enrolled(plain, trials=2, isolation=isolation)
    for name in ("select", "psutil", "socket", "json", "cloudpickle", "yaml"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a module of the folder was run')")
    monkeypatch.chdir(tmp_path)

    assert local_runner(store, record.uid).run().state == "Succeeded"
    assert {trial.state for trial in store.trials(record.uid)} == {TrialState.SUCCEEDED}
