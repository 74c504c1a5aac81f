"""The points that a person gave, on their way to become trials."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from hpo_lab.experiment.model import ExperimentSpec, Value
from hpo_lab.experiment.trial import Trial

__all__ = ["POINT", "Points", "next_point", "waiting_points"]

POINT: Final = "point"
"""The label of a trial whose assignment a person gave; its value says which point it is."""


class Points:
    """The index of the points that trials have.

    Attributes:
        labels: The labels of these points.
        count: How many trials of the experiment have a point.
    """

    def __init__(self) -> None:
        self.labels: set[str] = set()
        self.count = 0

    def put(self, trial: Trial, before: Trial | None) -> None:
        """Take in a trial."""
        if before is None and POINT in trial.labels and trial.number >= 0:
            self.labels.add(trial.labels[POINT])
            self.count += 1


def waiting_points(
    spec: ExperimentSpec, trials: Iterable[Trial]
) -> Iterator[tuple[str, Mapping[str, Value]]]:
    """The points that none of the *trials* has yet, in order, each with its label."""
    return _waiting(spec, {trial.labels.get(POINT, "") for trial in trials})


def next_point(spec: ExperimentSpec, points: Points) -> tuple[str, Mapping[str, Value]] | None:
    """The first waiting point with its label; None when there is none."""
    if len(points.labels) == len(spec.initial_points) + len(spec.enqueued_points):
        return None
    return next(_waiting(spec, points.labels), None)


def _waiting(
    spec: ExperimentSpec, labels: Collection[str]
) -> Iterator[tuple[str, Mapping[str, Value]]]:
    for kind, points in (("initial", spec.initial_points), ("enqueued", spec.enqueued_points)):
        for index, point in enumerate(points):
            if (label := f"{kind}-{index}") not in labels:
                yield label, point
