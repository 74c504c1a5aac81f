from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import hpo_lab
from hpo_lab.trial.checkpoint import CHECKPOINT_DIR, checkpoint_dir, open_checkpoint


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test sets there is taken back."""
    monkeypatch.setenv(CHECKPOINT_DIR, "")


def test_a_first_trial_finds_an_empty_folder(tmp_path: Path) -> None:
    open_checkpoint(tmp_path, "")
    assert checkpoint_dir() == Path(os.environ["HPO_CHECKPOINT_DIR"])
    assert checkpoint_dir().is_relative_to(tmp_path)
    assert list(checkpoint_dir().iterdir()) == []


def test_a_child_finds_a_copy_and_changes_nothing_of_its_parent(tmp_path: Path) -> None:
    parent, child = tmp_path / "0", tmp_path / "1"
    parent.mkdir()
    child.mkdir()
    open_checkpoint(parent, "")
    left = checkpoint_dir()
    (left / "weights").mkdir()
    (left / "weights" / "a.bin").write_bytes(b"123")
    (left / "last").symlink_to("weights")
    open_checkpoint(child, str(parent))
    found = checkpoint_dir()
    assert found.is_relative_to(child)
    assert (found / "last" / "a.bin").read_bytes() == b"123"
    assert (found / "last").is_symlink()
    (found / "weights" / "a.bin").write_bytes(b"456")
    assert (left / "weights" / "a.bin").read_bytes() == b"123"


def test_a_parent_that_left_nothing_means_to_start_over(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    open_checkpoint(tmp_path / "1", str(tmp_path / "0"))
    assert list(checkpoint_dir().iterdir()) == []


def test_a_copy_that_fails_leaves_no_checkpoint(tmp_path: Path) -> None:
    parent, child = tmp_path / "0", tmp_path / "1"
    parent.mkdir()
    child.mkdir()
    open_checkpoint(parent, "")
    os.mkfifo(checkpoint_dir() / "a")
    with pytest.raises(OSError, match="named pipe"):
        open_checkpoint(child, str(parent))
    assert not (child / "checkpoint").exists()


def test_outside_a_trial_there_is_a_folder_while_the_process_lives() -> None:
    program = """
import hpo_lab
folder = hpo_lab.checkpoint_dir()
assert folder == hpo_lab.checkpoint_dir() and list(folder.iterdir()) == []
(folder / "a").write_text("1")
print(folder)
"""
    environment = {key: value for key, value in os.environ.items() if key != CHECKPOINT_DIR}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() and not Path(done.stdout.strip()).exists()
    assert hpo_lab.checkpoint_dir is checkpoint_dir
