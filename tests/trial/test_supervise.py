"""What a killed supervisor leaves is removed by the next one."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from hpo_lab.trial.supervise import start_supervisor


def test_the_folder_of_a_killed_supervisor_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary, modules = tmp_path / "temporary", tmp_path / "modules"
    temporary.mkdir()
    modules.mkdir()
    (modules / "waits.py").write_text("import time; time.sleep(600)")
    (modules / "ends.py").write_text("")
    foreign = temporary / "hpo-checkpoint-1"
    foreign.mkdir()
    (foreign / "lock").write_text("of a library that a trial uses")
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setenv("PYTHONPATH", str(modules))

    def start(module: str) -> subprocess.Popen[bytes]:
        folder = tmp_path / module
        folder.mkdir(exist_ok=True)
        with (tmp_path / "log").open("ab") as log:
            return start_supervisor(folder, module, stdin=subprocess.DEVNULL, log=log)

    def folders() -> list[Path]:
        return [each.parent for each in temporary.glob("hpo-run-*/.hpo-lab-supervisor")]

    killed, living = start("waits"), start("waits")
    while len(folders()) < 2:
        assert killed.poll() is None and living.poll() is None
        time.sleep(0.05)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert len(folders()) == 2
    assert start("ends").wait() == 0
    assert len(folders()) == 1
    assert (foreign / "lock").exists()
    living.terminate()
    living.wait()
    assert folders() == []
