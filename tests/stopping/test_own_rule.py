"""The rule of the documentation, found by its entry point."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hpo_lab.stopping import rule
from hpo_lab.stopping.rule import stopping_problems

from .asking import experiment, reason

PAGE = Path(__file__).parent.parent.parent / "docs" / "early-stopping.md"


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    module, declared = re.findall(
        r"```(?:python\n# my_rules|toml\n).*?\n(.*?)```", PAGE.read_text(), re.S
    )
    (tmp_path / "my_rules.py").write_text(module)
    info = tmp_path / "my_rules-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-rules\nVersion: 1.0\n")
    name, target = re.findall(r'^(\S+) = "(\S+)"', declared, re.M)[0]
    (info / "entry_points.txt").write_text(f"[hpo_lab.early_stopping]\n{name} = {target}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("my_rules", None)
    rule._registered.cache_clear()


def test_an_installed_package_adds_a_rule() -> None:
    spec = experiment("bad-start")
    assert stopping_problems(spec) == []
    assert reason(spec, [0.2]) is None
    others = [[0.3, 0.9], [0.5, 0.8]]
    assert reason(spec, [0.2, 0.9], others) == "it began with less than half of 0.5"
    assert reason(spec, [0.3, 0.1], others) is None
    # It was made anew for each of these questions.
    assert reason(spec, [0.2]) is None
