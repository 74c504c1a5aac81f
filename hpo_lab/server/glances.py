"""The experiments of a store at a glance, read anew only where they changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from dataclasses import dataclass

from hpo_lab.facade.experiments import Experiments
from hpo_lab.facade.summary import INTERRUPTED, Summary

__all__ = ["Glances"]

_FRESH = 1.0
"""Seconds for which a summary of what goes on is shown to others who ask."""
_FEW = 16
"""So many changed experiments at most are read one by one."""


@dataclass(frozen=True, slots=True)
class _Glance:
    """What was read of an experiment, of which revision, and when on the clock of `monotonic`."""

    summary: Summary
    revision: int
    read: float

    def holds(self, revision: int, now: float) -> bool:
        """Whether it is still what a reader would find."""
        rests = self.summary.is_over and self.summary.state != INTERRUPTED
        return self.revision == revision and (rests or now - self.read < _FRESH)


class Glances:
    """Remembers what it has read of the experiments of a store; for many threads.

    A list of hundreds of experiments with a thousand trials each costs as much as the few that
    go on, however many ask for it.
    """

    def __init__(self, experiments: Experiments) -> None:
        """Look at *experiments*."""
        self._experiments = experiments
        self._lock = threading.Lock()
        self._glances: dict[str, _Glance] = {}

    def look(self, uids: Collection[str] = ()) -> list[Summary]:
        """The experiments as they are now, the newest first.

        Args:
            uids: These alone; by default all.
        """
        with self._lock:
            # Before the experiments themselves: what changes meanwhile is read again.
            revisions = self._experiments.revisions()
            self._glances = {uid: self._glances[uid] for uid in revisions.keys() & self._glances}
            asked = revisions.keys() & uids if uids else revisions.keys()
            now = time.monotonic()
            changed = [
                uid
                for uid in asked
                if uid not in self._glances or not self._glances[uid].holds(revisions[uid], now)
            ]
            for summary in self._read(changed):
                revision = revisions.get(summary.uid, 0)
                self._glances[summary.uid] = _Glance(summary, revision, now)
            summaries = [self._glances[uid].summary for uid in asked if uid in self._glances]
        return sorted(summaries, key=lambda each: (-each.created_at, each.uid))

    def _read(self, uids: Collection[str]) -> list[Summary]:
        if len(uids) > _FEW:
            return self._experiments.list()
        return [each for uid in uids if (each := self._experiments.glance(uid))]
