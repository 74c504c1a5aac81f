from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

import hpo_lab
from hpo_lab.dashboard.event_files import EventFiles
from hpo_lab.store import Store, open_store

pytest.importorskip("tensorboard", reason="the package tensorboard is not installed")

_SCRIPT = """
import hpo_lab
from hpo_lab import report

def objective(lr, kind):
    if kind == "slow":
        raise ValueError("no luck")
    for step in range(3):
        report(accuracy=lr + step, step=step)

experiment = hpo_lab.tune(
    objective,
    {"lr": hpo_lab.choice(0.25), "kind": hpo_lab.choice("fast", "slow")},
    maximize="accuracy", name="digits", store="hpo.db", algorithm="grid",
)
experiment.wait()
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("tensorboard")
    (folder / "script.py").write_text(_SCRIPT)
    subprocess.run([sys.executable, "script.py"], cwd=folder, check=True, capture_output=True)
    return open_store(folder / "hpo.db")


def _scalars(run: Path) -> list[tuple[str, int, float]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run))
    events.Reload()
    return [
        (tag, each.step, each.value)
        for tag in events.Tags()["scalars"]
        for each in events.Scalars(tag)
    ]


def test_each_trial_is_a_run_with_what_it_reported(store: Store, tmp_path: Path) -> None:
    files = EventFiles(hpo_lab.get("digits", store=str(store)), tmp_path)
    assert files.update()
    runs = [path.name for path in sorted(tmp_path.iterdir()) if path.is_dir()]
    assert runs == ["trial-00000", "trial-00001"]
    reported = [("accuracy", step, 0.25 + step) for step in range(3)]
    assert _scalars(tmp_path / "trial-00000") == reported

    files.update()
    assert _scalars(tmp_path / "trial-00000") == reported


def test_event_files_of_a_trial_itself_are_linked(store: Store, tmp_path: Path) -> None:
    experiment = hpo_lab.get("digits", store=str(store))
    EventFiles(experiment, tmp_path / "first").update()
    own = experiment.log_of(0).parent / "logs" / "train"
    own.mkdir(parents=True)
    for path in (tmp_path / "first" / "trial-00000").iterdir():
        shutil.copy(path, own / "events.out.tfevents.1.own")

    EventFiles(experiment, tmp_path / "second").update()
    assert len(_scalars(tmp_path / "second" / "trial-00000" / "logs" / "train")) == 3


def _asked(address: str, what: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{address}data/{what}", data, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_tensorboard_shows_metrics_and_parameters(store: Store, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hpo_lab", "tensorboard", "digits", "--port", "0"]
    command += ["--store", str(store), "--logdir", str(tmp_path / "runs")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        address = next(m[0] for line in lines if (m := re.search(r"http://\S+", line)))
        assert {".", "trial-00000", "trial-00001"} <= set(_asked(address, "runs"))
        group = _asked(
            address,
            "plugin/hparams/session_groups",
            {
                "experimentName": "",
                "colParams": [{"hparam": "lr"}, {"hparam": "kind"}],
                "allowedStatuses": ["STATUS_SUCCESS", "STATUS_FAILURE"],
                "startIndex": 0,
                "sliceSize": 10,
            },
        )["sessionGroups"]
        shown = {each["name"]: each for each in group}
        assert shown["trial-00000"]["hparams"] == {"lr": 0.25, "kind": "fast"}
        assert shown["trial-00001"]["hparams"] == {"lr": 0.25, "kind": "slow"}
        states = {name: each["sessions"][0]["status"] for name, each in shown.items()}
        assert states == {"trial-00000": "STATUS_SUCCESS", "trial-00001": "STATUS_FAILURE"}
    finally:
        process.terminate()
        assert process.wait(30) == 0


def test_a_folder_with_something_in_it_is_refused(store: Store, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    command = [sys.executable, "-m", "hpo_lab", "tensorboard", "digits", "--store", str(store)]
    command += ["--logdir", str(tmp_path)]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert f"--logdir: {tmp_path} is not empty; give a new folder" in refused.stderr
