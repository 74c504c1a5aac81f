"""What the scheduler wants done: records to write, then actions to take.

The records of one answer belong into one transaction, and are written before any of its
actions is taken: a crash in between costs a restart of a trial, where the other order could
leave a process that no record names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from hpo_lab.engine.plan import Verdict
from hpo_lab.experiment.trial import Trial
from hpo_lab.observation import Observation

__all__ = [
    "Action",
    "AskSearch",
    "End",
    "ExperimentEnded",
    "Instructions",
    "Noted",
    "Observed",
    "Prepare",
    "Record",
    "Reread",
    "Start",
    "TrialEnded",
    "TrialRequeued",
    "TrialStarted",
]


@dataclass(frozen=True, slots=True)
class TrialStarted:
    """A trial runs from now on; `is_new` when it was not recorded before."""

    trial: Trial
    is_new: bool


@dataclass(frozen=True, slots=True)
class Observed:
    """What a trial has reported, up to the position *end* of its stream."""

    number: int
    observations: tuple[Observation, ...]
    end: int


@dataclass(frozen=True, slots=True)
class TrialEnded:
    """A trial has ended in the state of *trial*.

    Attributes:
        trial: The trial as it is now.
        reason: Why, as one CamelCase word.
        traceback: Of the exception that it ended with.
        superseded: The trial that was the best before, where this one is now.
        best: The best trial now, which may be this one.
    """

    trial: Trial
    reason: str
    traceback: str = ""
    superseded: int | None = None
    best: int | None = None


@dataclass(frozen=True, slots=True)
class TrialRequeued:
    """A trial is back at its beginning; *trial* is the attempt that is to follow."""

    trial: Trial


@dataclass(frozen=True, slots=True)
class ExperimentEnded:
    """The experiment has ended; `best` is its best trial."""

    verdict: Verdict
    best: int | None


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that a person is to know of the running experiment.

    Attributes:
        reason, message: What.
        since: Of what lasts for a while and is shown as long as that: when it began.
    """

    reason: str
    message: str
    since: float | None = None


Record: TypeAlias = TrialStarted | Observed | TrialEnded | TrialRequeued | Noted | ExperimentEnded


@dataclass(frozen=True, slots=True)
class Start:
    """Start an attempt of a trial. To start an attempt twice is to start it once."""

    trial: Trial


@dataclass(frozen=True, slots=True)
class End:
    """End an attempt of a trial. That it has ended is told by an event, as always."""

    number: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Reread:
    """Tell again what an attempt has reported from *position* on, and whether it has ended."""

    number: int
    attempt: int
    position: int


@dataclass(frozen=True, slots=True)
class Prepare:
    """Trials will be started: first those now, then probably those of `numbers`."""

    numbers: range


@dataclass(frozen=True, slots=True)
class AskSearch:
    """Ask the search for trial *number*, and tell its answer."""

    number: int


Action: TypeAlias = Start | End | Reread | Prepare | AskSearch


@dataclass(frozen=True, slots=True)
class Instructions:
    """Records to write at once, and the actions to take after that, in order."""

    records: list[Record] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
