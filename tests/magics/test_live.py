"""What a panel says when it can no longer tell how things are."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from IPython.core.displaypub import CapturingDisplayPublisher

from hpo_lab.api import Experiments
from hpo_lab.dashboard.live import LiveProgress
from hpo_lab.experiment.trial import TrialState
from hpo_lab.facade import follower
from hpo_lab.store import Runner, Store

if TYPE_CHECKING:
    from tests.magics.conftest import Record


@pytest.fixture
def panel(store: Store, record: Record) -> tuple[LiveProgress, CapturingDisplayPublisher]:
    uid = record("digits", state="Running")
    # Of another machine, whose heartbeat has just come.
    assert store.acquire_lease(uid, Runner("r", "elsewhere", 1, 0.0))
    publisher = CapturingDisplayPublisher()
    shell = SimpleNamespace(display_pub=publisher, kernel=object())
    return LiveProgress(shell, Experiments(store).get(uid), note="As it began."), publisher


def _texts(publisher: CapturingDisplayPublisher) -> list[str]:
    return [str(output["data"]["text/plain"]) for output in publisher.outputs]


def test_a_store_that_is_away_is_told_until_it_answers_again(
    panel: tuple[LiveProgress, CapturingDisplayPublisher], monkeypatch: pytest.MonkeyPatch
) -> None:
    progress, publisher = panel
    monkeypatch.setattr(follower, "_AWAY", 0.0)
    changes, failures = Store.changes, 3

    def away(self: Store, uid: str, since: int = 0) -> object:
        nonlocal failures
        if publisher.outputs and failures:
            failures -= 1
            raise OSError("away")
        return changes(self, uid, since)

    monkeypatch.setattr(Store, "changes", away)
    assert not progress.follow(until=time.monotonic() + 5)
    first, second, third, *_ = _texts(publisher)
    assert "As it began." in first and "as of" in first
    assert "The store has not answered since" in second
    assert "has not answered" not in third and "As it began." in third


def test_a_panel_that_is_given_up_says_since_when_and_what_shows_it_again(
    panel: tuple[LiveProgress, CapturingDisplayPublisher], monkeypatch: pytest.MonkeyPatch
) -> None:
    progress, publisher = panel
    monkeypatch.setattr(follower, "_PATIENCE", 0.0)
    assert not progress.refresh()

    changes, answers = Store.changes, iter([True])

    def once(self: Store, uid: str, since: int = 0) -> object:
        if next(answers, False):
            return changes(self, uid, since)
        raise OSError("away")

    monkeypatch.setattr(Store, "changes", once)
    progress._follow_quietly()
    last = _texts(publisher)[-1]
    assert "No longer updated since" in last
    assert "%hpo show digits" in last


def test_the_output_of_a_cell_and_the_handle_show_the_same(store: Store, record: Record) -> None:
    failed = (TrialState.FAILED, {"lr": 0.01, "opt": "sgd"}, None)
    best = (TrialState.SUCCEEDED, {"lr": 0.02, "opt": "adam"}, 0.5)
    shell = SimpleNamespace(display_pub=CapturingDisplayPublisher(), kernel=object())
    for trials in ([failed], [failed, best]):
        experiment = Experiments(store).get(record(f"with-{len(trials)}", *trials))
        shown = LiveProgress(shell, experiment).bundle()["text/html"]
        assert "no luck" in shown
        assert experiment._repr_html_() == shown
