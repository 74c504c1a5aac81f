"""Trials in real containers, where this machine has an engine that runs."""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hpo_lab.experiment.trial import TrialState
from hpo_lab.store import Store
from hpo_lab.workload.container_engine import remove_containers
from hpo_lab.workload.local_settings import LocalSettings

from .conftest import RunJob, job

IMAGE = "localhost/hpo-lab-test:1"
PROGRAMS = ("sh", "sleep")


def works(engine: str) -> bool:
    """Whether *engine* is there and reaches what runs its containers."""
    if shutil.which(engine) is None:
        return False
    return subprocess.run([engine, "info"], capture_output=True, timeout=60).returncode == 0


@pytest.fixture(scope="module", params=["docker", "podman"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An engine with an image of a shell, made of this machine's own files."""
    name = str(request.param)
    if not works(name):
        pytest.skip(f"no {name} that runs containers")
    archive = tmp_path_factory.mktemp("image") / "files.tar"
    with tarfile.open(archive, "w") as tar:
        for path in sorted({path for program in PROGRAMS for path in needed(program)}):
            tar.add(Path(path).resolve(), path)
    subprocess.run([name, "import", str(archive), IMAGE], check=True, capture_output=True)
    return name


def needed(program: str) -> Iterator[str]:
    """The files of *program*: itself, as `/bin/NAME`, and the libraries that it loads."""
    found = shutil.which(program)
    assert found is not None
    yield f"/bin/{program}"
    said = subprocess.run(["ldd", found], capture_output=True, text=True).stdout
    yield from re.findall(r"(/\S+) \(0x", said)


def containers(engine: str) -> str:
    every = [engine, "ps", "--all", "--quiet", "--filter", f"ancestor={IMAGE}"]
    return subprocess.run(every, check=True, capture_output=True, text=True).stdout


def test_a_trial_runs_in_a_container(engine: str, run_job: RunJob, store: Store) -> None:
    command = 'echo "$HELLO" >&2; echo acc=${trialParameters.x} > /out/log.txt'
    trial = job("sh", "-c", command, image=IMAGE, env=[{"name": "HELLO", "value": "a b"}])
    collector = {
        "collector": {"kind": "File"},
        "source": {"fileSystemPath": {"path": "/out/log.txt", "kind": "File"}},
    }
    record = run_job(
        trial, trials=2, collector=collector, local=LocalSettings(directory=".", runtime=engine)
    )
    for one in store.trials(record.uid):
        assert one.state is TrialState.SUCCEEDED, one.message
        assert one.metrics["acc"].latest == one.assignments["x"]
    log = store.folder(record.uid) / "00000" / "log.txt"
    assert "a b" in log.read_text()
    assert containers(engine) == ""


def test_a_container_ends_with_its_trial(engine: str, run_job: RunJob, store: Store) -> None:
    trial = job("sleep", "600", image=IMAGE)
    record = run_job(
        trial, local=LocalSettings(directory=".", runtime=engine), trialActiveDeadlineSeconds=3
    )
    (one,) = store.trials(record.uid)
    assert one.message == "ran longer than 3 seconds"
    assert containers(engine) == ""


def test_a_container_that_ignores_sigterm_is_killed(
    engine: str, run_job: RunJob, store: Store
) -> None:
    """As of the stand-in in test_stubborn_containers.py."""
    command = "trap '' TERM; echo acc=1; while true; do sleep 1; done"
    trial = job("sh", "-c", command, image=IMAGE)
    record = run_job(
        trial, local=LocalSettings(directory=".", runtime=engine), trialActiveDeadlineSeconds=3
    )
    (one,) = store.trials(record.uid)
    assert one.message == "ran longer than 3 seconds"
    assert containers(engine) == ""


def test_a_name_that_is_taken_is_refused_by_an_engine_and_freed_by_us(engine: str) -> None:
    words = [engine, "run", "--detach", "--name", "hpo-lab-test", "--entrypoint", "sleep", IMAGE]
    subprocess.run([*words, "600"], check=True, capture_output=True)
    try:
        assert subprocess.run([*words, "600"], capture_output=True).returncode == 125
        remove_containers(engine, ["hpo-lab-test", "hpo-lab-none"])
        subprocess.run([*words, "600"], check=True, capture_output=True)
    finally:
        remove_containers(engine, ["hpo-lab-test"])
