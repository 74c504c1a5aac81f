"""Experiments that are recorded without being run, and a shell to call the magics in."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from hpo_lab.experiment.identity import identity
from hpo_lab.experiment.model import (
    ExperimentDocument,
    Metadata,
    ObjectiveType,
    TrialTemplate,
    Value,
)
from hpo_lab.experiment.space import choice, loguniform
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.observation import Observation
from hpo_lab.options import TuneOptions
from hpo_lab.store import Store, open_store
from tests.store_writes import finish_trial, requeue_trial, start_trial


@pytest.fixture
def store() -> Iterator[Store]:
    """The user's own store."""
    store = open_store()
    yield store
    store.close()


Recorded = tuple[TrialState, Mapping[str, Value], float | None]
Record = Callable[..., str]


@pytest.fixture
def record(store: Store) -> Record:
    """`record(name, *trials, state=...)`: an experiment as if it had run; returns its uid."""

    def record(
        name: str,
        *trials: Recorded,
        state: str = "Succeeded",
        budget: int | None = 20,
        folder: Path | None = None,
    ) -> str:
        options = TuneOptions(
            direction=ObjectiveType.MAXIMIZE, metric="accuracy", trials=budget, parallel=2
        )
        parameters = [loguniform(1e-4, 1e-1).named("lr"), choice("adam", "sgd").named("opt")]
        spec = options.spec(parameters, TrialTemplate())
        document = ExperimentDocument(metadata=Metadata(name=name), spec=spec)
        project = str(folder or "")
        uid = store.create_experiment(document, identity=identity(spec), project=project).uid
        for number, (outcome, values, value) in enumerate(trials):
            start_trial(store, uid, number, 100.0, new=Trial(number, values))
            if outcome is TrialState.CREATED:
                requeue_trial(store, uid, number)
            if not outcome.is_final:
                continue
            seen = [] if value is None else [Observation(metric="accuracy", value=value, time=1.0)]
            message = "ValueError: no luck" if outcome is TrialState.FAILED else ""
            finish_trial(
                store, uid, number, outcome, 101.0, message=message, observations=seen, offset=1
            )
        if state != "Created":
            store.set_condition(uid, ExperimentState(state), "ForTheTest", f"it is {state}")
        return uid

    return record


class Shell:
    """An IPython shell whose cells are run one after the other."""

    def __init__(self) -> None:
        self.shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
        self.shell.display_pub = CapturingDisplayPublisher()
        self.names = self.shell.user_ns

    def run(self, cell: str) -> tuple[bool, str]:
        """Run *cell*; whether it succeeded, and everything it showed, as text."""
        self.shell.display_pub.outputs.clear()
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            result = self.shell.run_cell(cell, store_history=True)
        shown = [output["data"]["text/plain"] for output in self.shell.display_pub.outputs]
        return bool(result.success), "\n".join([*shown, printed.getvalue()])


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """A shell with the magics loaded, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    shell = Shell()
    assert shell.run("%load_ext hpo_lab")[0]
    yield shell
    shell.shell.restore_sys_module_state()
