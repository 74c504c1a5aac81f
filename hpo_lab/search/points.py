"""The points that a person gave, on their way to become trials."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence

from hpo_lab.experiment.model import ExperimentSpec, Value
from hpo_lab.experiment.trial import Trial
from hpo_lab.search.algorithm import POINT, Suggestion
from hpo_lab.search.axis import Axis
from hpo_lab.search.space import Space

__all__ = ["next_point", "waiting_points"]


def waiting_points(
    spec: ExperimentSpec, trials: Sequence[Trial]
) -> Iterator[tuple[str, Mapping[str, Value]]]:
    """The points that none of the *trials* has yet, in order, each with its label."""
    waiting = {
        f"{kind}-{index}": point
        for kind, points in (("initial", spec.initial_points), ("enqueued", spec.enqueued_points))
        for index, point in enumerate(points)
    }
    for trial in trials:
        # Mostly the first trials have them all, and the thousands that follow need no look.
        if not waiting:
            break
        waiting.pop(trial.labels.get(POINT, ""), None)
    yield from waiting.items()


def next_point(
    spec: ExperimentSpec, trials: Sequence[Trial], rng: random.Random
) -> Suggestion | None:
    """The first waiting point as a suggestion, None when there is none.

    What it leaves open is drawn by *rng*, what is inactive is dropped.
    """
    label, point = next(waiting_points(spec, trials), ("", {}))
    if not label:
        return None

    def choose(axis: Axis) -> Value:
        name = axis.parameter.name
        return point[name] if name in point else axis.value_at(rng.random())

    return Suggestion(Space.of(spec.parameters).assign(choose), labels={POINT: label})
