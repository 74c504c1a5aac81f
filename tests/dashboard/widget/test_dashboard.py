"""How a dashboard comes into a cell, follows its experiment, and becomes a static picture."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.displaypub import CapturingDisplayPublisher

import hpo_lab
from hpo_lab.dashboard.widget import dashboard as dashboards
from hpo_lab.problems import InvalidInput
from hpo_lab.store import Store
from tests.dashboard.conftest import add

if TYPE_CHECKING:
    from tests.dashboard.conftest import Make

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def shell() -> Any:
    """The shell of a kernel that keeps what it is told to display."""
    return SimpleNamespace(display_pub=CapturingDisplayPublisher(), kernel=object())


def _until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_dashboard_follows_answers_and_closes(make: Make, store: Store, shell: Any) -> None:
    experiment = make()
    dashboard = hpo_lab.Dashboard(experiment)
    dashboard.show(shell)
    shown = shell.display_pub.outputs[0]["data"]
    assert shown[VIEW]["model_id"] and "digits: Running, 30 of 40" in shown["text/plain"]
    widget = dashboard._widget
    assert "30 of 40 trials" in widget.head

    add(store, experiment.uid, 30)
    _until(lambda: "31 of 40 trials" in widget.head)
    _until(lambda: widget.still)
    assert "opens the dashboard again" in widget.still["text/html"]
    # What a front end without anywidget shows, and no other.
    needs = "needs anywidget where JupyterLab runs (pip install anywidget)"
    assert needs in shell.display_pub.outputs[0]["data"]["text/html"]
    assert needs not in widget.still["text/html"]

    dashboard.receive({"do": "tab", "tab": "trials", "id": 7})
    assert widget.answered == 7 and "<table" in widget.panel
    dashboard.receive({"do": "open", "trial": "99", "id": 8})
    assert widget.answered == 8 and "no such trial" in widget.notice

    dashboard.receive({"do": "close"})
    dashboard.close()
    (static,) = shell.display_pub.outputs[1:]
    assert VIEW not in static["data"] and "<img alt" in static["data"]["text/html"]
    assert static["transient"] == shell.display_pub.outputs[0]["transient"]
    # What comes late is passed over; shown again it is static.
    dashboard.receive({"do": "tab", "tab": "space", "id": 9})
    dashboard.show(shell)
    assert VIEW not in shell.display_pub.outputs[-1]["data"]


def test_what_is_over_and_not_used_becomes_static_where_its_page_is_open(
    make: Make, shell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = make()
    experiment.store.set_condition(experiment.uid, "Succeeded", "ForTheTest", "it is over")
    dashboard = hpo_lab.Dashboard(experiment)
    dashboard.show(shell)
    dashboard.receive({"do": "here"})
    assert not dashboard._closed.is_set()
    monkeypatch.setattr(dashboards, "_REST", 0.0)
    experiment.store.release_lease(experiment.uid, "r")
    asked = []
    monkeypatch.setattr(dashboard._widget, "send", asked.append)
    _until(lambda: {"ask": "here"} in asked)
    # As long as no page answers it stays: nothing could be changed in the file.
    assert not dashboard._closed.is_set()
    dashboard.receive({"do": "here"})
    assert dashboard._closed.is_set()


def test_a_deleted_experiment_closes_its_dashboard(make: Make, shell: Any) -> None:
    experiment = make()
    dashboard = hpo_lab.Dashboard(experiment)
    dashboard.show(shell)
    experiment.store.delete_experiment(experiment.uid)
    outputs = shell.display_pub.outputs
    _until(lambda: "was deleted" in outputs[-1]["data"]["text/plain"])
    assert dashboard._closed.is_set()


def test_a_dashboard_has_a_name_that_exists(make: Make, store: Store) -> None:
    make()
    location = str(store)
    assert repr(hpo_lab.Dashboard("digits", store=location)) == "<Dashboard of digits>"
    with pytest.raises(InvalidInput, match="did you mean 'digits'"):
        hpo_lab.Dashboard("digit", store=location)


def test_outside_a_kernel_a_text_is_printed(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    hpo_lab.Dashboard(make())._ipython_display_()
    assert "digits: Running, 30 of 40 trials done" in capsys.readouterr().out


def test_what_is_missing_is_named(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    dashboards._widget_class.cache_clear()
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(ImportError, match=r"pip install 'hpo_lab\[widget\]'"):
        hpo_lab.Dashboard(make())
