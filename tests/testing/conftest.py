from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hpo_lab.search.algorithm import get_algorithm
from hpo_lab.stopping import rule


@pytest.fixture
def package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str, str, str], None]]:
    """Installs a package `acme` with one entry point: its group, the entry, the module."""

    def install(group: str, entry: str, source: str) -> None:
        (tmp_path / "acme.py").write_text(source)
        info = tmp_path / "acme-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{entry}\n")
        monkeypatch.syspath_prepend(str(tmp_path))

    yield install
    sys.modules.pop("acme", None)
    get_algorithm.cache_clear()
    rule._registered.cache_clear()
