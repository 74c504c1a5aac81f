"""How fast lines are searched for metrics, and in how much memory.

`python benchmarks/metric_lines.py [LINES]` runs the StdOut collector over that many lines
(a million by default), of which no line, every hundredth, or every line has a metric. The
filters are Katib's own and an expression that takes a backtracking engine exponential time.
"""

from __future__ import annotations

import resource
import sys
import threading
import time
from collections.abc import Iterator

from hpo_lab.collectors.source import Source
from hpo_lab.collectors.stream import CHUNK, collect_output
from hpo_lab.experiment.collector import METRICS_FORMAT

PLAIN = b"2026-01-01T00:00:00Z INFO trainer.py:120] batch 17 of 900, lr=0.01, 81.2 samples/s\n"
METRIC = b"2026-01-01T00:00:00Z INFO epoch=3 loss=0.25 accuracy=0.9\n"


def chunks(lines: int, every: int) -> Iterator[bytes]:
    """So many lines, of which each *every*-th has metrics, in chunks as they are read."""
    block = b"".join(METRIC if every and n % every == 0 else PLAIN for n in range(1000))
    size = max(1, CHUNK // len(block))
    for _ in range(lines // (1000 * size)):
        yield block * size


def measure(name: str, lines: int, every: int, form: str) -> None:
    """Print lines a second, observations and the largest memory so far."""
    source = Source(
        metrics=("loss", "accuracy"),
        output=chunks(lines, every),
        ended=threading.Event(),
        is_whole=lambda: True,
        formats=(form,),
    )
    start = time.perf_counter()
    count = sum(len(batch) for batch in collect_output(source))
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name:32} {lines / seconds:12,.0f} lines/s {count:10,} values {peak:8.0f} MiB")


def main() -> None:
    """Measure every kind."""
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    measure("no metrics", lines, 0, METRICS_FORMAT)
    measure("one line in a hundred", lines, 100, METRICS_FORMAT)
    measure("every line", lines, 1, METRICS_FORMAT)
    measure("every line, ((\\w+)+)=(\\S+)", lines, 1, r"((?:\w+)+)=(\S+)")


if __name__ == "__main__":
    main()
