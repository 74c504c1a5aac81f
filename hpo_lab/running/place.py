"""Where trials run, as the running core sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hpo_lab.engine.events import PlaceEvent
from hpo_lab.experiment.model import ExperimentDocument
from hpo_lab.experiment.trial import Trial
from hpo_lab.store import Artifact, ArtifactRecord

__all__ = ["Place", "UnfinishedTrial"]


@dataclass(frozen=True, slots=True)
class UnfinishedTrial:
    """A trial that runs, as far as the store tells.

    Attributes:
        trial: The trial.
        handle: What the place called this attempt, see `Place.handle`.
        position: Up to where its reports are recorded.
    """

    trial: Trial
    handle: str
    position: int


class Place(Protocol):
    """Runs the trials of one experiment: as processes, as pods, or in a simulation.

    The runner calls its methods from one thread, `wake` from any. A method that starts or ends
    something returns at once; what comes of it is told by `events`. An event may come late,
    twice or never: the runner asks again with `reread`, but only after `silence` seconds.

    Attributes:
        silence: Seconds after which a trial of which nothing was heard is looked at; infinite
            where no event is ever lost.
    """

    silence: float

    def open(
        self,
        experiment: ExperimentDocument,
        sources: Sequence[ArtifactRecord],
        running: Sequence[UnfinishedTrial],
    ) -> None:
        """Take up the experiment, which may have run here before.

        Of each of the *running* trials the place tells what it reported behind its position,
        and how it ended, if it did. Those that it does not have it tells to be lost.

        Args:
            experiment: The experiment.
            sources: Its source files.
            running: The trials that an earlier runner has started.
        """

    def handle(self, trial: Trial) -> str:
        """What the place calls an attempt of *trial*; the same before and after its start."""

    def prepare(self, numbers: range) -> None:
        """Do what can be done before trials are started, of which *numbers* are probably next."""

    def start(self, experiment: ExperimentDocument, trial: Trial, seed: int) -> None:
        """Start an attempt of *trial*. To start it twice is to start it once.

        Args:
            experiment: The experiment, with its present document.
            trial: What to start.
            seed: For random numbers that its code does not seed, in [0, 2**63).

        Raises:
            InvalidInput: The trial cannot be made of the experiment's template.
        """

    def end(self, number: int, attempt: int) -> None:
        """End an attempt of a trial with all that it has started, in the end by force."""

    def reread(self, number: int, attempt: int, position: int) -> None:
        """Tell again what an attempt reported from *position* on, and whether it has ended."""

    def events(self, timeout: float) -> list[PlaceEvent]:
        """What has happened since the last call; waits for it, at most *timeout* seconds."""

    def files(self, number: int) -> list[Artifact]:
        """The files that a trial which has ended left, to be recorded with it."""

    def discard(self, number: int, name: str) -> None:
        """Remove a file of a trial, which is not to be kept."""

    def wake(self) -> None:
        """Have `events` return; safe in a signal handler and from other threads."""

    def close(self) -> None:
        """End what this runner has started and what would end with it anyway."""
