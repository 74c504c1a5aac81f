"""Scalars in TensorBoard's event files, read while they are written.

Needs the package `tensorboard` and uses its reader. Every folder below the collected folder
is a run. A metric is a tag (`accuracy`, in any run), or a run and a tag (`train/accuracy`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hpo_lab.collectors.source import Source
from hpo_lab.observation import Observation

__all__ = ["collect_events", "matching"]

_POLL = 1.0


def collect_events(source: Source) -> Iterator[list[Observation]]:
    """`TensorFlowEvent`: the scalars of every run below the collected folder.

    Raises:
        RuntimeError: `tensorboard` is not installed.
    """
    try:
        from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    except ImportError:
        raise RuntimeError(
            "the metrics collector TensorFlowEvent needs tensorboard: pip install tensorboard"
        ) from None
    loaders: dict[Path, Any] = {}
    while True:
        last = source.ended.wait(_POLL)
        for path in sorted(source.path.rglob("*tfevents*")):
            if path.is_file() and path not in loaders:
                loaders[path] = EventFileLoader(str(path))
        for path, loader in loaders.items():
            run = path.parent.relative_to(source.path).as_posix()
            yield [
                observation
                for event in loader.Load()
                for observation in _scalars(event, run, source.metrics)
            ]
        if last:
            return


def matching(tag: str, run: str, metrics: tuple[str, ...]) -> str | None:
    """The name in *metrics* of the scalar *tag* of *run*; None when it has none."""
    names = (f"{run}/{tag}", f"{run.rpartition('/')[2]}/{tag}", tag)
    return next((name for name in names if name in metrics), None)


def _scalars(event: Any, run: str, metrics: tuple[str, ...]) -> Iterator[Observation]:
    from tensorboard.util import tensor_util

    for value in event.summary.value:
        metric = matching(value.tag, run, metrics)
        # The reader turns scalars of TensorFlow 1 and 2 into tensors of a single element.
        if metric is None or not value.HasField("tensor"):
            continue
        array = tensor_util.make_ndarray(value.tensor)
        if array.size != 1 or array.dtype.kind not in "fiu":
            continue
        number = float(array.reshape(()))
        text = "" if number - number == 0 else repr(number)
        yield Observation(metric, number, event.wall_time, event.step, text)
