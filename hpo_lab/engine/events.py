"""What happens to an experiment while it runs, as its driver tells the scheduler.

Events about a trial name the attempt that they are about. An event may come late, twice, or
out of order: a report says from where to where in the attempt's stream of reports it reaches,
so that the scheduler can tell what is new, what it has and what is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.trial import Trial
from hpo_lab.observation import Observation, Outcome
from hpo_lab.search.algorithm import Wait

__all__ = [
    "ANSWER_READY",
    "STOP_REQUESTED",
    "Answered",
    "Ended",
    "Event",
    "Exceeded",
    "Instant",
    "Lost",
    "Noticed",
    "PlaceEvent",
    "Refused",
    "Reported",
    "Signal",
    "SpecChanged",
    "TrialEvent",
]


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment on two clocks.

    Attributes:
        time: Seconds since the epoch, for records. This clock may be set.
        steady: Seconds on a clock that only runs forward, for durations.
    """

    time: float
    steady: float


@dataclass(frozen=True, slots=True)
class Reported:
    """A trial has reported *observations*, which take up its stream from `start` to `end`."""

    number: int
    attempt: int
    start: int
    end: int
    observations: tuple[Observation, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt of a trial has ended.

    Attributes:
        number, attempt: Which.
        end: Where its stream of reports ends.
        outcome: How it ended, where the trial came to its end by itself.
        death: How its process ended, where it did not: `was killed by signal 9`.
    """

    number: int
    attempt: int
    end: int
    outcome: Outcome | None = None
    death: str = ""


@dataclass(frozen=True, slots=True)
class Lost:
    """The place no longer has this attempt, which had not come to its end: it is to run again."""

    number: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The place cannot start the trial at all.

    Attributes:
        number, attempt: Which.
        message: Why, for a person.
        reason: Why, as one CamelCase word.
    """

    number: int
    attempt: int
    message: str
    reason: str = "TrialNotRendered"


@dataclass(frozen=True, slots=True)
class Exceeded:
    """A trial uses more of something than it may; the place still runs it.

    Attributes:
        number, attempt: Which.
        reason: One CamelCase word, such as `TrialMemoryExceeded`.
        message: For a person.
    """

    number: int
    attempt: int
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Noticed:
    """The place has to say something about the whole experiment.

    Attributes:
        reason: One CamelCase word, such as `TrialsNotForked`.
        message: For a person.
        since: Of what lasts for a while and is shown as long as that: when it began, in
            seconds since the epoch.
    """

    reason: str
    message: str
    since: float | None = None


TrialEvent: TypeAlias = Reported | Ended | Lost | Refused | Exceeded
"""What a place tells of a trial."""

PlaceEvent: TypeAlias = TrialEvent | Noticed
"""What a place tells."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The search has answered for trial *number*.

    Attributes:
        number: The trial that was asked for.
        answer: The trial to start; `WAIT` while there is no answer yet; None when the search
            has nothing left.
        error: What the algorithm raised; there is no answer then.
    """

    number: int
    answer: Trial | Wait | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class SpecChanged:
    """A person has changed budgets, the goal, or the points that are to be tried."""

    spec: ExperimentSpec


class Signal(Enum):
    """Events that say nothing beside that they happened."""

    STOP_REQUESTED = "stop requested"
    ANSWER_READY = "answer ready"


STOP_REQUESTED: Final = Signal.STOP_REQUESTED
"""A person asks for the experiment to stop."""

ANSWER_READY: Final = Signal.ANSWER_READY
"""The search may be asked again."""

Event: TypeAlias = PlaceEvent | Answered | SpecChanged | Signal
