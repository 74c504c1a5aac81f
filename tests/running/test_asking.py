"""The search is asked in a thread, and ahead where its answers take their time."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from hpo_lab.engine.asking import SearchMemory
from hpo_lab.engine.ledger import Ledger
from hpo_lab.experiment.model import (
    AlgorithmSpec,
    ExperimentSpec,
    FeasibleSpace,
    Objective,
    ObjectiveType,
    Parameter,
    ParameterType,
)
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.running.asking import Asking, AskingAtOnce
from hpo_lab.search.algorithm import WAIT, Wait


class Search:
    """Stands for `new_trial`: answers with how many results it saw, when it may."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.uids: set[str] = set()
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.seconds = 0.0
        self.answer: Callable[[int, int], Trial | Wait | None] = lambda number, seen: Trial(
            number, {"x": seen}
        )

    def __call__(
        self,
        memory: SearchMemory,
        spec: ExperimentSpec,
        number: int,
        *,
        uid: str,
    ) -> Trial | Wait | None:
        self.asked.append(number)
        self.uids.add(uid)
        self.may_answer.wait()
        time.sleep(self.seconds)
        return self.answer(number, sum(trial.is_final for trial in memory._history))


@pytest.fixture
def search(monkeypatch: pytest.MonkeyPatch) -> Search:
    made = Search()
    monkeypatch.setattr(
        SearchMemory, "new_trial", lambda memory, *args, **options: made(memory, *args, **options)
    )
    return made


@pytest.fixture
def woken() -> threading.Event:
    return threading.Event()


@pytest.fixture
def asking(woken: threading.Event, search: Search) -> Iterator[Asking]:
    asking = Asking("uid", (), woken.set)
    yield asking
    search.may_answer.set()
    asking.close()


Tell = Callable[..., Ledger]


@pytest.fixture
def told() -> Tell:
    """`told(*trials)`: the one ledger of the test, with these trials in it."""
    ledger = Ledger(spec().objective)

    def tell(*trials: Trial) -> Ledger:
        for trial in trials:
            ledger.put(trial)
        return ledger

    return tell


def spec(algorithm: str = "tpe", **fields: object) -> ExperimentSpec:
    return ExperimentSpec(
        parameters=(
            Parameter(
                name="x",
                parameter_type=ParameterType.DOUBLE,
                feasible_space=FeasibleSpace(min=0, max=1),
            ),
        ),
        objective=Objective(type=ObjectiveType.MAXIMIZE, objective_metric_name="score"),
        algorithm=AlgorithmSpec(algorithm_name=algorithm),
        parallel_trial_count=2,
        **fields,
    )


def running(number: int) -> Trial:
    return Trial(number, {"x": 0.5}, TrialState.RUNNING)


def ended(number: int) -> Trial:
    return replace(
        running(number), state=TrialState.SUCCEEDED, metrics={"score": Metric.single(1.0)}
    )


def answered(asking: Asking, woken: threading.Event, ask: Callable[[], object]) -> object:
    """What the runner gets: it asks, and again when it is woken."""
    while (answer := ask()) is WAIT:
        assert woken.wait(10)
        woken.clear()
        assert asking.has_news()
        assert not asking.has_news()
    return answer


