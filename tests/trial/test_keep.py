"""`keep()` inside and outside a trial."""

from __future__ import annotations

import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hpo_lab
from hpo_lab.trial.folder import TRIAL_FOLDER
from hpo_lab.trial.keep import keep, kept_artifacts


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    trial = tmp_path / "trial"
    trial.mkdir()
    monkeypatch.setenv(TRIAL_FOLDER, str(trial))
    return trial


def kept(folder: Path) -> dict[str, tuple[str, bytes]]:
    return {
        artifact.name: (artifact.media_type, Path(artifact.path).read_bytes())
        for artifact in kept_artifacts(folder)
    }


def test_outside_a_trial_it_prints_and_does_nothing_else(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    hpo_lab.keep("genotype", "conv3x3")
    hpo_lab.keep("counts", {"a": [1, 2]})
    assert capsys.readouterr().out == "keep genotype: text, 7 bytes\nkeep counts: json, 13 bytes\n"
    assert list(tmp_path.iterdir()) == []


def test_a_kind_of_thing_has_its_media_type(folder: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.pt"
    model.write_bytes(b"\x00weights")
    keep("model", model)
    model.write_bytes(b"changed later")
    keep("curve.png", model)
    keep("genotype", "conv→pool")
    keep("page.html", "<p>")
    keep("raw", bytearray(b"\xff"))
    keep("log.json.gz", b"\x1f\x8b")
    keep("scores", {"best": 1, 2: None, "all": (True, 0.5)})
    assert kept(folder) == {
        "model": ("application/octet-stream", b"\x00weights"),
        "curve.png": ("image/png", b"changed later"),
        "genotype": ("text/plain", "conv→pool".encode()),
        "page.html": ("text/html", b"<p>"),
        "raw": ("application/octet-stream", b"\xff"),
        "log.json.gz": ("application/octet-stream", b"\x1f\x8b"),
        "scores": ("application/json", b'{"best": 1, "2": null, "all": [true, 0.5]}'),
    }


def test_numpy_becomes_lists_and_numbers(folder: Path) -> None:
    value = {"matrix": np.eye(2), "count": np.int64(3), "bad": [np.float64("nan"), -math.inf]}
    keep("numbers.json", value)
    ((media_type, content),) = kept(folder).values()
    assert media_type == "application/json"
    assert json.loads(content) == {
        "matrix": [[1.0, 0.0], [0.0, 1.0]],
        "count": 3,
        "bad": ["nan", "-inf"],
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_what_json_can_hold_comes_back(
    tmp_path_factory: pytest.TempPathFactory, value: Any
) -> None:
    trial = tmp_path_factory.mktemp("trial")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(TRIAL_FOLDER, str(trial))
        keep("value", value)
    ((_, content),) = kept(trial).values()
    assert json.loads(content) == value


def test_under_a_name_the_latest_is_kept_whatever_its_kind(folder: Path) -> None:
    keep("best", "first")
    keep("other", "stays")
    keep("best", {"second": 2})
    keep("best", b"third")
    assert kept(folder) == {
        "other": ("text/plain", b"stays"),
        "best": ("application/octet-stream", b"third"),
    }
    # What was replaced takes no room.
    assert len(list((folder / "kept").iterdir())) == 2


@pytest.mark.parametrize(
    "value",
    [object(), {1, 2}, {"a": b"bytes"}, {(1, 2): 3}, [lambda: None], np.array([object()])],
    ids=["object", "set", "bytes inside", "key", "function", "object array"],
)
def test_what_cannot_be_kept_says_what_can_and_leaves_nothing(folder: Path, value: Any) -> None:
    with pytest.raises(TypeError, match=r"'it' cannot be kept: .*; allowed is a path, text, bytes"):
        keep("it", value)
    assert list(folder.rglob("*")) == []


def test_what_holds_itself_cannot_be_kept(folder: Path) -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(TypeError, match="cannot be kept"):
        keep("it", endless)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "/a", "a\\b", "a\0b", "a\nb", "x" * 201, "é" * 101]
)
def test_a_name_is_a_plain_file_name(folder: Path, name: str) -> None:
    with pytest.raises(ValueError, match="must be a plain file name of at most 200 bytes"):
        keep(name, "text")
    assert list(folder.rglob("*")) == []


@pytest.mark.parametrize("name", ["x" * 200, "é" * 100, ".hidden", "1-text", "a b;c.tar.gz"])
def test_any_other_name_will_do(folder: Path, name: str) -> None:
    keep(name, "text")
    assert [artifact.name for artifact in kept_artifacts(folder)] == [name]


def test_a_file_that_cannot_be_read_is_not_kept(folder: Path, tmp_path: Path) -> None:
    for missing in (tmp_path / "missing", tmp_path):
        with pytest.raises(OSError):
            keep("model", missing)
    assert kept_artifacts(folder) == []
    assert list((folder / "kept").iterdir()) == []


def test_a_trial_that_keeps_nothing_has_nothing(folder: Path) -> None:
    assert kept_artifacts(folder) == []


ENDLESS = """
import itertools
from hpo_lab import keep
print("begun", flush=True)
for number in itertools.count():
    keep("model", bytes([number % 256]) * 3_000_000)
    keep("number", {"number": number})
"""


def test_a_killed_trial_leaves_nothing_by_halves(folder: Path) -> None:
    rng = random.Random(1)
    for _ in range(8):
        process = subprocess.Popen([sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE)
        assert process.stdout is not None and process.stdout.readline()
        time.sleep(rng.uniform(0.02, 0.2))
        process.kill()
        assert process.wait() == -signal.SIGKILL
        process.stdout.close()
        for name, (media_type, content) in kept(folder).items():
            if name == "model":
                assert content == content[:1] * 3_000_000
            else:
                assert media_type == "application/json" and json.loads(content).keys() == {"number"}
    assert {"model"} <= kept(folder).keys()


BESIDE = """
import sys
from hpo_lab import keep
for number in range(30):
    keep(f"{sys.argv[1]}-{number}", [number])
"""


def test_processes_of_a_trial_keep_beside_each_other(folder: Path) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", BESIDE, str(rank)], env=os.environ)
        for rank in range(4)
    ]
    assert [process.wait() for process in processes] == [0] * 4
    assert kept(folder).keys() == {f"{rank}-{n}" for rank in range(4) for n in range(30)}
