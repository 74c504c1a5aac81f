"""What can be done with the best trial."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import hpo_lab
from hpo_lab.api import Experiments
from hpo_lab.experiment.model import ObjectiveType
from hpo_lab.facade.enrolling import enrol_prepared
from hpo_lab.facade.handle import Experiment
from hpo_lab.options import TuneOptions
from hpo_lab.prepare import Prepared, prepare_function
from hpo_lab.problems import InvalidInput
from hpo_lab.store import Artifact, Store
from tests.facade.conftest import Create, end
from tests.store_writes import add_artifact

base = 10


def enrolled(store: Store, function: Any) -> Experiment:
    """An experiment of *function* with two trials, of which number 1 is the best."""
    options = TuneOptions(direction=ObjectiveType.MAXIMIZE, metric="score", name="sums")
    prepared = prepare_function(function, {"x": hpo_lab.uniform(0, 1)}, options)
    uid = enrol_prepared(store, Prepared(prepared.experiment, prepared.files)).record.uid
    end(store, uid, 0, {"score": 0.5})
    end(store, uid, 1, {"score": 1.0}, best=True)
    return Experiments(store).get(uid)


def test_the_function_is_called_with_the_best_values(store: Store) -> None:
    def add(x: float, extra: int = 1) -> tuple[float, int]:
        return x + base, extra

    best = enrolled(store, add).best
    assert best is not None
    assert best.run() == (10.1, 1)
    assert repr(best) == (
        "BestTrial(number=1, value=1.0, parameters={'x': 0.1}, values={'score': 1.0})"
    )
    assert best.to_json() == {"trial": 1, "value": 1.0, "parameters": {"x": 0.1}}


def test_a_function_that_takes_all_values_in_one_and_raises(store: Store) -> None:
    def fail(values: Mapping[str, float]) -> float:
        raise ValueError(f"x is {values['x']}")

    with pytest.raises(ValueError, match=r"x is 0\.0"):
        enrolled(store, fail).chosen(0).run()


def test_where_no_function_was_tuned_the_way_is_named(
    store: Store, create: Create, tmp_path: Path
) -> None:
    uid = create()
    experiment = Experiments(store).get(uid)
    with pytest.raises(InvalidInput, match="no trial has ended with a value of the objective yet"):
        experiment.chosen()
    end(store, uid, 0, {"score": 1.0})
    end(store, uid, 1, None)
    with pytest.raises(InvalidInput, match="trial 1: has no value of the objective; it is Failed"):
        experiment.chosen(1)
    with pytest.raises(InvalidInput, match="digits: no function was tuned"):
        experiment.chosen().run()
    add_artifact(store, uid, Artifact(name="notebook.ipynb", media_type="x", content=b"{}"))
    with pytest.raises(InvalidInput, match="`%hpo best digits --run` runs it in a notebook"):
        experiment.chosen().run()


def test_its_files(store: Store, create: Create, tmp_path: Path) -> None:
    uid = create()
    end(store, uid, 0, {"score": 1.0}, best=True)
    best = Experiments(store).get(uid).chosen()
    assert (best.notebook, best.kept) == (None, [])
    for name in ("notebook.ipynb", "log.txt", "model.pkl"):
        (tmp_path / name).write_text("{}")
        kept = Artifact(name=name, media_type="x", path=tmp_path / name, number=0)
        add_artifact(store, uid, kept)
    assert best.notebook == tmp_path / "notebook.ipynb"
    assert [each.name for each in best.kept] == ["model.pkl"]


def test_an_edited_module_is_neither_run_nor_continued(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "scaling.py"
    module.write_text("SCALE = 1\ndef score(x): return x * SCALE\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "scaling", raising=False)

    def objective(x: float) -> float:
        import scaling  # type: ignore[import-not-found]

        return float(scaling.score(x))

    experiment = enrolled(store, objective)
    assert experiment.chosen().run() == 0.1
    module.write_text("SCALE = 1  # the same\ndef score(x): return x * SCALE\n")
    assert experiment.chosen().run() == 0.1
    module.write_text("SCALE = 100\ndef score(x): return x * SCALE\n")
    with pytest.raises(InvalidInput, match=r"function: scaling\.SCALE: 1 is 100 now"):
        experiment.chosen().run()
    with pytest.raises(InvalidInput) as caught:
        experiment.resume(trials=9)
    assert str(caught.value).splitlines() == [
        "'sums' is not continued: its trials ran other modules than those of today:",
        "  function: scaling.SCALE: 1 is 100 now",
        "Three ways on:",
        "  take the edit back            and it continues",
        "  run its file again            begins a new revision, or asks for another name",
        "  run its file with fresh=True  deletes it and starts anew",
    ]
