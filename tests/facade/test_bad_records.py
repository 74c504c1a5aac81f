"""A change of a record is whole or none, and a record that cannot be read blocks no other."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text

import hpo_lab
from hpo_lab.cli import main
from hpo_lab.facade.experiments import Experiments
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.origin import Origin
from hpo_lab.problems import InvalidInput
from hpo_lab.running.enrol import revise
from hpo_lab.store import Store
from hpo_lab.store.transaction import Transaction
from tests.facade.conftest import Create, end
from tests.store_writes import set_document


@pytest.fixture
def ended(store: Store, create: Create) -> Experiment:
    """An experiment that has ended after a trial."""
    uid = create("base")
    end(store, uid, 0, {"score": 0.5}, best=True)
    store.set_condition(uid, "Succeeded", "ExperimentMaxTrialsReached", "max trial count")
    return Experiments(store).get(uid)


def test_an_origin_of_a_later_version_is_read(ended: Experiment) -> None:
    told = '{"family": "svm", "file": "a.py", "cell": "fit", "kernel": "python3"}'
    record = replace(ended.record, origin=told)

    assert Origin.of(record) == Origin("svm", "a.py", "fit")


@pytest.mark.parametrize(
    "budgets",
    [
        {"trials": 5 / 2},
        {"trials": "30"},
        {"trials": 0},
        {"trials": None, "parallel": 1.5, "goal": 1j},
        {"trials": True},
        {"timeout": "soon"},
        {"timeout": float("nan")},
        {"goal": "0.9"},
        {"goal": float("inf")},
        {"parallel": 0},
        {"max_failed": -1},
    ],
)
def test_a_wrong_budget_is_named_and_changes_nothing(
    ended: Experiment, budgets: dict[str, Any]
) -> None:
    before = ended.record

    with pytest.raises(InvalidInput) as caught:
        ended.resume(**budgets)

    # The template of these experiments is empty.
    named = {each.where for each in caught.value.problems} - {"spec.trialTemplate"}
    assert named == {name for name, value in budgets.items() if value is not None}
    assert ended.record == before


def test_a_change_that_is_cut_short_leaves_the_record_as_it_was(
    store: Store, ended: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ended.record
    spec = before.document.spec.model_copy(update={"max_trial_count": 40})
    monkeypatch.setattr(Transaction, "set_condition", lambda *_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        revise(store, before, before.document.model_copy(update={"spec": spec}))

    assert ended.record == before


def test_a_document_that_could_not_be_read_again_is_not_written(
    store: Store, ended: Experiment
) -> None:
    before = ended.record
    spec = before.document.spec.model_copy(update={"max_trial_count": 2.5})

    with pytest.raises(ValueError, match="maxTrialCount"):
        set_document(store, before.uid, before.document.model_copy(update={"spec": spec}))

    assert ended.record == before


def test_a_record_that_cannot_be_read_blocks_no_other(
    store: Store, ended: Experiment, create: Create, location: Path
) -> None:
    other = create("other")
    with store._engine.begin() as connection:  # as an earlier version has written it
        document = ended.record.document.to_document()
        document["spec"]["maxTrialCount"] = 2.5
        connection.execute(
            text("UPDATE experiments SET document = :document WHERE uid = :uid"),
            {"document": json.dumps(document), "uid": ended.uid},
        )
    run = CliRunner()
    arguments = ["--store", str(location)]

    listed = run.invoke(main, ["list", "--all", *arguments])
    shown = run.invoke(main, ["show", "base", *arguments])
    resumed = run.invoke(main, ["resume", "base", "--trials", "30", *arguments])

    assert listed.exit_code == 0 and "base" in listed.output and "other" in listed.output
    assert shown.exit_code == 0
    words = "its document in the store cannot be read: spec.maxTrialCount: "
    assert words in " ".join(shown.output.split())
    assert resumed.exit_code == 2 and words in " ".join(resumed.output.split())
    handle = hpo_lab.get("base", store=location)
    assert handle.trials[0].value == 0.5
    with pytest.raises(InvalidInput, match="cannot be continued"):
        handle.resume(trials=30)
    handle.delete()
    assert not store.named("base")
    assert hpo_lab.get("other", store=location).uid == other
