"""A simulated place: trials that run in virtual time, with faults drawn from a seed.

The `World` is what a cluster would be: it holds the trials that run, whichever driver started
them, and goes on when a driver is killed. A `SimulatedPlace` is a driver's view of it::

    world = World(seed=1, faults=Faults(lost=0.1, late=0.2, repeated=0.1))
    Driver(store, uid, SimulatedPlace(world), clock=world.clock, at_once=True).run()
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from hpo_lab.engine.events import Ended, Instant, Lost, PlaceEvent, Reported, TrialEvent
from hpo_lab.experiment.model import ExperimentDocument, Value
from hpo_lab.experiment.trial import Trial
from hpo_lab.observation import Observation, Outcome
from hpo_lab.running.place import UnfinishedTrial
from hpo_lab.store import Artifact, ArtifactRecord

__all__ = ["Faults", "SimulatedPlace", "TrialBehaviour", "World"]

_EPOCH = 1_700_000_000.0
_LATENCY = 0.05
"""Virtual seconds that a driver takes to look again; what happens meanwhile comes at once."""


@dataclass(frozen=True, slots=True)
class Faults:
    """How often something goes wrong, as probabilities.

    Attributes:
        lost: An event never arrives.
        late: An event arrives up to a minute later, behind others.
        repeated: An event arrives twice.
        preempted: An attempt is taken away before its end.
        died: The process of a trial dies.
        failed: A trial ends with an exception.
    """

    lost: float = 0.0
    late: float = 0.0
    repeated: float = 0.0
    preempted: float = 0.0
    died: float = 0.0
    failed: float = 0.0


def _negative_square_sum(assignments: Mapping[str, Value], step: int) -> float:
    numbers = [value for value in assignments.values() if isinstance(value, int | float)]
    return -sum(number * number for number in numbers) - 1.0 / step


@dataclass(frozen=True, slots=True)
class TrialBehaviour:
    """What trials do.

    Attributes:
        metric: What they report.
        value: Its value from the assignment and the step, which counts from 1.
        steps: How often it is reported.
        seconds: The mean of how long a trial runs, of which each trial takes 0.5 to 1.5 times.
    """

    metric: str = "score"
    value: Callable[[Mapping[str, Value], int], float] = _negative_square_sum
    steps: int = 3
    seconds: float = 10.0


@dataclass(slots=True)
class _Life:
    """An attempt of a trial.

    Attributes:
        reports: What it reports, each with its time, in virtual seconds.
        ends: When it ends.
        outcome: How it ends, where it comes to its end by itself.
        death: How its process dies otherwise; empty where the attempt is taken away.
    """

    reports: list[Observation]
    ends: float
    outcome: Outcome | None
    death: str = ""

    def told(self, now: float) -> int:
        """How many reports there are at *now*."""
        until = min(now, self.ends)
        return sum(report.time - _EPOCH <= until for report in self.reports)


@dataclass
class World:
    """Trials in virtual time, and the messages about them that are under way.

    Attributes:
        seed: Of all that is random.
        faults: What goes wrong.
        behaviour: What trials do.
        now: Virtual seconds since the beginning.
        starts: How often each attempt of each trial was started.
        most_running: The largest number of trials that ran at once.
    """

    seed: int = 0
    faults: Faults = field(default_factory=Faults)
    behaviour: TrialBehaviour = field(default_factory=TrialBehaviour)
    now: float = 0.0
    starts: dict[tuple[int, int], int] = field(default_factory=dict)
    most_running: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._lives: dict[tuple[int, int], _Life] = {}
        self._ends: list[tuple[float, int, int]] = []
        self._running: set[tuple[int, int]] = set()
        self._messages: list[tuple[float, int, TrialEvent]] = []
        self._sent = 0

    def clock(self) -> Instant:
        """The present virtual moment, for a driver."""
        return Instant(_EPOCH + self.now, self.now)

    def start(self, trial: Trial) -> None:
        """Begin an attempt of *trial*, unless it was begun before."""
        key = trial.number, trial.attempt
        self.starts[key] = self.starts.get(key, 0) + 1
        if key in self._lives:
            return
        # What becomes of a trial does not depend on when it runs.
        draw = random.Random(f"{self.seed}/{trial.number}/{trial.attempt}")
        fate = random.Random(f"{self.seed}/{trial.number}")
        behaviour = self.behaviour
        seconds = behaviour.seconds * (0.5 + draw.random())
        ends = self.now + seconds
        reports = [
            Observation(
                behaviour.metric,
                behaviour.value(trial.assignments, step),
                _EPOCH + self.now + seconds * step / (behaviour.steps + 1),
                step,
            )
            for step in range(1, behaviour.steps + 1)
        ]
        life = _Life(reports, ends, Outcome(True, _EPOCH + ends))
        if fate.random() < self.faults.failed:
            life.outcome = Outcome(False, _EPOCH + ends, "RuntimeError: simulated")
        elif fate.random() < self.faults.died:
            life.outcome, life.death = None, "was killed by signal 9"
        if draw.random() < self.faults.preempted:
            life.ends, life.outcome, life.death = self.now + seconds * draw.random(), None, ""
        self._lives[key] = life
        self._running.add(key)
        self.most_running = max(self.most_running, len(self._running))
        for position, report in enumerate(life.reports):
            if report.time - _EPOCH <= life.ends:
                event = Reported(*key, position, position + 1, (report,))
                self._send(event, report.time - _EPOCH)
        heappush(self._ends, (life.ends, *key))

    def end(self, number: int, attempt: int) -> None:
        """End an attempt a moment later, as a signal does."""
        life = self._lives.get((number, attempt))
        if life is not None and (number, attempt) in self._running:
            soon = self.now + 0.2
            if soon < life.ends:
                life.ends, life.outcome, life.death = soon, None, "was killed by signal 15"
                heappush(self._ends, (soon, number, attempt))

    def reread(self, number: int, attempt: int, position: int) -> None:
        """Tell again what an attempt has reported, and whether it has ended."""
        life = self._lives.get((number, attempt))
        if life is None:
            self._send(Lost(number, attempt), self.now)
            return
        count = life.told(self.now)
        if count > position:
            self._send(
                Reported(number, attempt, position, count, tuple(life.reports[position:count])),
                self.now,
            )
        if (number, attempt) not in self._running:
            self._tell_end(number, attempt, life)

    def take(self, timeout: float) -> list[PlaceEvent]:
        """Let time pass until something arrives, at most *timeout* seconds; what has arrived."""
        upcoming = [heap[0][0] for heap in (self._messages, self._ends) if heap]
        until = self.now + timeout
        if upcoming and min(upcoming) < until:
            until = min(until, max(self.now, min(upcoming)) + _LATENCY)
        self.now = until
        while self._ends and self._ends[0][0] <= until:
            ends, number, attempt = heappop(self._ends)
            life = self._lives[number, attempt]
            if life.ends == ends and (number, attempt) in self._running:
                self._running.discard((number, attempt))
                self._tell_end(number, attempt, life)
        arrived: list[PlaceEvent] = []
        while self._messages and self._messages[0][0] <= until:
            event = heappop(self._messages)[2]
            if not self._is_untrue(event):
                arrived.append(event)
        return arrived

    def reports(self, number: int, attempt: int) -> list[Observation]:
        """What an attempt has reported up to now."""
        life = self._lives[number, attempt]
        return life.reports[: life.told(self.now)]

    def _is_untrue(self, event: TrialEvent) -> bool:
        """Whether it tells a report that an attempt would have made, had it not been ended."""
        life = self._lives.get((event.number, event.attempt))
        return isinstance(event, Reported) and life is not None and event.end > life.told(self.now)

    def _tell_end(self, number: int, attempt: int, life: _Life) -> None:
        if life.outcome is None and not life.death:
            self._send(Lost(number, attempt), self.now)
        else:
            end = life.told(life.ends)
            self._send(Ended(number, attempt, end, life.outcome, life.death), self.now)

    def _send(self, event: TrialEvent, at: float) -> None:
        """Put an event under way, which the faults may hit."""
        chance = self._random.random
        for _ in range(2 if chance() < self.faults.repeated else 1):
            if chance() < self.faults.lost:
                continue
            delay = 60.0 * chance() if chance() < self.faults.late else 0.0
            self._sent += 1
            heappush(self._messages, (at + delay, self._sent, event))


class SimulatedPlace:
    """A driver's view of a `World`."""

    def __init__(self, world: World) -> None:
        """View *world*, in which other drivers may have started trials before."""
        self.silence = 30.0
        self._world = world

    def open(
        self,
        experiment: ExperimentDocument,
        sources: Sequence[ArtifactRecord],
        running: Sequence[UnfinishedTrial],
    ) -> None:
        """Ask what became of the trials that an earlier driver has started."""
        for unfinished in running:
            trial = unfinished.trial
            self._world.reread(trial.number, trial.attempt, unfinished.position)

    def handle(self, trial: Trial) -> str:
        """The number of the trial and of the attempt: `7.1`."""
        return f"{trial.number}.{trial.attempt}"

    def prepare(self, numbers: range) -> None:
        """Nothing takes time before a start."""

    def start(self, experiment: ExperimentDocument, trial: Trial, seed: int) -> None:
        """Start a trial in the world."""
        self._world.start(trial)

    def end(self, number: int, attempt: int) -> None:
        """End a trial in the world."""
        self._world.end(number, attempt)

    def reread(self, number: int, attempt: int, position: int) -> None:
        """Have the world tell again what an attempt reported."""
        self._world.reread(number, attempt, position)

    def events(self, timeout: float) -> list[PlaceEvent]:
        """What has arrived; virtual time passes."""
        return self._world.take(timeout)

    def files(self, number: int) -> list[Artifact]:
        """Simulated trials leave no files."""
        return []

    def discard(self, number: int, name: str) -> None:
        """There are no files."""

    def wake(self) -> None:
        """Virtual time does not wait."""

    def close(self) -> None:
        """What runs in the world goes on."""
