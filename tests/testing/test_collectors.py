"""Our collectors pass the checks for collectors, and collectors with a defect do not."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from hpo_lab.collectors.lines import Lines
from hpo_lab.collectors.source import MetricCollector, Source, collector
from hpo_lab.collectors.stream import collect_file, collect_output
from hpo_lab.experiment.collector import METRICS_FORMAT
from hpo_lab.observation import Observation
from hpo_lab.testing.collectors import check_collector

LINES = b"".join(b"epoch %d: loss=%d.25 acc=0.%d\n" % (n, 9 - n, n) for n in range(1, 7))
JSON = b"".join(
    b'{"epoch": %d, "loss": "%d.25", "acc": 0.%d}\n' % (n, 9 - n, n) for n in range(1, 7)
)
VALUES = [pair for n in range(1, 7) for pair in (("loss", 9.25 - n), ("acc", n / 10))]


@pytest.mark.parametrize("kind", ["StdOut", "File"])
def test_ours_read_lines(kind: str) -> None:
    check_collector(collector(kind), LINES, VALUES, formats=(METRICS_FORMAT,))


def test_ours_read_json_lines() -> None:
    check_collector(collect_file, JSON, VALUES, is_json=True)


def by_pieces(source: Source) -> Iterator[list[Observation]]:
    for piece in source.output:
        yield from collect_output(
            Source(
                metrics=source.metrics,
                output=iter([piece]),
                ended=source.ended,
                is_whole=lambda: True,
                formats=source.formats,
            )
        )


def trusting(source: Source) -> Iterator[list[Observation]]:
    lines = Lines()
    for piece in source.output:
        for line in lines.feed(piece):
            yield [Observation("loss", float(line.decode().split("loss=")[1].split()[0]), 0.0)]


def endless(source: Source) -> Iterator[list[Observation]]:
    yield from collect_output(source)
    while True:
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("defective", "message"),
    [
        (by_pieces, "expected is"),
        (trusting, "it raised|expected is"),
        (endless, "it still runs"),
    ],
)
def test_a_defect_is_found(
    defective: MetricCollector, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hpo_lab.testing.collectors._SECONDS", 1.0)
    with pytest.raises(AssertionError, match=message):
        check_collector(defective, LINES, VALUES, formats=(METRICS_FORMAT,))
