"""Two runs of a notebook are compared by the values of their names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hpo_lab.trial.fingerprint import FINGERPRINT, write_fingerprint
from hpo_lab.trial.folder import TRIAL_FOLDER


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(TRIAL_FOLDER, str(tmp_path))
    return tmp_path


def test_equal_tensors_have_the_same_digest(folder: Path) -> None:
    torch = pytest.importorskip("torch")
    steps = torch.arange(6.0)
    names = {
        "steps": steps,
        "copy": steps.clone(),
        "others": steps + 1,
        "integers": steps.view(torch.int32),
    }
    write_fingerprint(names, names)

    digests = json.loads((folder / FINGERPRINT).read_text())

    assert digests["steps"] == digests["copy"]
    assert len({digests["steps"], digests["others"], digests["integers"]}) == 3


def test_searches_that_took_another_time_have_the_same_digest(folder: Path) -> None:
    linear, selection = map(
        pytest.importorskip, ["sklearn.linear_model", "sklearn.model_selection"]
    )
    rows, targets = [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 3.0, 3.0]
    searches = {
        name: selection.GridSearchCV(linear.Ridge(), {"alpha": alphas}, cv=2).fit(rows, targets)
        for name, alphas in {"first": [1, 2], "second": [1, 2], "other": [1, 3]}.items()
    }
    write_fingerprint(searches, searches)

    digests = json.loads((folder / FINGERPRINT).read_text())

    assert digests["first"] == digests["second"] != digests["other"] != ""
