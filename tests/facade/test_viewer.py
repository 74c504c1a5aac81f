"""Who shows an experiment: nobody by itself, the dashboard for who tunes in Python."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import pytest

from hpo_lab.api import Experiments
from hpo_lab.facade.viewer import Viewer, show_with
from hpo_lab.store import Store
from tests.facade.conftest import Create


class Interrupted(Viewer):
    """A viewer that is interrupted before it shows anything."""

    def watching(self, *arguments: Any) -> AbstractContextManager[Any]:
        raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def _shown_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hpo_lab.facade.viewer._make", Viewer)


def test_an_experiment_that_nobody_shows_is_its_name(
    store: Store, create: Create, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = Experiments(store).get(create("digits", "team"))
    assert repr(experiment) == "<Experiment team/digits>"
    assert experiment._repr_html_() is None
    experiment._ipython_display_()
    assert capsys.readouterr().out == "<Experiment team/digits>\n"
    with pytest.raises(TimeoutError):
        experiment.wait(timeout=0.01, progress=True)


def test_an_interrupt_while_the_viewer_is_made_is_answered_as_any(
    store: Store, create: Create, capsys: pytest.CaptureFixture[str]
) -> None:
    show_with(Interrupted)
    with pytest.raises(KeyboardInterrupt):
        Experiments(store).get(create(runs=True)).wait()
    said = capsys.readouterr().err
    assert said.startswith("\nStopped waiting; digits goes on in the background. To stop it: ")
