"""Following experiments: woken by the store, reading what changed and nothing else."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Self, TypeVar

from hpo_lab.facade.summary import Summary, is_live
from hpo_lab.facade.tally import Tally
from hpo_lab.store import ExperimentRecord, NotFound, Store

__all__ = ["Follower", "Pace", "looks"]

_LEAST = 0.25
"""Seconds between two looks at the least: what changed meanwhile is read together."""
_MOST = 1.0
"""Seconds after which a look is due though nothing changed: runners die without a word."""
_SHARE = 40
"""A look is followed by a pause of at least this many times the processor time it took."""
_PATIENCE = 300.0
"""Seconds for which the store may be away."""
_AWAY = 5.0
"""Seconds without an answer after which that is told."""
_SLICE = 0.25

Look = TypeVar("Look")


class Pace:
    """Says when the next look at a store is due; for one thread at a time."""

    def __init__(self, store: Store) -> None:
        """Be woken by *store*."""
        self._watch = store.watch()
        self._woken = False
        self._earliest = self._latest = 0.0
        self._is_first = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._watch.close()

    @contextmanager
    def look(self) -> Iterator[None]:
        """Mark a look and what is done with it, from which the time of the next one follows."""
        began = time.thread_time()
        # Taken back before the look, so that a change during it wakes again.
        self._woken = False
        try:
            yield
        finally:
            spent = 0.0 if self._is_first else time.thread_time() - began
            # The first look reads everything, the later ones do not.
            self._is_first = False
            now = time.monotonic()
            self._earliest = now + max(_LEAST, _SHARE * spent)
            self._latest = max(self._earliest, now + _MOST)

    def wait(self, timeout: float = 0.0) -> bool:
        """Wait for the time of the next look, *timeout* seconds at most; whether it has come."""
        deadline = time.monotonic() + timeout
        while True:
            now = time.monotonic()
            if now >= self._earliest:
                if self._woken or now >= self._latest:
                    return True
                self._woken = self._watch.wait(max(0.0, min(deadline, self._latest) - now))
                if self._woken:
                    return True
            else:
                time.sleep(max(0.0, min(deadline, self._earliest) - now))
            if time.monotonic() >= deadline:
                return False


class Follower:
    """Keeps the summary of one experiment, and its trials, up to date.

    The first look reads the trials, each later one those that changed.
    """

    def __init__(self, store: Store, uid: str) -> None:
        """Follow the experiment *uid* of *store*."""
        self._store = store
        self._uid = uid
        self._revision = 0
        self._record: ExperimentRecord | None = None
        self._tally: Tally | None = None
        self._lock = threading.Lock()

    def twin(self) -> Follower:
        """Another follower of the experiment, which reads what changes after the last look."""
        twin = Follower(self._store, self._uid)
        with self._lock:
            twin._revision, twin._record = self._revision, self._record
            twin._tally = self._tally and self._tally.copy()
        return twin

    @property
    def record(self) -> ExperimentRecord:
        """The experiment at the last look."""
        assert self._record is not None, "look first"
        return self._record

    @property
    def tally(self) -> Tally:
        """The trials at the last look; the next one changes it."""
        assert self._tally is not None, "look first"
        return self._tally

    @property
    def revision(self) -> int:
        """That of the experiment and its trials at the last look."""
        return self._revision

    def look(self) -> Summary:
        """Read what changed.

        Returns:
            The experiment at a glance, as it is now.

        Raises:
            NotFound: It was deleted.
        """
        with self._lock:
            changes = self._store.changes(self._uid, self._revision)
            if changes is None:
                name = self._record.title if self._record else self._uid
                raise NotFound(f"experiment {name} was deleted meanwhile")
            if changes.revision < self._revision:
                # The store was restored from a backup.
                self._revision, self._tally = 0, None
                changes = self._store.changes(self._uid) or changes
            record = changes.experiment or self._record
            assert record is not None
            # The heartbeat moves without a change, and trials move the revision.
            self._record = record = replace(record, lease=changes.lease, revision=changes.revision)
            objective = record.document.spec.objective
            if self._tally is None or self._tally.objective != objective:
                earlier = self._tally.trials.values() if self._tally else ()
                self._tally = Tally(objective, earlier)
            self._tally.update(changes.trials)
            self._revision = changes.revision
            return self._tally.summary(record, time.time())

    def follow(
        self,
        until: float | None = None,
        stop: Callable[[], bool] = lambda: False,
        away: Callable[[], None] = lambda: None,
    ) -> Iterator[Summary]:
        """Look again and again until the experiment is over and its runner has gone.

        Args:
            until: When to end at the latest, on the clock of `time.monotonic`.
            stop: Says that following ends; asked at least four times a second.
            away: Called again and again while the store does not answer for seconds; where it
                does not for minutes, its error is raised.

        Yields:
            The experiment at a glance, at most four times a second and at least once in one,
            also where nothing but the time changed.

        Raises:
            NotFound: It was deleted.
        """
        for summary in looks(self._store, self.look, until, stop, away):
            yield summary
            if summary.is_over and not is_live(self.record, time.time()):
                return


def looks(
    store: Store,
    look: Callable[[], Look],
    until: float | None = None,
    stop: Callable[[], bool] = lambda: False,
    away: Callable[[], None] = lambda: None,
) -> Iterator[Look]:
    """What *look* returns at each change of *store*; pace and arguments as `Follower.follow`."""
    answered: float | None = None
    with Pace(store) as pace:
        while True:
            with pace.look():
                try:
                    answer = look()
                except NotFound:
                    raise
                except Exception:
                    # A store that is busy or away. What never answered is not waited for.
                    silence = math.inf if answered is None else time.monotonic() - answered
                    if silence > _PATIENCE:
                        raise
                    if silence > _AWAY:
                        away()
                else:
                    answered = time.monotonic()
                    yield answer
            while True:
                if stop():
                    return
                left = _SLICE if until is None else min(_SLICE, until - time.monotonic())
                if left <= 0:
                    return
                if pace.wait(left):
                    break
