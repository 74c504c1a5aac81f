"""Containers that outlive their engine's program, with a stand-in for the engine.

It does what `docker run` does, as far as this is about it: the container belongs to a daemon, so
the end of the program ends no container; SIGTERM is passed on and may be ignored; a name that is
taken is refused. `test_container_engine.py` asks the same of real engines, where there are any.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from hpo_lab.experiment.trial import TrialState
from hpo_lab.store import Store
from hpo_lab.workload.container_engine import container_name, remove_containers
from hpo_lab.workload.local_settings import LocalSettings
from tests.workload.conftest import RunJob, job

ENGINE = """#!{python}
import os, pathlib, signal, subprocess, sys, time
containers = pathlib.Path({containers!r})
verb, *words = sys.argv[1:]
left = containers / "left"
if left.exists():
    # What an earlier attempt has left has the name that is asked about first.
    left.rename(containers / (words[1] if verb == "rm" else words[words.index("--name") + 1]))
if verb == "rm":
    assert words[0] == "--force"
    recorded = containers / words[1]
    if not recorded.exists():
        sys.exit("Error: No such container")
    try:
        os.killpg(int(recorded.read_text()), signal.SIGKILL)
    except ProcessLookupError:
        pass
    recorded.unlink()
    sys.exit(0)
name = words[words.index("--name") + 1]
entry = words.index("--entrypoint")
program = [words[entry + 1], *words[entry + 3:]]
try:
    handle = os.open(containers / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
except FileExistsError:
    print("docker: Error response from daemon: Conflict. The container name is already in use")
    sys.exit(125)
# A daemon starts it: it has no mark of the trial and another parent.
clean = {{key: value for key, value in os.environ.items() if "HPO_LAB" not in key}}
read, write = os.pipe()
if os.fork() == 0:
    os.setsid()
    container = subprocess.Popen(program, env=clean, start_new_session=True)
    os.write(handle, str(container.pid).encode())
    os.write(write, str(container.pid).encode())
    code = container.wait()
    (containers / name).unlink(missing_ok=True)
    os._exit(0)
pid = int(os.read(read, 20))
def forward(number, frame):
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        pass
signal.signal(signal.SIGTERM, forward)
while (containers / name).exists():
    time.sleep(0.02)
"""


@pytest.fixture
def containers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the engine knows its containers: a file with the process of each."""
    recorded = tmp_path / "containers"
    recorded.mkdir()
    engine = tmp_path / "bin" / "docker"
    engine.parent.mkdir()
    engine.write_text(ENGINE.format(python=sys.executable, containers=str(recorded)))
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", str(engine.parent), prepend=os.pathsep)
    return recorded


STUBBORN = "trap '' TERM; echo acc=1; while true; do sleep 0.1; done"
LOCAL = LocalSettings(directory=".", runtime="docker")


def test_a_container_that_ignores_sigterm_is_killed_by_its_engine(
    containers: Path, run_job: RunJob, store: Store
) -> None:
    pids: list[int] = []

    def look() -> None:
        while not pids:
            for path in containers.iterdir():
                if text := path.read_text():
                    pids.append(int(text))
            time.sleep(0.02)

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    record = run_job(
        job("sh", "-c", STUBBORN, image="trainer"), local=LOCAL, trialActiveDeadlineSeconds=3
    )
    (trial,) = store.trials(record.uid)
    assert trial.message == "ran longer than 3 seconds"
    looking.join(20)
    assert not psutil.pid_exists(pids[0])
    assert not [*containers.iterdir()]


def test_what_an_attempt_has_left_does_not_block_the_next(
    containers: Path, run_job: RunJob, store: Store
) -> None:
    with psutil.Popen(["sleep", "600"], start_new_session=True) as sleeping:
        (containers / "left").write_text(str(sleeping.pid))
        record = run_job(job("sh", "-c", "echo acc=1", image="trainer"), local=LOCAL)
        (trial,) = store.trials(record.uid)
        assert trial.state is TrialState.SUCCEEDED, trial.message
        assert sleeping.wait(10) == -9
    assert not [*containers.iterdir()]


def test_names_are_those_of_the_trial_alone() -> None:
    name = container_name("/a/00000", "trial", "master-0", "main")
    assert name.startswith("trial-master-0-main-")
    assert name == container_name("/a/00000", "trial", "master-0", "main")
    assert name != container_name("/b/00000", "trial", "master-0", "main")
    assert name != container_name("/a/00000", "trial", "master-0", "collector")


def test_an_engine_that_hangs_or_is_not_there_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = tmp_path / "docker"
    engine.write_text("#!/bin/sh\nexec sleep 600\n")
    engine.chmod(0o755)
    monkeypatch.setattr("hpo_lab.workload.container_engine._PATIENCE", 0.2)
    remove_containers(str(engine), ["a", "b"])
    remove_containers(str(tmp_path / "none"), ["a"])
