"""What a dashboard shows after what a person does."""

from __future__ import annotations

import re
import threading
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from hpo_lab.dashboard import figures
from hpo_lab.dashboard.widget.board import PARTS, Board
from hpo_lab.store import Store
from tests.dashboard.conftest import add

if TYPE_CHECKING:
    from tests.dashboard.conftest import Make


def _numbers(panel: str) -> list[int]:
    """The trials of the table, in the order of its rows."""
    return [int(number) for number in re.findall(r'data-do="open" data-trial="(\d+)"', panel)]


def _text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", html)).split())


def _after(board: Board, *messages: dict[str, Any]) -> dict[str, str]:
    for message in messages:
        board.handle(message)
    return board.parts()


def test_the_overview_says_how_it_goes_and_what_is_won(make: Make) -> None:
    parts = Board(make()).parts()
    assert set(parts) == set(PARTS)
    assert "Running 30 of 40 trials" in _text(parts["head"])
    assert "best, trial 29" in _text(parts["head"])
    assert "26 succeeded" in _text(parts["bar"])
    assert "Stop" in _text(parts["acts"])
    assert parts["panel"].count("<svg xmlns") >= 2
    assert "Best values trial 29" in _text(parts["panel"])
    assert "lr = 0.453125\nopt = 'adam'" in unescape(parts["acts"])
    assert parts["drawer"] == parts["notice"] == parts["tools"] == ""


@pytest.mark.parametrize("tab", ["overview", "space", "trials", "curves", "importances", "compare"])
@pytest.mark.parametrize("trials", [0, 1, 30])
def test_each_tab_has_something_to_show(make: Make, tab: str, trials: int) -> None:
    parts = _after(Board(make(trials=trials)), {"do": "tab", "tab": tab})
    assert _text(parts["panel"])
    assert "Error" not in parts["panel"].replace("ValueError: &lt;no luck&gt;", "")
    assert f'data-tab="{tab}" data-key="tab-{tab}" aria-selected="true"' in parts["tabs"]


def test_trials_are_filtered_sorted_and_turned_over(make: Make) -> None:
    board = Board(make())
    parts = _after(board, {"do": "tab", "tab": "trials"})
    assert _numbers(parts["panel"])[:3] == [29, 28, 26]
    assert "1–20 of 30 trials" in _text(parts["panel"])  # noqa: RUF001
    parts = _after(board, {"do": "page", "start": "20"})
    assert _numbers(parts["panel"])[-4:] == [27, 20, 13, 6]
    parts = _after(board, {"do": "filter", "text": "state:failed lr < 0.3"})
    assert _numbers(parts["panel"]) == [13, 6]
    assert parts["query"] == "state:failed lr < 0.3"
    assert "2 of 30 trials" in _text(parts["panel"])
    assert _numbers(_after(board, {"do": "sort", "by": "lr"})["panel"]) == [6, 13]
    assert _numbers(_after(board, {"do": "sort", "by": "lr"})["panel"]) == [13, 6]
    # What cannot be read is told below the filter, and the table stays.
    parts = _after(board, {"do": "filter", "text": "rl < 0.3"})
    assert "rl < 0.3: there is no column rl" in _text(parts["panel"])
    assert _numbers(parts["panel"]) == [13, 6]
    assert parts["notice"] == ""
    assert _numbers(_after(board, {"do": "filter", "text": "lr>2"})["panel"]) == []


def test_an_objective_is_sorted_with_the_best_first(make: Make) -> None:
    board = Board(make())
    sort = {"do": "sort", "by": "accuracy"}
    board.handle({"do": "tab", "tab": "trials"})
    assert _numbers(_after(board, sort)["panel"])[0] == 29
    assert _numbers(_after(board, sort)["panel"])[0] == 0
    assert 'data-sorted="ascending"' in board.parts()["panel"]
    assert 'data-sorted="ascending"' not in _after(board, sort)["panel"]


def test_a_trial_is_opened_and_left(make: Make) -> None:
    experiment = make()
    log = experiment.log_of(13)
    log.parent.mkdir(parents=True)
    log.write_text("\n".join(f"\x1b[32mepoch {epoch}\x1b[0m" for epoch in range(100)))
    board = Board(experiment)
    drawer = _text(_after(board, {"do": "open", "trial": "13"})["drawer"])
    assert drawer.startswith("Trial 13 Failed")
    assert "ValueError: <no luck>" in drawer
    assert "lr 0.2031 opt adam" in drawer
    assert "epoch 99" in drawer and "epoch 10 " not in drawer
    drawer = _after(board, {"do": "open", "trial": "3"})["drawer"]
    assert "by step" in drawer
    assert "lr = 0.046875\nopt = 'adam'" in unescape(drawer)
    assert _after(board, {"do": "leave"})["drawer"] == ""


