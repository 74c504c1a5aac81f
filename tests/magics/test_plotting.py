from __future__ import annotations

import shlex
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from hpo_lab.experiment.trial import TrialState

if TYPE_CHECKING:
    from tests.magics.conftest import Record, Shell

_TWO = (
    (TrialState.SUCCEEDED, {"lr": 0.0125, "opt": "adam"}, 0.5),
    (TrialState.FAILED, {"lr": 0.05, "opt": "sgd"}, None),
)


def test_a_figure_is_displayed_in_the_cell(shell: Shell, record: Record) -> None:
    record("digits", *_TWO)
    assert shell.run("%hpo plot digits history --theme dark") == (
        True,
        "accuracy: Best accuracy 0.5 in trial 0 of 2 trials, 1 failed.\n",
    )
    (output,) = shell.shell.display_pub.outputs
    assert "data:image/svg+xml," in output["data"]["text/html"]
    assert shell.run("%hpo plot history")[0]


def test_a_figure_and_a_report_are_written(shell: Shell, record: Record, tmp_path: Path) -> None:
    record("digits", *_TWO)
    said = "h.png: Best accuracy 0.5 in trial 0 of 2 trials, 1 failed.\n"
    assert shell.run("%hpo plot digits history --out h.png")[1].endswith(said)
    assert (tmp_path / "h.png").read_bytes().startswith(b"\x89PNG")
    assert shell.run("%hpo report digits")[1].endswith("digits.html has the report of digits.\n")
    assert "<title>digits, report</title>" in (tmp_path / "digits.html").read_text()
    assert shell.run("%hpo report digits --out r.html")[0]
    assert (tmp_path / "r.html").exists()


def test_what_is_wrong_with_a_figure_is_said(shell: Shell, record: Record) -> None:
    record("digits", *_TWO)
    succeeded, said = shell.run("%hpo plot digits histry --focus oppt")
    assert not succeeded
    assert "did you mean 'history'?" in said and "did you mean 'opt'?" in said


def test_tensorboard_shows_event_files_of_each_trial(
    shell: Shell, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorboard", reason="the package tensorboard is not installed")
    notebook = import_module("tensorboard.notebook")
    record("digits", *_TWO)
    lines: list[str] = []
    monkeypatch.setattr(notebook, "start", lines.append)
    assert shell.run("%hpo tensorboard digits")[0]
    assert shell.run("%hpo tensorboard digits")[0]
    assert len(set(lines)) == 1
    folder = Path(shlex.split(lines[0])[1])
    assert [run.name for run in sorted(folder.glob("trial-*"))] == ["trial-00000", "trial-00001"]


def test_a_tensorboard_and_its_folder_go_with_the_kernel(
    tmp_path: Path,
) -> None:
    pytest.importorskip("tensorboard", reason="the package tensorboard is not installed")
    folder = tmp_path / "events"
    folder.mkdir()
    server = ["-m", "hpo_lab.magics.tensorboard_server"]
    script = (
        "import os, subprocess, sys, time; "
        "print(subprocess.Popen([*sys.argv[1:5], str(os.getpid()), *sys.argv[5:]]).pid, flush=True)"
        "; time.sleep(60)"
    )
    words = [sys.executable, "-P", *server, str(folder), "--logdir", str(folder), "--port", "0"]
    with subprocess.Popen(
        [sys.executable, "-c", script, *words], stdout=subprocess.PIPE, text=True
    ) as kernel:
        assert kernel.stdout is not None
        pid = int(kernel.stdout.readline())
        kernel.kill()
    deadline = time.monotonic() + 60
    while folder.exists() or psutil.pid_exists(pid):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_without_tensorboard_it_says_what_to_install(
    shell: Shell, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    record("digits", *_TWO)
    monkeypatch.setattr("hpo_lab.magics.tensorboard.find_spec", lambda name: None)
    succeeded, said = shell.run("%hpo tensorboard digits")
    assert not succeeded and "install hpo_lab[tensorboard]" in said
