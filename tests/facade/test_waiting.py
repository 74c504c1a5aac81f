"""Waiting in a script: what a terminal shows, and what ends with the script."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

import hpo_lab
from hpo_lab import Experiment, InvalidInput
from hpo_lab.api import Experiments
from hpo_lab.facade.viewer import Viewer
from hpo_lab.store import Store
from tests.facade.conftest import Create, end

SCRIPT = """
import time
import hpo_lab

def sleep(x):
    time.sleep(0.2)
    return x

experiment = hpo_lab.tune(
    sleep, {{"x": hpo_lab.uniform(0, 1)}}, minimize="loss", trials={}, name="slow", block={}
)
experiment.wait()
print("over")
"""


class Script:
    """A script in a terminal of 80 columns, where warnings are errors."""

    def __init__(self, trials: int, *, block: bool) -> None:
        self._terminal, its = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", SCRIPT.format(trials, block)],
            stdin=its,
            stdout=its,
            stderr=its,
            env={**os.environ, "COLUMNS": "80", "TERM": "xterm", "PYTHONWARNINGS": "error"},
            start_new_session=True,
        )
        os.close(its)

    def running(self) -> Experiment:
        """Its experiment, as soon as a trial has ended."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                experiment = hpo_lab.get("slow")
            except InvalidInput:
                experiment = None
            if experiment is not None and experiment.summary().completed:
                return experiment
            time.sleep(0.1)
        raise AssertionError("no trial has ended in 60 seconds")

    def read(self) -> str:
        """What it has written at its end, without the commands for the terminal."""
        written = b""
        while True:
            try:
                piece = os.read(self._terminal, 1 << 16)
            except OSError:
                break
            if not piece:
                break
            written += piece
        os.close(self._terminal)
        self.process.wait()
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", written.decode())


@pytest.fixture
def script() -> Iterator[Callable[..., Script]]:
    """Starts the script; ended, with its experiment, at the end."""
    scripts = []

    def start(trials: int, *, block: bool) -> Script:
        scripts.append(Script(trials, block=block))
        return scripts[-1]

    yield start
    for each in scripts:
        each.process.kill()
        each.process.wait()
    experiment = hpo_lab.get("slow")
    experiment.stop()
    experiment.wait(60)


def test_a_terminal_shows_the_progress(script: Callable[..., Script]) -> None:
    text = script(3, block=False).read()
    assert "trials" in text and "new best: loss" in text
    assert "slow: Finished, 3 of 3 trials done" in text
    assert text.rstrip().endswith("over")
    assert "Warning" not in text


def test_an_interrupt_says_what_goes_on_and_how_to_stop_it(script: Callable[..., Script]) -> None:
    started = script(500, block=False)
    experiment = started.running()
    started.process.send_signal(signal.SIGINT)
    text = started.read()
    line = "Stopped waiting; slow goes on in the background. To stop it: hpo-lab stop slow"
    assert line in text
    assert "KeyboardInterrupt" in text
    assert experiment.state == "Running"


def test_what_blocks_stops_with_an_interrupt(script: Callable[..., Script]) -> None:
    started = script(500, block=True)
    experiment = started.running()
    started.process.send_signal(signal.SIGINT)
    text = started.read()
    assert "Stopping slow ..." in text
    assert "slow is stopped. To go on: run this again, or hpo-lab resume slow" in text
    assert experiment.state == "Stopped" and not experiment.is_live


def test_what_blocks_stops_with_its_script(script: Callable[..., Script]) -> None:
    started = script(500, block=True)
    experiment = started.running()
    started.process.kill()
    started.read()
    assert experiment.wait(60).state == "Stopped"


def test_an_exception_in_a_callback_stops_what_blocks() -> None:
    class Enough(Exception):
        pass

    def callback(experiment: Experiment, trial: object) -> None:
        raise Enough

    with pytest.raises(Enough):
        hpo_lab.tune(
            lambda x: x,
            {"x": hpo_lab.uniform(0, 1)},
            minimize="loss",
            trials=200,
            name="slow",
            callbacks=[callback],
            block=True,
        )
    assert hpo_lab.get("slow").state == "Stopped"


CAUSE = "The first 4 trials failed with ValueError: no luck"


def _failed(store: Store, create: Create) -> Experiment:
    uid = create()
    end(store, uid, 0, None)
    store.set_condition(uid, "Failed", "ExperimentTrialsFailAlike", CAUSE)
    return Experiments(store).get(uid)


def test_what_has_failed_is_said_with_its_cause(
    store: Store, create: Create, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _failed(store, create).wait().best is None
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "digits has failed: the first 4 trials failed with ValueError: no luck"
    assert lines[1] == "Trial 0 failed: ValueError: no luck with 0"
    assert lines[2].startswith("More: hpo-lab logs digits 0")


def test_a_panel_that_shows_a_failure_says_it_alone(
    store: Store,
    create: Create,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Panel(Viewer):
        def is_displayed(self, experiment: Experiment) -> bool:
            return True

    monkeypatch.setattr("hpo_lab.facade.viewer._make", Panel)
    assert _failed(store, create).wait().state == "Failed"
    assert capsys.readouterr().err == ""
