"""The magics in a real kernel."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

from hpo_lab.dashboard.live import EXPERIMENT
from hpo_lab.store import Store

_TUNE = """%%tune maximize score --trials {trials} --parallel 1 --seed 0 --name demo -o exp
x = 1.0  # tune: uniform(0, 4)
score = f(x)"""
_SLOW = "import time\ndef f(x):\n    time.sleep(60)\n    return x"


class Kernel:
    """A kernel, and every message that it has published."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager = manager
        self._client = client
        self.messages: list[dict[str, Any]] = []

    def start(self, cell: str) -> str:
        return self._client.execute(cell)

    def until(self, seen: Any, timeout: float = 60) -> dict[str, Any]:
        """The first message for which *seen* holds, among those that come from now on."""
        deadline = time.monotonic() + timeout
        while True:
            message = self._client.get_iopub_msg(timeout=max(0.01, deadline - time.monotonic()))
            self.messages.append(message)
            if seen(message):
                return message

    def run(self, cell: str, timeout: float = 60) -> list[dict[str, Any]]:
        """Run *cell* to its end; the messages that belong to it, without updates."""
        return self.ended(self.start(cell), timeout)

    def ended(self, request: str, timeout: float = 60) -> list[dict[str, Any]]:
        """Wait for the end of a cell; the messages that belong to it, without updates."""
        self.until(
            lambda m: (
                m["parent_header"].get("msg_id") == request
                and m["content"].get("execution_state") == "idle"
            ),
            timeout,
        )
        return self.outputs(request)

    def outputs(self, request: str) -> list[dict[str, Any]]:
        kinds = ("stream", "display_data", "execute_result", "error")
        return [
            message
            for message in self.messages
            if message["parent_header"].get("msg_id") == request and message["msg_type"] in kinds
        ]


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: Store) -> Iterator[Kernel]:
    """A kernel in an empty folder with the magics loaded; what it started ends with it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    manager, client = start_new_kernel(kernel_name="python3")
    kernel = Kernel(manager, client)
    kernel.run("%load_ext hpo_lab")
    yield kernel
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    for record in store.experiments():
        store.request_stop(record.uid)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and any(
        record.is_active(time.time()) for record in store.experiments()
    ):
        time.sleep(0.1)


def _text(message: dict[str, Any]) -> str:
    content = message["content"]
    return str(content.get("text") or content.get("data", {}).get("text/plain") or "")


def test_a_cell_is_tuned_while_others_run(kernel: Kernel) -> None:
    kernel.run("def f(x):\n    return -abs(x - 2)")

    [first] = kernel.run(_TUNE.format(trials=2))
    display = first["content"]["transient"]["display_id"]
    assert first["msg_type"] == "display_data"
    assert set(first["content"]["data"]) == {EXPERIMENT, "text/html", "text/plain"}

    captured = kernel.start("%%capture caught\nimport time\ntime.sleep(2)")
    update = kernel.until(lambda m: m["msg_type"] == "update_display_data")
    assert update["content"]["transient"]["display_id"] == display
    last = kernel.until(lambda m: m["msg_type"] == "update_display_data" and "Finished" in _text(m))
    assert last["content"]["transient"]["display_id"] == display
    assert "2 of 2 trials done" in _text(last)
    assert kernel.outputs(captured) == []

    [caught, done] = [_text(m) for m in kernel.run("print(len(caught.outputs))\nexp.wait().best")]
    assert caught == "0\n"
    assert "BestTrial(number=" in done

    [again] = kernel.run(_TUNE.format(trials=2))
    assert "is complete, with 2 trials" in _text(again)
    [more] = kernel.run(_TUNE.format(trials=3))
    assert "continues after 2 trials" in _text(more)
    [waited] = kernel.run("%hpo wait")
    assert waited["msg_type"] == "display_data"
    [best] = kernel.run("%hpo best --apply")
    assert "(new)" in _text(best)
    [value] = kernel.run("print(x == exp.best.parameters['x'], len(exp.trials))")
    assert _text(value) == "True 3\n"


def test_an_interrupt_ends_the_waiting_and_nothing_else(kernel: Kernel, store: Store) -> None:
    kernel.run(_SLOW)
    kernel.run(_TUNE.format(trials=3))
    kernel.until(lambda m: "1 running" in _text(m))
    [attached] = kernel.run(_TUNE.format(trials=3))
    assert "runs already" in _text(attached)

    request = kernel.start("%hpo wait")
    kernel.until(lambda m: m["parent_header"].get("msg_id") == request and "data" in m["content"])
    kernel.manager.interrupt_kernel()
    # To its end: what a kernel is asked between an error and idle, it aborts.
    [_, error] = kernel.ended(request, timeout=30)
    assert store.named("demo")[0].is_active(time.time())
    [line] = error["content"]["traceback"]
    assert "Stopped waiting; demo goes on in the background" in line
    assert "\n" not in line
    [known] = store.experiments()
    assert not known.stop_requested

    [stopped] = kernel.run("%hpo stop")
    assert "demo stops" in _text(stopped)
    kernel.run("%hpo wait --timeout 30s")
    assert store.experiments()[0].state == "Stopped"


def test_bad_input_is_an_error_without_a_traceback(kernel: Kernel) -> None:
    [error] = kernel.run("%%tune maximise score\nx = 1.0  # tune: uniform(0, 4)")
    assert error["msg_type"] == "error"
    assert "In [2], line 1" in error["content"]["evalue"]
    assert "File " not in "\n".join(error["content"]["traceback"])


def test_an_experiment_shows_itself_as_a_live_panel(kernel: Kernel) -> None:
    kernel.run("import hpo_lab\ndef f(x):\n    return x")
    tune = (
        "exp = hpo_lab.tune(f, {{'x': hpo_lab.uniform(0, 1)}}, minimize='loss', "
        "name='shown', trials={})\n"
    )
    [shown] = kernel.run(tune.format(2) + "exp")
    assert shown["msg_type"] == "display_data"
    assert set(shown["content"]["data"]) == {EXPERIMENT, "text/html", "text/plain"}
    kernel.until(lambda m: m["msg_type"] == "update_display_data" and "Finished" in _text(m))

    # The panel of the waiting is not shown a second time as the value of the cell.
    [said, waited, text] = kernel.run(tune.format(4) + "exp.wait()")
    assert _text(said).strip() == "shown continues after 2 trials"
    assert set(waited["content"]["data"]) == {EXPERIMENT, "text/html", "text/plain"}
    assert _text(text).startswith("<Experiment shown: Succeeded, 4 trials")
    [_, quiet] = kernel.run(tune.format(5) + "exp.wait(progress=False)\nprint(exp.state)")
    assert _text(quiet) == "Succeeded\n"


def test_an_interrupt_of_wait_says_how_to_stop(kernel: Kernel) -> None:
    kernel.run("import hpo_lab, time")
    request = kernel.start(
        "def slow(x):\n    time.sleep(60)\n"
        "exp = hpo_lab.tune(slow, {'x': hpo_lab.uniform(0, 1)}, minimize='loss', name='slow')\n"
        "exp.wait()"
    )
    kernel.until(lambda m: m["parent_header"].get("msg_id") == request and "data" in m["content"])
    time.sleep(0.5)
    kernel.manager.interrupt_kernel()
    messages = kernel.ended(request)
    said = "".join(_text(message) for message in messages if message["msg_type"] == "stream")
    assert "slow goes on in the background. To stop it: %hpo stop slow" in said
