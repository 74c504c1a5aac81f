"""Asks the search without making the runner wait for it.

A question is answered in a thread. Where answers have turned out to take their time, the
next question is asked before a slot is free, so that no slot is empty meanwhile. An answer
given ahead is used when it is the one that would be given now. Where nothing is seeded, a
costly one is used although results have come in since: a model that lacks the latest result
is worth more than an idle processor.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Protocol

from hpo_lab.engine.asking import SearchMemory, is_ordered
from hpo_lab.engine.ledger import Ledger
from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.trial import Trial
from hpo_lab.search.algorithm import WAIT, Wait, get_algorithm

__all__ = ["Asking", "AskingAtOnce", "Questions"]

_COSTLY = 0.02
"""Seconds: what takes longer is not waited for, and is asked for ahead."""


class Questions(Protocol):
    """Who puts the questions of one experiment to the search."""

    def ask(self, spec: ExperimentSpec, ledger: Ledger, number: int) -> Trial | Wait | None:
        """The trial to start under *number*, `WAIT` while there is no answer."""

    def ask_ahead(self, spec: ExperimentSpec, ledger: Ledger, number: int) -> None:
        """Begin to work out the trial *number*, where that is worthwhile."""

    def has_news(self) -> bool:
        """Whether there is an answer now where there was none before."""

    def close(self) -> None:
        """Ask nothing any more."""


class AskingAtOnce:
    """Answers every question before it goes on, as a simulation in virtual time needs it."""

    def __init__(self, uid: str, prior: Sequence[Trial]) -> None:
        """Prepare, with what tells the experiment from others and what it learns from."""
        self._uid = uid
        self._memory = SearchMemory(prior)

    def ask(self, spec: ExperimentSpec, ledger: Ledger, number: int) -> Trial | Wait | None:
        """The trial to start under *number*, as `SearchMemory.new_trial` gives it."""
        for trial in ledger.take_changed():
            self._memory.put(trial)
        return self._memory.new_trial(spec, number, uid=self._uid)

    def ask_ahead(self, spec: ExperimentSpec, ledger: Ledger, number: int) -> None:
        """Nothing is asked ahead."""

    def has_news(self) -> bool:
        """No answer comes later."""
        return False

    def close(self) -> None:
        """There is nothing to end."""


@dataclass(slots=True)
class _Question:
    """A question under way.

    Attributes:
        spec, number: What is asked.
        version: That of the ledger at the question.
        changed: The trials that have changed since the question before.
        answer: The answer, when it is there.
        seconds: How long it took.
    """

    spec: ExperimentSpec
    number: int
    version: int
    changed: list[Trial]
    answer: Future[Trial | Wait | None]
    seconds: float = 0.0


class Asking:
    """The questions of one experiment, one at a time."""

    def __init__(self, uid: str, prior: Sequence[Trial], wake: Callable[[], None]) -> None:
        """Prepare; the thread starts with the first question.

        Args:
            uid: What tells the experiment from others.
            prior: Trials of the experiments that it learns from.
            wake: Called from the thread when an answer is there that was not waited for.
        """
        self._uid = uid
        # Kept up to date by the thread alone, from what the questions bring.
        self._memory = SearchMemory(prior)
        self._wake = wake
        self._questions: SimpleQueue[_Question | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._closed = False
        self._question: _Question | None = None
        self._waited_for = False
        self._seconds = 0.0

    def ask(self, spec: ExperimentSpec, ledger: Ledger, number: int) -> Trial | Wait | None:
        """The trial to start under *number*, as `SearchMemory.new_trial` gives it.

        Args:
            spec: The experiment.
            ledger: Its trials; their changes are taken from it.
            number: The first that is not among them.

        Returns:
            As there; `WAIT` also while the answer is worked out, for at most 20 ms of this
            thread's time. `has_news` says when it is there.
        """
        question = self._question
        if (
            question is None
            or question.number != number
            or (question.answer.done() and not self._holds(question, spec, ledger))
        ):
            question = self._put(spec, ledger, number)
        if not self._is_answered(question):
            return WAIT
        if question.answer.exception() is not None:
            # Asked once more, it may be answered.
            self._question = None
        answer = question.answer.result()
        if not self._holds(question, spec, ledger):
            # It was worked out while something changed.
            self._put(spec, ledger, number)
            self._waited_for = True
            return WAIT
        if isinstance(answer, Trial):
            self._question = None
        return answer

    def ask_ahead(self, spec: ExperimentSpec, ledger: Ledger, number: int) -> None:
        """Begin to work out the trial *number*, the first that is not in the *ledger*.

        Does nothing where there is no further trial, where it would have to wait for results
        that are still to come, or where they matter and answers come quickly.
        """
        if self._question is not None or is_ordered(spec):
            return
        if self._seconds < _COSTLY and get_algorithm(spec.algorithm.algorithm_name).uses_history:
            return
        if spec.max_trial_count is None or len(ledger.trials) < spec.max_trial_count:
            self._put(spec, ledger, number)

    def has_news(self) -> bool:
        """Whether there is an answer now where there was none before."""
        question = self._question
        if not self._waited_for or question is None or not question.answer.done():
            return False
        self._waited_for = False
        return True

    def close(self) -> None:
        """Ask nothing any more; a question that is being answered is left alone."""
        with self._lock:
            self._closed = True
        self._questions.put(None)

    def _put(self, spec: ExperimentSpec, ledger: Ledger, number: int) -> _Question:
        question = _Question(spec, number, ledger.version, ledger.take_changed(), Future())
        self._question = question
        self._questions.put(question)
        if self._thread is None:
            # No end of the process waits for a search that does not answer.
            self._thread = threading.Thread(
                target=self._answer_all, name="hpo-lab search", daemon=True
            )
            self._thread.start()
        return question

    def _answer_all(self) -> None:
        while (question := self._questions.get()) is not None and not self._closed:
            self._answer(question)

    def _answer(self, question: _Question) -> None:
        begun = time.monotonic()
        try:
            for trial in question.changed:
                self._memory.put(trial)
            answer = self._memory.new_trial(question.spec, question.number, uid=self._uid)
        except BaseException as error:
            question.answer.set_exception(error)
        else:
            self._seconds = question.seconds = time.monotonic() - begun
            question.answer.set_result(answer)
        with self._lock:
            if not self._closed and self._waited_for:
                self._wake()

    def _is_answered(self, question: _Question) -> bool:
        with contextlib.suppress(TimeoutError):
            question.answer.exception(_COSTLY)
        # Before the last look, so that an answer in between wakes the runner.
        self._waited_for = True
        if question.answer.done():
            self._waited_for = False
        return not self._waited_for

    def _holds(self, question: _Question, spec: ExperimentSpec, ledger: Ledger) -> bool:
        """Whether an answer may be given although time has passed since its question."""
        if question.answer.exception() is not None:
            return True
        if question.spec is not spec and question.spec != spec:
            return False
        if question.version == ledger.version:
            return True
        if not isinstance(question.answer.result(), Trial):
            return False
        if not get_algorithm(spec.algorithm.algorithm_name).uses_history:
            return True
        # In an ordered experiment no question is put before all that it may see has ended.
        return is_ordered(spec) if spec.seed is not None else question.seconds >= _COSTLY
