"""The checks that the metrics collectors of hpo_lab pass, for collectors of other packages."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any

from hpo_lab.collectors.source import MetricCollector, Source
from hpo_lab.observation import Observation

__all__ = ["check_collector"]

_SECONDS = 30.0


def check_collector(
    collect: MetricCollector,
    written: bytes,
    expected: Sequence[tuple[str, float]],
    *,
    seed: int = 0,
    **fields: Any,
) -> None:
    """Check a metrics collector that reads what a trial prints, or a file.

    Checked is that

    - it finds what is *expected*, however the output is cut into pieces;
    - of a trial that was killed at any byte it finds a part of that, and no other number;
    - bytes that are no text, and lines that mean nothing, do not stop it;
    - it returns when the trial has ended.

    Args:
        collect: The collector.
        written: What a trial prints, and what is in the file `Source.path`.
        expected: The metrics and values that are to be found there, in this order.
        seed: Of all that is random; a failure comes again with the same one.
        **fields: Further fields of the `Source`, such as `formats` or `is_json`; `metrics`
            are those that are expected, unless they are among the fields.

    Raises:
        AssertionError: A check fails.
    """
    fields = {"metrics": tuple(dict.fromkeys(name for name, _ in expected)), **fields}
    rng = random.Random(seed)
    for pieces in (1, 2, 7, len(written)):
        values = _values(collect, _cut(written, pieces, rng), True, fields)
        assert values == list(expected), f"found {values}; expected is {list(expected)}"
    noise = b"\xff\x00\xfe nothing here\n" + b"{[ \n" + b"x" * 100_000 + b"\n"
    values = _values(collect, [noise, written], True, fields)
    assert values == list(expected), f"found {values} behind noise; expected is {list(expected)}"
    for _ in range(20):
        cut = written[: rng.randrange(len(written) + 1)]
        values = [pair for pair in _values(collect, [cut], False, fields) if math.isfinite(pair[1])]
        assert values == list(expected)[: len(values)], (
            f"found {values} in {cut!r} of a killed trial; expected is {list(expected)}"
        )


def _cut(written: bytes, pieces: int, rng: random.Random) -> list[bytes]:
    ends = sorted(rng.randrange(len(written) + 1) for _ in range(pieces - 1))
    return [
        written[begin:end]
        for begin, end in zip([0, *ends], [*ends, len(written)], strict=True)
        if begin < end
    ]


def _values(
    collect: MetricCollector, pieces: Sequence[bytes], whole: bool, fields: dict[str, Any]
) -> list[tuple[str, float]]:
    """The metrics and values that are found in the pieces, which are all there is."""
    batches: list[list[Observation]] = []
    errors: list[BaseException] = []

    def run(source: Source) -> None:
        try:
            batches.extend(collect(source))
        except BaseException as error:
            errors.append(error)

    def output(ended: Event) -> Iterator[bytes]:
        yield from pieces
        ended.set()

    with TemporaryDirectory() as folder:
        path, ended = Path(folder) / "metrics.log", Event()
        path.write_bytes(b"".join(pieces))
        ended.set()
        source = Source(
            **{"path": path, **fields},
            output=output(ended),
            ended=ended,
            is_whole=lambda: whole,
        )
        thread = Thread(target=run, args=[source], daemon=True)
        thread.start()
        thread.join(_SECONDS)
        assert not thread.is_alive(), f"it still runs {_SECONDS:g} seconds after the trial's end"
    if errors:
        raise AssertionError(f"it raised {errors[0]!r}") from errors[0]
    return [(seen.metric, seen.value) for batch in batches for seen in batch]
