"""Set-ups after which a process must not be forked are found; harmless ones are not."""

from __future__ import annotations

import json
import select
from pathlib import Path
from typing import Any

import pytest

from hpo_lab.execution import client
from hpo_lab.execution.client import ForkServer
from hpo_lab.trial.supervise import start_supervisor


def hazards_after(set_up: str, folder: Path) -> list[str]:
    """What the fork server of a notebook with this set-up answers."""

    def cell(source: str, *tags: str) -> dict[str, object]:
        return {
            "cell_type": "code",
            "execution_count": None,
            "id": tags[0] if tags else "set-up",
            "metadata": {"tags": list(tags)},
            "outputs": [],
            "source": source,
        }

    notebook = {
        "cells": [cell(set_up), cell("x = 1", "parameters")],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path = folder / "notebook.ipynb"
    path.write_text(json.dumps(notebook))
    config = {"notebook": str(path), "directory": str(folder), "kernel": "python3"}
    server = ForkServer()
    try:
        server.set_up({**config, "isolation": "auto", "outputLimit": None}, folder)
        while select.select([server], [], [], 60)[0]:
            events = server.receive()
            assert events, (folder / "server.log").read_text()
            for event in events:
                if "hazards" in event:
                    hazards: list[str] = event["hazards"]
                    return hazards
        raise AssertionError("the server has told nothing")
    finally:
        server.close()


@pytest.mark.parametrize(
    ("set_up", "reason"),
    [
        (
            "import threading, time\n"
            "threading.Thread(target=time.sleep, args=(60,), name='feed', daemon=True).start()",
            "the thread 'feed' runs",
        ),
        (
            "from multiprocessing import Pool\ndef sq(x): return x * x\npool = Pool(2)",
            "the process pool 'pool' is open",
        ),
        (
            "from concurrent.futures import ProcessPoolExecutor\nimport math\n"
            "workers = ProcessPoolExecutor(2)\nlist(workers.map(math.sqrt, [1, 2]))",
            "the process pool 'workers' is open",
        ),
        (
            "from concurrent.futures import ThreadPoolExecutor\n"
            "readers = ThreadPoolExecutor(2)\nlist(readers.map(abs, [1, 2]))",
            "the thread pool 'readers' is open",
        ),
        ("import socket\nopened = socket.socket()", "a network connection or socket is open"),
        ("log = open('log.csv', 'w')", "log.csv is open for writing"),
        ("import subprocess\nhelper = subprocess.Popen(['sleep', '60'])", "processes"),
        (
            "import asyncio\ntask = asyncio.create_task(asyncio.sleep(60)); await asyncio.sleep(0)",
            "1 asyncio tasks are pending",
        ),
        (
            "import sqlite3\ndatabase = sqlite3.connect('data.db')\n"
            "database.execute('create table t (x)')",
            "data.db is open for writing",
        ),
    ],
)
def test_a_hazard_is_named(set_up: str, reason: str, tmp_path: Path) -> None:
    (found,) = hazards_after(set_up, tmp_path)

    assert reason in found


def test_work_in_a_thread_of_the_event_loop_is_not_waited_for(tmp_path: Path) -> None:
    set_up = (
        "import asyncio, time\nlater = asyncio.to_thread(time.sleep, 60)\n"
        "task = asyncio.create_task(later); await asyncio.sleep(0.1)"
    )

    pending, thread = hazards_after(set_up, tmp_path)

    assert (pending, thread) == ("1 asyncio tasks are pending", "the thread 'asyncio_0' runs")


@pytest.mark.parametrize(
    "set_up",
    [
        "lines = open(__import__('os').__file__)",
        "import asyncio\nawait asyncio.sleep(0.01)",
        "import subprocess\nsubprocess.run(['true'])\n!true",
        "from tqdm import tqdm\nfor _ in tqdm(range(3)):\n    pass",
        "import pandas as pd\nframe = pd.DataFrame({'a': [1]})",
        "import numpy as np\nsquare = np.ones((800, 800)) @ np.ones((800, 800))",
        (
            "from sklearn.cluster import KMeans\nimport numpy as np\n"
            "KMeans(3, n_init=1).fit(np.random.rand(3000, 8))"
        ),
        (
            "from concurrent.futures import ThreadPoolExecutor\n"
            "with ThreadPoolExecutor() as pool:\n    list(pool.map(str, range(9)))"
        ),
    ],
)
def test_what_can_be_forked_is_not_called_a_hazard(set_up: str, tmp_path: Path) -> None:
    assert hazards_after(set_up, tmp_path) == []


def test_why_a_server_did_not_start_is_in_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(folder: Path, module: str, **details: Any) -> Any:
        return start_supervisor(folder, "hpo_lab.not_there", **details)

    monkeypatch.setattr(client, "start_supervisor", start)
    server = ForkServer()
    server.set_up({}, tmp_path)
    while server.receive() is not None:
        select.select([server], [], [], 60)
    server.close()

    assert "hpo_lab.not_there" in (tmp_path / "server.log").read_text()
