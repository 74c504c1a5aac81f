"""Several stores, of which some do not answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpo_lab.experiment.model import ExperimentDocument, Metadata, ObjectiveType, TrialTemplate
from hpo_lab.experiment.space import uniform
from hpo_lab.options import TuneOptions
from hpo_lab.server.answers import Answers
from hpo_lab.server.stores import Stores
from hpo_lab.store import StoreUnavailable, open_store


def test_a_store_that_cannot_be_opened_is_told_and_the_others_answer(tmp_path: Path) -> None:
    (tmp_path / "bad.db").write_text("garbage")
    store = open_store(tmp_path / "good.db")
    options = TuneOptions(direction=ObjectiveType.MAXIMIZE, metric="score")
    spec = options.spec([uniform(0, 1).named("x")], TrialTemplate())
    document = ExperimentDocument(metadata=Metadata(name="digits"), spec=spec)
    uid = store.create_experiment(document, identity="digits").uid
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


def test_nothing_is_said_not_to_be_there_while_a_store_is_silent(tmp_path: Path) -> None:
    (tmp_path / "bad.db").write_text("garbage")
    with pytest.raises(StoreUnavailable, match=r"bad\.db: cannot open"):
        Stores([str(tmp_path / "bad.db")]).handle("0" * 32)


def test_integers_that_javascript_cannot_hold_are_texts(tmp_path: Path) -> None:
    from hpo_lab.server.answers import _exact

    assert _exact({"a": [2**53, 2**53 - 1, -(2**60), True, 0.5]}) == {
        "a": [str(2**53), 2**53 - 1, str(-(2**60)), True, 0.5]
    }
