"""The trials before a question, with what questions ask of them kept up to date."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, ParamSpec, Protocol, TypeVar, cast

from hpo_lab.experiment.trial import Trial

__all__ = ["History", "Index"]

P = ParamSpec("P")


class Index(Protocol):
    """Something about the trials of a history that is kept up to date as they change.

    It sees new trials in ascending order of their numbers, and changes in any order.
    """

    def put(self, trial: Trial, before: Trial | None) -> None:
        """Take in a trial.

        Args:
            trial: The trial in its new state.
            before: What was taken in before under its number, with the same assignments,
                labels and parent; None when it is new.
        """


I = TypeVar("I", bound=Index)  # noqa: E741


class History:
    """Trials by number, and indexes of them.

    A question may be put with a plain list of trials, of which a history is made; a runner
    keeps one history and puts in every trial that is new or has changed, so that a question
    costs the same however many trials there are. The answer is the same: an index depends on
    the trials alone, not on the order in which they are put in.

    A history is not to be changed while a question is answered from it.

    Args:
        trials: Trials in any order, those of other experiments under negative numbers.
    """

    def __init__(self, trials: Iterable[Trial] = ()) -> None:
        self._trials = sorted(trials, key=_number)
        self._numbers = [trial.number for trial in self._trials]
        self._indexes: dict[Any, Index] = {}
        self._unfinished = sum(not trial.is_final for trial in self._trials)

    def put(self, trial: Trial) -> None:
        """Take in a trial that is new or has changed."""
        place, before = bisect_left(self._numbers, trial.number), None
        if place < len(self._numbers) and self._numbers[place] == trial.number:
            before = self._trials[place]
            self._trials[place] = trial
        else:
            self._trials.insert(place, trial)
            self._numbers.insert(place, trial.number)
            if place < len(self._numbers) - 1:
                self._indexes.clear()
        self._unfinished += (not trial.is_final) - (before is not None and not before.is_final)
        if before is not None and _asked(before) != _asked(trial):
            self._indexes.clear()
        for index in self._indexes.values():
            index.put(trial, before)

    def index(self, make: Callable[P, I], *args: P.args, **kwargs: P.kwargs) -> I:
        """The index that *make* makes of these arguments, with all trials in it.

        It is made when it is first asked for; equal arguments, hashable, give the same index.
        """
        key = (make, args, tuple(kwargs.items()))
        index = self._indexes.get(key)
        if index is None:
            index = make(*args, **kwargs)
            for trial in self._trials:
                index.put(trial, None)
            self._indexes[key] = index
        return cast(I, index)

    def before(self, number: int) -> History:
        """The history of the trials with lower numbers: this one where there are no others."""
        if not self._numbers or self._numbers[-1] < number:
            return self
        return History(self._trials[: bisect_left(self._numbers, number)])

    @property
    def trials(self) -> Sequence[Trial]:
        """All trials by number, not to be changed."""
        return self._trials

    @property
    def own(self) -> Sequence[Trial]:
        """The trials with numbers from 0, not to be changed."""
        if not self._numbers or self._numbers[0] >= 0:
            return self._trials
        return self._trials[bisect_left(self._numbers, 0) :]

    @property
    def has_unfinished(self) -> bool:
        """Whether a trial has not ended."""
        return self._unfinished > 0

    def __len__(self) -> int:
        return len(self._trials)

    def __iter__(self) -> Iterator[Trial]:
        return iter(self._trials)

    def __getitem__(self, number: int) -> Trial:
        """The trial with this number.

        Raises:
            KeyError: There is none.
        """
        place = bisect_left(self._numbers, number)
        if place == len(self._numbers) or self._numbers[place] != number:
            raise KeyError(number)
        return self._trials[place]


_number = attrgetter("number")
_asked = attrgetter("assignments", "labels", "parent")
