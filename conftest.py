"""A home of its own for every test and for every example notebook."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest


def _home(folder: Path) -> dict[str, str]:
    """Environment variables that keep every read and write of user files below *folder*."""
    return {
        "HOME": str(folder),
        "HPO_LAB_STORE": str(folder / "hpo_lab.db"),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_CONFIG_DIR": str(folder / "jupyter" / "config"),
        "JUPYTER_DATA_DIR": str(folder / "jupyter" / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "jupyter" / "runtime"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_STATE_HOME": str(folder / "state"),
    }


def pytest_configure(config: pytest.Config) -> None:
    """Give the whole run a home: for fixtures that outlive a test, and for nbval's kernels."""
    folder = Path(tempfile.mkdtemp(prefix="hpo-lab-home-"))
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    environment = pytest.MonkeyPatch()
    config.add_cleanup(environment.undo)
    for name, value in _home(folder).items():
        environment.setenv(name, value)


@pytest.fixture(scope="session")
def home() -> Callable[[Path], dict[str, str]]:
    """`home(folder)`: environment variables that make *folder* a process's home."""
    return _home


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in _home(tmp_path_factory.mktemp("home")).items():
        monkeypatch.setenv(name, value)
