"""The addresses to which a trial with the collector `Push` may push its metrics."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from hpo_lab.trial.folder import METRICS

__all__ = ["push_addresses"]


@contextlib.contextmanager
def push_addresses(
    kind: str, namespace: str, trial: str, folder: Path
) -> Iterator[Mapping[str, str]]:
    """Receive the metrics that a trial pushes by Katib's SDK or, of a TrainJob, by Trainer's.

    Args:
        kind: The kind of the object that the trial runs.
        namespace: Its namespace.
        trial: Its name.
        folder: The trial's folder.

    Yields:
        The environment variables that the trial's processes need.
    """
    metrics = folder / METRICS
    variables: dict[str, str] = {}
    with contextlib.ExitStack() as held:
        if find_spec("grpc"):
            from hpo_lab.katib_api.pushing import pushed

            variables |= held.enter_context(pushed(trial, metrics))
        if kind == "TrainJob":
            from hpo_lab.workload.trainer_status import trainer_status

            variables |= held.enter_context(trainer_status(namespace, trial, folder, str(metrics)))
        yield variables
