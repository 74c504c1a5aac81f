"""Two runs of a notebook are compared by the values of their names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hpo_lab.trial.fingerprint import FINGERPRINT, write_fingerprint
from hpo_lab.trial.folder import TRIAL_FOLDER


def test_equal_tensors_have_the_same_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setenv(TRIAL_FOLDER, str(tmp_path))
    steps = torch.arange(6.0)
    names = {
        "steps": steps,
        "copy": steps.clone(),
        "others": steps + 1,
        "integers": steps.view(torch.int32),
    }
    write_fingerprint(names, names)

    digests = json.loads((tmp_path / FINGERPRINT).read_text())

    assert digests["steps"] == digests["copy"]
    assert len({digests["steps"], digests["others"], digests["integers"]}) == 3
