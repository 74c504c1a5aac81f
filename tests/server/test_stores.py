"""Several stores, of which some do not answer."""

from __future__ import annotations

import json
import math
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hpo_lab.experiment.model import ExperimentDocument, Metadata, ObjectiveType, TrialTemplate
from hpo_lab.experiment.space import uniform
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.facade.experiments import Experiments
from hpo_lab.facade.handle import Experiment
from hpo_lab.observation import Observation
from hpo_lab.options import TuneOptions
from hpo_lab.server import cells
from hpo_lab.server.answers import Answers, _exact
from hpo_lab.server.stores import Stores
from hpo_lab.store import NotFound, Store, StoreUnavailable, open_store
from tests.store_writes import add_observations, finish_trial, start_trial


def digits(store: Store, name: str = "digits") -> str:
    """The uid of a new experiment in *store*."""
    options = TuneOptions(direction=ObjectiveType.MAXIMIZE, metric="score")
    spec = options.spec([uniform(0, 1).named("x")], TrialTemplate())
    document = ExperimentDocument(metadata=Metadata(name=name), spec=spec)
    return store.create_experiment(document, identity=name).uid


def test_a_store_that_cannot_be_opened_is_told_and_the_others_answer(tmp_path: Path) -> None:
    (tmp_path / "bad.db").write_text("garbage")
    store = open_store(tmp_path / "good.db")
    uid = digits(store)
    answers = Answers(
        [str(tmp_path / "bad.db"), str(tmp_path / "good.db")], tmp_path, lambda data: None
    )
    try:
        listed = answers.reply("GET", "/experiments", {}, b"")
        assert listed.status == 200
        assert b'"name": "digits"' in listed.content
        assert b"is not a database" in listed.content
        assert answers.reply("GET", f"/experiments/{uid}", {}, b"").status == 200
        missing = answers.reply("GET", f"/experiments/{'0' * 32}", {}, b"")
        assert missing.status == 503
    finally:
        answers.close()


def test_a_store_that_is_locked_holds_up_no_other_store(tmp_path: Path) -> None:
    locations = [str(tmp_path / name) for name in ("locked.db", "free.db")]
    locked, free = (digits(open_store(location)) for location in locations)
    answers = Answers(locations, tmp_path, lambda data: None)
    lock = sqlite3.connect(locations[0], isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    point = b'{"points": [{"x": 0.5}]}'
    with ThreadPoolExecutor() as threads:
        path = f"/experiments/{locked}/points"
        waiting = threads.submit(answers.reply, "POST", path, {}, point)
        try:
            assert answers.reply("POST", f"/experiments/{free}/points", {}, point).status == 202
            assert answers.reply("GET", f"/experiments/{free}", {}, b"").status == 200
            assert not waiting.done()
        finally:
            lock.execute("ROLLBACK")
            lock.close()
        assert waiting.result().status == 202
    answers.close()


def test_a_list_reads_what_changed_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path / "hpo_lab.db")
    uids = [digits(store, name) for name in ("a", "b", "c")]
    for uid in uids:
        store.set_condition(uid, ExperimentState.STOPPED, "ExperimentStopped", "it was stopped")
    read: list[str] = []
    glance = Experiments.glance
    monkeypatch.setattr(
        Experiments, "glance", lambda self, uid: [read.append(uid), glance(self, uid)][1]
    )
    stores = Stores([str(tmp_path / "hpo_lab.db")])

    def listed(*asked: str) -> list[str]:
        summaries, silent = stores.summaries(asked)
        assert not silent
        return [f"{each.name} {each.state}" for _, each in summaries]

    assert listed() == ["c Stopped", "b Stopped", "a Stopped"]
    assert sorted(read) == sorted(uids)
    read.clear()
    store.set_condition(uids[1], ExperimentState.SUCCEEDED, "ExperimentSucceeded", "")
    assert listed() == ["c Stopped", "b Succeeded", "a Stopped"]
    assert read == [uids[1]]
    read.clear()
    store.delete_experiment(uids[0])
    assert listed(uids[0], uids[2]) == ["c Stopped"]
    assert read == []


def test_nothing_is_said_not_to_be_there_while_a_store_is_silent(tmp_path: Path) -> None:
    (tmp_path / "bad.db").write_text("garbage")
    with pytest.raises(StoreUnavailable, match=r"bad\.db: cannot open"):
        Stores([str(tmp_path / "bad.db")]).handle("0" * 32)


def test_a_curve_is_of_the_trials_that_are_there_now(tmp_path: Path) -> None:
    store = open_store(tmp_path / "hpo_lab.db")
    uid = digits(store)
    answers = Answers([str(tmp_path / "hpo_lab.db")], tmp_path, lambda data: None)

    def status(number: int) -> int:
        path = f"/experiments/{uid}/trials/{number}/curve"
        return answers.reply("GET", path, {}, b"").status

    for number in range(3):
        assert status(number) == 404
        start_trial(store, uid, number, new=Trial(number, {"x": 0.5}))
        steps = [Observation("score", number + step, 1.0, step) for step in range(3)]
        add_observations(store, uid, number, steps, offset=100)
        finish_trial(store, uid, number, TrialState.SUCCEEDED)
        assert status(number) == 200
    answers.close()


def test_an_experiment_is_remembered_where_a_trial_is_missing(tmp_path: Path) -> None:
    store = open_store(tmp_path / "hpo_lab.db")
    uid = digits(store)
    stores = Stores([str(tmp_path / "hpo_lab.db")])

    def handle() -> Experiment:
        with pytest.raises(NotFound), stores.experiment(uid) as experiment:
            raise NotFound("there is no trial 9")
        return experiment

    remembered = handle()
    assert handle() is remembered
    store.delete_experiment(uid)
    handle()
    with pytest.raises(NotFound, match="no experiment"), stores.experiment(uid):
        pass


def test_a_number_that_json_has_not_is_null_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(cells, "_read", lambda cell: {"values": [1.5, math.inf, math.nan]})
    answers = Answers([str(tmp_path / "hpo_lab.db")], tmp_path, lambda data: None)
    answer = answers.reply("POST", "/cell", {}, b'{"source": "x = 1"}')
    answers.close()
    assert json.loads(answer.content) == {"values": [1.5, None, None]}
    assert "/cell" in caplog.text


def test_integers_that_javascript_cannot_hold_are_texts() -> None:
    assert _exact({"a": [2**53, 2**53 - 1, -(2**60), True, 0.5]}) == {
        "a": [str(2**53), 2**53 - 1, str(-(2**60)), True, 0.5]
    }
