"""What stands out among the trials of an experiment, kept up to date from changed trials alone."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import partial
from heapq import nlargest
from itertools import islice
from operator import le
from types import MappingProxyType

from hpo_lab.experiment.model import Objective
from hpo_lab.experiment.pareto import fronts
from hpo_lab.experiment.trial import FAILURES, Trial, TrialState, candidates, latest_text
from hpo_lab.facade.summary import FEW, Best, Summary, written_value
from hpo_lab.store import ExperimentRecord

__all__ = ["Tally", "summarise"]

_Place = tuple[tuple[float, ...], int]
"""The losses of a trial and its number; places are in the order of trials, the best first."""

_PACE = 32
"""Of how many trials the pace is told, those that ended last."""

_MANY = 64
"""From so many changed places on, sorting all of them is faster than moving each."""


class Tally:
    """The trials of one experiment: how many are in each state, the best, the last failure.

    An update costs in proportion to the trials that changed.

    Attributes:
        objective: What the trials are compared by.
        counts: How many are in each state.
        failures: By message, the first trial that failed with it; in the order of failing.
    """

    def __init__(self, objective: Objective, trials: Iterable[Trial] = ()) -> None:
        """Take in the *trials* of an experiment with this *objective*."""
        self.objective = objective
        self._trials: dict[int, Trial] = {}
        self._last = -1
        self.counts: Counter[TrialState] = Counter()
        self._places: dict[int, _Place] = {}
        self._ranking: list[_Place] = []
        self._front: list[_Place] | None = []
        self._bests: dict[int, Best] = {}
        self._text: Trial | None = None
        self._failure: Trial | None = None
        self._runs: list[tuple[float, float]] = []
        self.failures: dict[str, int] = {}
        self.update(trials)

    def copy(self) -> Tally:
        """The same trials, to be updated apart; it costs next to nothing."""
        twin = copy(self)
        for name, value in vars(self).items():
            if isinstance(value, dict | list):
                setattr(twin, name, value.copy())
        return twin

    @property
    def trials(self) -> Mapping[int, Trial]:
        """The trials by number."""
        return MappingProxyType(self._trials)

    @property
    def last_failure(self) -> Trial | None:
        """The trial that failed last."""
        return self._failure

    def update(self, trials: Iterable[Trial]) -> None:
        """Take in new *trials*, and later states of those that are here already."""
        changed = {trial.number: trial for trial in trials}
        for number, trial in changed.items():
            before = self._trials.get(number)
            if before is not None:
                self.counts[before.state] -= 1
            self._trials[number] = trial
            self.counts[trial.state] += 1
            if trial.state in FAILURES:
                self.failures.setdefault(trial.message, number)
        self._last = max(self._last, *changed, -1)
        runs = [(t.completed_at, t.started_at) for t in changed.values() if t.is_final]
        timed = [(end, start) for end, start in runs if end is not None and start is not None]
        self._runs = nlargest(_PACE, [*self._runs, *timed])
        self._rank(changed)
        self._text = self._leader(self._text, changed, partial(latest_text, self.objective))
        self._failure = self._leader(self._failure, changed, _last_failed)

    def summary(self, record: ExperimentRecord, now: float) -> Summary:
        """The experiment at a glance: *record* as it is at *now*, and these trials."""
        best = self._best(self._ranking[0]) if self._ranking else None
        text = self._text if best is None else None
        spec = record.document.spec
        return Summary.of(
            record,
            now,
            counts=self.counts,
            best=best,
            front=tuple(map(self._best, self._pareto_front())),
            text=text.metrics[self.objective.objective_metric_name].text if text else "",
            as_written=written_value(spec, self._trials.get(0)),
            pace=self._pace(record.lease.since if record.lease else 0.0),
        )

    def _pace(self, since: float) -> float | None:
        """Seconds from the end of a trial to that of the next, of those started after *since*."""
        runs = [(end, start) for end, start in self._runs if start >= since]
        if len(runs) < FEW:
            return None
        return (runs[0][0] - min(start for _, start in runs)) / len(runs)

    def ranked(self) -> Iterator[Trial]:
        """The trials that may be optimal, the best first."""
        return (self._trials[number] for _, number in self._ranking)

    def latest(self, count: int) -> list[Trial]:
        """At most *count* trials that have started, the latest first."""
        started = (t for t in self._backwards() if t.state is not TrialState.CREATED)
        return list(islice(started, count))

    def _backwards(self) -> Iterator[Trial]:
        for number in range(self._last, -1, -1):
            if (trial := self._trials.get(number)) is not None:
                yield trial

    def _best(self, place: _Place) -> Best:
        number = place[1]
        if number not in self._bests:
            self._bests[number] = Best.of(self.objective, self._trials[number])
        return self._bests[number]

    def _rank(self, changed: Mapping[int, Trial]) -> None:
        places = self._places
        gone = [places.pop(number) for number in changed if number in places]
        for _, number in gone:
            self._bests.pop(number, None)
        new = [(losses, t.number) for losses, t in candidates(self.objective, changed.values())]
        places.update((place[1], place) for place in new)
        if len(gone) + len(new) < _MANY:
            for place in gone:
                del self._ranking[bisect_left(self._ranking, place)]
            for place in new:
                insort(self._ranking, place)
        else:
            self._ranking = sorted(self._places.values()) if len(new) < len(places) else new
            self._front = None
        if self._front is not None and not {*gone}.isdisjoint(self._front):
            self._front = None
        if self._front is not None and self.objective.additional_objectives:
            for place in new:
                self._front = _with_place(self._front, place)

    def _pareto_front(self) -> Sequence[_Place]:
        """The front of several objectives, in the order of the ranking."""
        if not self.objective.additional_objectives:
            return ()
        if self._front is None:
            front = next(iter(fronts([losses for losses, _ in self._ranking], 1)), [])
            self._front = [self._ranking[index] for index in front]
        return self._front

    def _leader(
        self,
        leader: Trial | None,
        changed: Mapping[int, Trial],
        choose: Callable[[Iterable[Trial]], Trial | None],
    ) -> Trial | None:
        """The trial that *choose* picks among all, where it was *leader* before the change."""
        if leader is not None and leader.number in changed:
            return choose(self._trials.values())
        return choose([*([leader] if leader else []), *changed.values()])


def summarise(record: ExperimentRecord, trials: Iterable[Trial], now: float) -> Summary:
    """Summarise an experiment as recorded at *now*, seconds since the epoch."""
    return Tally(record.document.spec.objective, trials).summary(record, now)


def _last_failed(trials: Iterable[Trial]) -> Trial | None:
    failed = [trial for trial in trials if trial.state in FAILURES]
    return max(failed, key=lambda trial: (trial.completed_at or 0.0, trial.number), default=None)


def _with_place(front: list[_Place], place: _Place) -> list[_Place]:
    """*front*, a list in order, with *place* unless that is dominated."""
    losses, _ = place
    # Only a place before it can dominate it, and it only those behind it.
    at = bisect_left(front, place)
    if any(_dominates(other, losses) for other, _ in front[:at]):
        return front
    return [*front[:at], place, *(each for each in front[at:] if not _dominates(losses, each[0]))]


def _dominates(better: tuple[float, ...], losses: tuple[float, ...]) -> bool:
    return better != losses and all(map(le, better, losses))