def test_a_search_that_never_answers_does_not_keep_the_process() -> None:
    code = """
from threading import Event
from hpo_lab.running import asking
from hpo_lab.engine.ledger import Ledger
from tests.running.test_asking import spec
asking.SearchMemory.new_trial = lambda *_, **__: Event().wait()
questions = asking.Asking("uid", (), lambda: None)
assert questions.ask(spec(), Ledger(spec().objective), 0) is asking.WAIT
questions.close()
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_quick_answer_is_there_at_once(
    asking: Asking, woken: threading.Event, told: Tell
) -> None:
    answer = answered(asking, woken, lambda: asking.ask(spec(), told(ended(0)), 1))

    assert answer == Trial(1, {"x": 1})


def test_a_search_learns_from_earlier_experiments_and_knows_its_own(
    search: Search, woken: threading.Event, told: Tell
) -> None:
    prior = [ended(-1), ended(-2)]
    at_once, asking = AskingAtOnce("own", prior), Asking("own", prior, woken.set)
    ledger = told(ended(0))

    assert at_once.ask(spec(), ledger, 1) == Trial(1, {"x": 3})
    assert not at_once.has_news()
    answer = answered(asking, woken, lambda: asking.ask(spec(), ledger, 1))
    asking.close()

    # The ledger tells a change once, and it was told already.
    assert answer == Trial(1, {"x": 2})
    assert search.uids == {"own"}


def test_a_slow_one_holds_nothing_up(
    asking: Asking, search: Search, woken: threading.Event, told: Tell
) -> None:
    search.may_answer.clear()

    assert asking.ask(spec(), told(), 0) is WAIT
    assert asking.ask(spec(), told(), 0) is WAIT
    assert not asking.has_news()
    search.may_answer.set()
    assert woken.wait(10)

    assert asking.has_news()
    assert asking.ask(spec(), told(), 0) == Trial(0, {"x": 0})
    assert search.asked == [0]


def teach_that_answers_are_slow(
    asking: Asking, search: Search, woken: threading.Event, told: Tell, what: ExperimentSpec
) -> None:
    search.seconds = 0.03
    answered(asking, woken, lambda: asking.ask(what, told(), 0))


def ask_ahead(
    asking: Asking, search: Search, woken: threading.Event, told: Tell, what: ExperimentSpec
) -> object:
    """The answer for trial 2, asked while 0 and 1 run and used when 0 has ended."""
    teach_that_answers_are_slow(asking, search, woken, told, what)
    asking.ask_ahead(what, told(running(0), running(1)), 2)
    told(ended(0))
    return answered(asking, woken, lambda: asking.ask(what, told(), 2))


def test_without_a_seed_an_answer_ahead_is_used_although_a_result_came(
    asking: Asking, search: Search, woken: threading.Event, told: Tell
) -> None:
    assert ask_ahead(asking, search, woken, told, spec()) == Trial(2, {"x": 0})
    assert search.asked == [0, 2]


def test_with_a_seed_nothing_is_asked_before_its_results_are_there(
    asking: Asking, search: Search, woken: threading.Event, told: Tell
) -> None:
    assert ask_ahead(asking, search, woken, told, spec(seed=1)) == Trial(2, {"x": 1})
    assert search.asked == [0, 2]


def test_a_synchronous_algorithm_with_a_seed_is_asked_again_after_a_result(
    asking: Asking, search: Search, woken: threading.Event, told: Tell
) -> None:
    assert ask_ahead(asking, search, woken, told, spec("hyperband", seed=1)) == Trial(2, {"x": 1})
    assert search.asked == [0, 2, 2]


def test_where_results_do_not_count_the_answer_ahead_is_the_answer(
    asking: Asking, search: Search, woken: threading.Event, told: Tell
) -> None:
    assert ask_ahead(asking, search, woken, told, spec("random", seed=1)) == Trial(2, {"x": 0})
    assert search.asked == [0, 2]


def test_another_specification_is_another_question(
    asking: Asking, search: Search, woken: threading.Event, told: Tell
) -> None:
    teach_that_answers_are_slow(asking, search, woken, told, spec())
    asking.ask_ahead(spec(), told(running(0)), 1)
    wider = spec(max_failed_trial_count=3)

    answer = answered(asking, woken, lambda: asking.ask(wider, told(ended(0)), 1))

    assert answer == Trial(1, {"x": 1})


def test_nothing_is_asked_ahead_before_an_answer_was_slow(
    asking: Asking, search: Search, woken: threading.Event, told: Tell
) -> None:
    asking.ask_ahead(spec(), told(running(0)), 1)
    answered(asking, woken, lambda: asking.ask(spec(), told(running(1)), 2))

    assert search.asked == [2]


def test_quick_answers_are_not_asked_for_ahead(
    asking: Asking, search: Search, woken: threading.Event, told: Tell
) -> None:
    answered(asking, woken, lambda: asking.ask(spec(), told(), 0))
    asking.ask_ahead(spec(), told(running(0)), 1)
    answered(asking, woken, lambda: asking.ask(spec(), told(running(0)), 2))

    assert search.asked == [0, 2]


def test_no_trial_beyond_the_last_is_asked_for(
    asking: Asking, search: Search, woken: threading.Event, told: Tell
) -> None:
    what = spec(max_trial_count=1)
    teach_that_answers_are_slow(asking, search, woken, told, what)
    asking.ask_ahead(what, told(running(0)), 1)
    # Questions are answered in their order: this answer comes after that of a question before it.
    answered(asking, woken, lambda: asking.ask(spec(), told(), 2))

    assert search.asked == [0, 2]


@pytest.mark.parametrize("nothing", [WAIT, None])
def test_nothing_to_start_is_asked_again_when_a_result_comes(
    asking: Asking, search: Search, woken: threading.Event, told: Tell, nothing: Wait | None
) -> None:
    search.answer = lambda number, seen: Trial(number, {"x": seen}) if seen else nothing
    assert asking.ask(spec(), told(running(0)), 1) is nothing
    assert asking.ask(spec(), told(running(0)), 1) is nothing

    answer = answered(asking, woken, lambda: asking.ask(spec(), told(ended(0)), 1))

    assert answer == Trial(1, {"x": 1})
    assert search.asked == [1, 1]


def test_what_the_search_raises_reaches_the_runner(
    asking: Asking, search: Search, woken: threading.Event, told: Tell
) -> None:
    def fail(number: int, seen: int) -> Trial:
        raise LookupError("no such algorithm")

    search.answer = fail
    search.may_answer.clear()
    assert asking.ask(spec(), told(), 0) is WAIT
    search.may_answer.set()

    with pytest.raises(LookupError, match="no such algorithm"):
        answered(asking, woken, lambda: asking.ask(spec(), told(), 0))
    assert search.asked == [0]


def test_a_search_that_failed_is_asked_once_more(
    asking: Asking, search: Search, woken: threading.Event, told: Tell
) -> None:
    answer = search.answer

    def fail(number: int, seen: int) -> Trial:
        search.answer = answer
        raise ConnectionError("no answer")

    search.answer = fail
    with pytest.raises(ConnectionError, match="no answer"):
        answered(asking, woken, lambda: asking.ask(spec(), told(), 0))

    assert answered(asking, woken, lambda: asking.ask(spec(), told(), 0)) == Trial(0, {"x": 0})


def test_an_answer_that_is_out_of_date_when_it_comes_is_worked_out_again(
    asking: Asking,
    search: Search,
    woken: threading.Event,
    told: Tell,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    search.may_answer.clear()
    assert asking.ask(spec(), told(running(0)), 1) is WAIT
    # The next look waits until the answer is there.
    monkeypatch.setattr("hpo_lab.running.asking._COSTLY", 10.0)
    threading.Timer(0.1, search.may_answer.set).start()

    while (answer := asking.ask(spec(), told(ended(0)), 1)) is WAIT:
        # The answer that is out of date may wake the runner, too.
        while not asking.has_news():
            assert woken.wait(10)
            woken.clear()

    assert answer == Trial(1, {"x": 1})
    assert search.asked == [1, 1]


def test_the_thread_ends_with_the_asking(
    search: Search, woken: threading.Event, told: Tell
) -> None:
    before = set(threading.enumerate())
    asking = Asking("uid", (), woken.set)
    answered(asking, woken, lambda: asking.ask(spec(), told(), 0))
    (thread,) = set(threading.enumerate()) - before

    asking.close()

    thread.join(10)
    assert not thread.is_alive()


def test_questions_that_wait_at_the_end_are_not_asked(
    search: Search, woken: threading.Event, told: Tell
) -> None:
    before = set(threading.enumerate())
    asking = Asking("uid", (), woken.set)
    search.may_answer.clear()
    assert asking.ask(spec(), told(), 0) is WAIT
    assert asking.ask(spec(), told(running(0)), 1) is WAIT
    (thread,) = set(threading.enumerate()) - before

    asking.close()
    search.may_answer.set()

    thread.join(10)
    assert search.asked == [0]


def test_nobody_is_woken_after_the_end(
    asking: Asking, search: Search, woken: threading.Event, told: Tell
) -> None:
    search.may_answer.clear()
    assert asking.ask(spec(), told(), 0) is WAIT

    asking.close()
    search.may_answer.set()

    assert not woken.wait(0.2)
