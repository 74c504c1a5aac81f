"""Files to keep, of what trials may say."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from hpo_lab.experiment.trial import Trial
from hpo_lab.observation import Observation
from hpo_lab.server.answers import Answers
from hpo_lab.store import open_store
from tests.server.test_stores import digits
from tests.store_writes import add_observations, start_trial


def test_a_table_is_text_that_no_spreadsheet_runs(tmp_path: Path) -> None:
    store = open_store(tmp_path / "hpo_lab.db")
    uid = digits(store)
    start_trial(store, uid, 0, new=Trial(0, {"x": -0.5}))
    texts = {"half": "a\ud800b", "formula": "=1+1", "name": "@x", "number": "-1e3", "@plain": "b"}
    said = [Observation(name, float("nan"), time=1.0, text=text) for name, text in texts.items()]
    add_observations(store, uid, 0, said, offset=100)
    answers = Answers([str(tmp_path / "hpo_lab.db")], tmp_path, lambda data: None)
    answer = answers.reply("GET", f"/experiments/{uid}/table", {}, b"")
    answers.close()
    (row,) = csv.DictReader(io.StringIO(answer.content.decode()))
    assert (row["half"], row["formula"], row["name"]) == (
        "a\N{REPLACEMENT CHARACTER}b",
        "'=1+1",
        "'@x",
    )
    assert row["x"] == "-0.5" and "'@plain" in row and "-1e3" in row.values()
