from __future__ import annotations

from pathlib import Path

import pytest

from hpo_lab.experiment.trial import TrialState
from hpo_lab.facade.experiments import Experiments
from hpo_lab.problems import InvalidInput
from hpo_lab.store import NotFound, Store
from tests.facade.conftest import Create, end


def test_looking_makes_no_store(location: Path) -> None:
    experiments = Experiments(location)
    assert experiments.list() == []
    with pytest.raises(InvalidInput, match="there are none yet"):
        experiments.find("digits")
    with pytest.raises(NotFound):
        experiments.get("0")
    assert not location.parent.exists()


def test_an_experiment_is_found_by_name_and_by_namespace(
    store: Store, location: Path, create: Create
) -> None:
    here, there = create("digits"), create("digits", "team")
    experiments = Experiments(location)
    assert experiments.find("digits").uid == here
    assert experiments.find("default/digits").uid == here
    assert experiments.find("team/digits").uid == there
    assert experiments.find("digits", "team").uid == there
    assert experiments.get(there).title == "team/digits"
    with pytest.raises(InvalidInput) as caught:
        experiments.find("team/digit")
    assert "known are digits, team/digits; did you mean 'team/digits'?" in str(caught.value)


def test_a_list_reads_no_trials_but_the_best(
    store: Store, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = create("digits")
    end(store, uid, 0, {"score": 0.25})
    end(store, uid, 1, {"score": 0.5}, best=True)
    end(store, uid, 2, None)
    create("new")
    monkeypatch.setattr(Store, "trials", None)
    monkeypatch.setattr(Store, "changes", None)
    new, digits = Experiments(store).list()
    assert (new.name, digits.name) == ("new", "digits")
    assert digits.best is not None and (digits.best.number, digits.best.value) == (1, 0.5)
    assert digits.counts == {TrialState.SUCCEEDED: 2, TrialState.FAILED: 1}
    assert Experiments(store).list("team") == []


def test_where_nobody_named_the_best_trial_it_is_looked_for(store: Store, create: Create) -> None:
    uid = create("digits")
    for number, score in enumerate([0.25, 0.5, 0.125]):
        end(store, uid, number, {"score": score})
    (digits,) = Experiments(store).list()
    assert digits.best is not None and digits.best.number == 1
