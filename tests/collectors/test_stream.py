"""Collectors on files that grow, and a million lines at a smaller size."""

from __future__ import annotations

import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hpo_lab.collectors.source import Source, collector, collectors
from hpo_lab.collectors.stream import collect_file, collect_output, follow_file
from hpo_lab.collectors.tensorflow_event import matching
from hpo_lab.experiment.collector import METRICS_FORMAT, CollectorKind
from hpo_lab.observation import Observation


def source(**given: Any) -> Source:
    fixed = {
        "metrics": ("acc",),
        "output": iter(()),
        "ended": threading.Event(),
        "is_whole": lambda: True,
        "formats": (METRICS_FORMAT,),
    }
    return Source(**{**fixed, **given})


def test_every_kind_of_katib_has_a_collector() -> None:
    assert set(collectors()) >= {kind.value for kind in CollectorKind}
    for kind in CollectorKind:
        assert callable(collector(kind.value))


def test_values_of_a_file_arrive_while_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "metrics.log"
    given = source(path=path)
    seen: list[Observation] = []

    def collect() -> None:
        for batch in collect_file(given):
            seen.extend(batch)

    thread = threading.Thread(target=collect)
    thread.start()
    with path.open("w") as file:
        for step in range(3):
            print(f"epoch={step} acc=0.{step}", "acc=0.", sep="\n", end="", file=file, flush=True)
            until = time.monotonic() + 10
            while len(seen) < 2 * step + 1:
                assert time.monotonic() < until
                time.sleep(0.02)
            print("99", file=file, flush=True)
    given.ended.set()
    thread.join(10)
    # A value that is being written is not taken for what is there of it.
    assert [one.value for one in seen] == [0.0, 0.99, 0.1, 0.99, 0.2, 0.99]


def test_a_file_that_is_written_anew_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "metrics.log"
    path.write_text("first and long\n")
    ended = threading.Event()
    chunks = follow_file(path, ended)
    assert next(chunks) == b"first and long\n"
    path.write_text("second\n")
    assert next(chunks) == b"second\n"
    ended.set()
    assert list(chunks) == []


@pytest.mark.parametrize(("whole", "values"), [(True, [0.5, 0.9]), (False, [0.5])])
def test_the_last_line_counts_when_the_trial_ended_by_itself(
    whole: bool, values: list[float]
) -> None:
    given = source(output=iter([b"acc=0.5\nacc=0.9"]), is_whole=lambda: whole)
    seen = [one for batch in collect_output(given) for one in batch]
    assert [one.value for one in seen if not one.text] == values
    assert seen[-1].text == ("" if whole else "0.9")


def test_many_lines_take_no_memory() -> None:
    count = 100_000

    def printed() -> Iterator[bytes]:
        for first in range(0, count, 1000):
            lines = (f"step={n} some words lr=0.1\n" for n in range(first, first + 1000))
            yield "".join(lines).encode() + b"acc=0.5\n"

    tracemalloc.start()
    seen = sum(len(batch) for batch in collect_output(source(output=printed())))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen == count // 1000
    assert peak < 4 * 1024 * 1024


@pytest.mark.parametrize(
    ("tag", "run", "metric"),
    [
        ("accuracy", ".", "accuracy"),
        ("accuracy", "a/train", "accuracy"),
        ("loss", "a/train", "train/loss"),
        ("loss", "validation", None),
        ("accuracy_1", ".", None),
    ],
)
def test_scalars_are_told_by_tag_or_by_run_and_tag(tag: str, run: str, metric: str | None) -> None:
    assert matching(tag, run, ("accuracy", "train/loss")) == metric


@pytest.mark.parametrize(
    ("epochs", "steps"),
    [
        ([1, 2, 3], [1, 2, 3]),
        ([1, 1, 1, 2, 2], [1, 2, 3, 4, 5]),
        ([0, 0, 10], [0, 1, 10]),
        ([3, 2, 4], [3, 2, 4]),
        ([None, 1, None], [None, 1, None]),
    ],
)
def test_steps_that_repeat_are_counted_on(
    epochs: list[int | None], steps: list[int | None]
) -> None:
    texts = [f"Epoch: {epoch} [1/9] " if epoch is not None else "" for epoch in epochs]
    lines = "".join(f"{text}loss={index} acc=1\n" for index, text in enumerate(texts))
    given = source(metrics=("loss", "acc"), output=iter([lines.encode()]))
    seen = [each for batch in collect_output(given) for each in batch]
    for metric in ("loss", "acc"):
        assert [each.step for each in seen if each.metric == metric] == steps
