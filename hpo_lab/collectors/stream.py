"""Collectors that read lines: of the trial's output, a file, or another program's output."""

from __future__ import annotations

import contextlib
import math
import os
import stat
import subprocess
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event, Timer

from hpo_lab.collectors.json_lines import json_parser
from hpo_lab.collectors.lines import Lines
from hpo_lab.collectors.source import Source
from hpo_lab.collectors.text import LineParser, text_parser
from hpo_lab.observation import Observation

__all__ = ["collect_custom", "collect_file", "collect_nothing", "collect_output", "follow_file"]

CHUNK = 64 * 1024
_POLL = 0.2
_LINGER = 10.0


def collect_output(source: Source) -> Iterator[list[Observation]]:
    """`StdOut`: lines of text in the trial's output."""
    parse = text_parser(source.metrics, source.formats)
    yield from _parsed(source.output, parse, source)


def collect_file(source: Source) -> Iterator[list[Observation]]:
    """`File`: lines of a file, read while the trial writes it."""
    if source.is_json:
        parse = json_parser(source.metrics)
    else:
        parse = text_parser(source.metrics, source.formats)
    yield from _parsed(follow_file(source.path, source.ended), parse, source)


def collect_custom(source: Source) -> Iterator[list[Observation]]:
    """`Custom`: lines of text in the output of the user's collector.

    The user's collector starts with the trial and is ended ten seconds after the trial's end.
    """
    assert source.start is not None
    parse = text_parser(source.metrics, source.formats)
    process = source.start()
    assert process.stdout is not None
    pipe = process.stdout.fileno()

    def output() -> Iterator[bytes]:
        while chunk := os.read(pipe, CHUNK):
            yield chunk

    ending = Timer(0, _end_after, (source.ended, process))
    ending.daemon = True
    ending.start()
    yield from _parsed(output(), parse, source)
    process.wait()


def collect_nothing(source: Source) -> Iterator[list[Observation]]:
    """`Push`: the trial reports by itself."""
    return iter(())


def _end_after(ended: Event, process: subprocess.Popen[bytes]) -> None:
    ended.wait()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_LINGER)
    process.terminate()


class _Steps:
    """Steps that rise: where a line repeats the step of its metric, reports are counted on.

    `Epoch: 1 [160/60000] loss=2.3` and `Epoch: 1 [320/60000] loss=2.2` are two steps. As in
    Katib, where each report is a step, an early stopping rule then sees both.
    """

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._counting: set[str] = set()

    def counted(self, observation: Observation) -> Observation:
        step, metric = observation.step, observation.metric
        if step is None:
            return observation
        last = self._last.get(metric)
        if last is not None and (step == last or (step < last and metric in self._counting)):
            self._counting.add(metric)
            step = last + 1
        self._last[metric] = step
        return observation if step == observation.step else replace(observation, step=step)


def _parsed(
    chunks: Iterable[bytes], parse: LineParser, source: Source
) -> Iterator[list[Observation]]:
    lines, steps = Lines(), _Steps()
    for chunk in chunks:
        now = time.time()
        if batch := [
            steps.counted(observation)
            for line in lines.feed(chunk)
            for observation in parse(line, now)
        ]:
            yield batch
    if last := lines.rest():
        batch = [steps.counted(observation) for observation in parse(last, time.time())]
        yield batch if source.is_whole() else [_cut_off(observation) for observation in batch]


def _cut_off(observation: Observation) -> Observation:
    """A value of a line that was being written when the trial was killed: text, no number."""
    return replace(observation, value=math.nan, text=observation.text or repr(observation.value))


def follow_file(path: Path, ended: Event, start: int = 0) -> Iterator[bytes]:
    """The bytes of a growing file in chunks, from its beginning again when it is replaced.

    Args:
        path: The file, which may not exist yet.
        ended: Set when the file is complete.
        start: Byte to begin at.
    """
    inode, offset = 0, start
    while True:
        # The event is read before the file, so that no byte can follow the last read.
        last = ended.wait(_POLL)
        try:
            # A pipe in its place is not waited for.
            with open(path, "rb", opener=_without_waiting) as file:
                state = os.fstat(file.fileno())
                if not stat.S_ISREG(state.st_mode):
                    raise OSError("it is no plain file")
                if inode not in (0, state.st_ino) or state.st_size < offset:
                    offset = 0
                inode = state.st_ino
                file.seek(offset)
                while chunk := file.read(CHUNK):
                    offset += len(chunk)
                    yield chunk
        except OSError:
            pass
        if last:
            return


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