def test_what_fails_is_told_and_gone_with_the_next_message(make: Make) -> None:
    board = Board(make())
    notice = _after(board, {"do": "open", "trial": "99"})["notice"]
    assert "no such trial of digits; there are 0 to 29" in _text(notice)
    assert 'role="alert"' in notice
    for message in ({"do": "open"}, {"do": "fly"}, {}, {"do": "tab", "tab": "moon"}):
        assert 'role="alert"' in _after(board, message)["notice"], message
    assert _after(board, {"do": "dismiss"})["notice"] == ""


def test_stop_and_budgets_go_to_the_store(make: Make, store: Store) -> None:
    experiment = make()
    board = Board(experiment)
    parts = _after(board, {"do": "resume", "trials": "x", "parallel": "0", "timeout": "soon"})
    text = _text(parts["notice"])
    assert "trials: 'x' is no whole number; allowed are 1 and up" in text
    assert "parallel: 0 is too small" in text
    assert "timeout: 'soon'" in text
    assert experiment.record.document.spec.max_trial_count == 40
    assert 'name="trials" size="9" autocomplete="off" value="40"' in parts["budget"]

    assert "It stops" in _text(_after(board, {"do": "stop"})["notice"])
    assert experiment.record.stop_requested


def test_a_budget_is_changed_while_it_runs(make: Make) -> None:
    experiment = make()
    board = Board(experiment)
    parts = _after(board, {"do": "resume", "trials": "50", "parallel": "3", "timeout": ""})
    assert "From now on: trials 50, parallel 3." in _text(parts["notice"])
    spec = experiment.record.document.spec
    assert (spec.max_trial_count, spec.parallel_trial_count) == (50, 3)
    assert "30 of 50 trials" in _text(parts["head"])


def test_experiments_with_the_same_objective_are_compared(make: Make) -> None:
    board, other = Board(make()), make("other", 12)
    third = make("third", 3, metric="loss")
    parts = _after(board, {"do": "tab", "tab": "compare"})
    assert _text(parts["tools"]) == "other"
    with_other = {"do": "compare", "uid": other.uid}
    parts = _after(board, with_other)
    assert "digits 0.2959" in parts["panel"] and "other 0.1122" in parts["panel"]
    assert "digits other" in _text(parts["panel"])
    assert "other" not in _text(_after(board, with_other)["panel"])
    assert third.title not in _text(parts["tools"])
    # One that is deleted meanwhile is no problem.
    board.handle(with_other)
    other.store.delete_experiment(other.uid)
    assert "other" not in _text(board.parts()["panel"])


def test_only_what_changed_differs(make: Make, store: Store) -> None:
    experiment = make()
    board = Board(experiment)
    board.handle({"do": "tab", "tab": "trials"})
    before = board.parts()
    add(store, experiment.uid, 30)
    after = board.parts()
    changed = {name for name in PARTS if before[name] != after[name]}
    assert {"head", "acts", "bar", "panel"} == changed


def test_messages_and_looks_come_from_any_thread(
    make: Make, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = make()
    board = Board(experiment)
    problems: list[BaseException] = []
    monkeypatch.setattr(threading, "excepthook", lambda hook: problems.append(hook.exc_value))
    notices: list[str] = []

    def ask(tab: str) -> None:
        for number in range(8):
            board.handle({"do": "tab", "tab": tab})
            board.handle({"do": "filter", "text": f"number < {number}"})
            notices.append(board.parts()["notice"])

    threads = [threading.Thread(target=ask, args=(tab,)) for tab in ("trials", "space", "compare")]
    for thread in threads:
        thread.start()
    for number in range(30, 36):
        add(store, experiment.uid, number)
    for thread in threads:
        thread.join()
    assert problems == []
    assert {*notices} == {""}


def test_a_picture_that_fails_is_told_in_its_place(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = figures.draw

    def broken(name: str, *arguments: Any) -> Any:
        if name == "slices":
            raise ZeroDivisionError("<so>")
        return own(name, *arguments)

    monkeypatch.setattr(figures, "draw", broken)
    panel = _after(Board(make()), {"do": "tab", "tab": "importances"})["panel"]
    assert "slices: ZeroDivisionError: <so>" in _text(panel)
    assert "<so>" not in panel
