"""`hpo-lab suggestion-service`."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from hpo_lab.search.algorithm import search_problems
from tests.katib_api.test_external import spec


@contextmanager
def command(*options: str) -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, "-m", "hpo_lab", "suggestion-service", "--host", "127.0.0.1"]
    with subprocess.Popen([*words, *options], stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def port_of(process: subprocess.Popen[str], what: str) -> int:
    assert process.stderr is not None
    found = re.fullmatch(rf"{what} on port (\d+)\n", process.stderr.readline())
    assert found
    return int(found[1])


def test_both_services_until_sigterm() -> None:
    with command("--port", "0", "--early-stopping-port", "0") as process:
        port = port_of(process, "suggestions")
        assert port_of(process, "early stopping") != port
        assert search_problems(spec(f"127.0.0.1:{port}")) == []
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_a_port_in_use_is_bad_input() -> None:
    with command("--port", "0") as process:
        port = port_of(process, "suggestions")
        with command("--port", str(port)) as second:
            assert second.wait(30) == 2
            assert second.stderr is not None
            assert f"--port: 127.0.0.1:{port} cannot be used" in second.stderr.read()
