"""Locks on ports leave no files behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpo_lab.workload import devices


def test_locks_of_ports_are_removed_and_still_exclude(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "_RUNTIME", str(tmp_path / "none-{}"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with devices.hold_ports(3) as ports:
        assert len(set(ports)) == 3
        files = sorted(path.name for path in tmp_path.rglob("*.lock"))
        assert files == sorted(f"port-{port}.lock" for port in ports)
        assert devices._try(f"port-{ports[0]}") is None
    assert list(tmp_path.rglob("*.lock")) == []
    with devices.hold_port(ports[0], on_wait=lambda: pytest.fail("it is free")):
        assert devices._try(f"port-{ports[0]}") is None
