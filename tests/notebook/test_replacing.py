"""What becomes of a file, and of what stands beside it, when its content is replaced."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from hpo_lab.notebook.replacing import replace_file
from hpo_lab.problems import InvalidInput

ALLOWED = "only a file can be written, or a new name in a folder"


def refusal(path: Path) -> str:
    with pytest.raises(InvalidInput) as raised:
        replace_file(path, b"new")
    (problem,) = raised.value.problems
    assert problem.where == str(path)
    return problem.message


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.ipynb"
    path.write_bytes(b"before, and longer")
    return path


def test_a_new_file_has_the_mode_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    replace_file(tmp_path / "a.ipynb", b"new")
    assert (tmp_path / "a.ipynb").read_bytes() == b"new"
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a.ipynb", "other")]
    assert modes[0] == modes[1]
    replace_file(tmp_path / ("n" * 255), b"new")
    assert len(list(tmp_path.iterdir())) == 3


def test_the_mode_stays_and_readers_keep_the_old_content(file: Path) -> None:
    file.chmod(0o640)
    with file.open("rb") as reader:
        replace_file(file, b"new")
        assert reader.read() == b"before, and longer"
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"new", 0o640)
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_stays(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chown(file, 1234, 4321)
    file.chmod(0o600)
    replace_file(file, b"new")
    entry = file.stat()
    assert (file.read_bytes(), entry.st_uid, entry.st_gid) == (b"new", 1234, 4321)
    assert stat.S_IMODE(entry.st_mode) == 0o600

    def refuse(*arguments: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "chown", refuse)
    replace_file(file, b"newer")
    assert (file.read_bytes(), file.stat().st_ino) == (b"newer", entry.st_ino)
    assert file.stat().st_uid == 1234


def test_symbolic_links_stay_and_lead_to_the_new_content(file: Path) -> None:
    folder = file.parent / "elsewhere"
    folder.mkdir()
    (folder / "first").symlink_to("second")
    (folder / "second").symlink_to(file)
    replace_file(folder / "first", b"new")
    assert file.read_bytes() == b"new"
    assert (folder / "first").readlink() == Path("second")
    (folder / "to-be").symlink_to("made")
    replace_file(folder / "to-be", b"new")
    assert (folder / "made").read_bytes() == b"new"
    (folder / "made").unlink()
    (folder / "made").symlink_to("to-be")
    assert "cannot be written" in refusal(folder / "made")


def test_every_name_of_a_file_has_the_new_content(file: Path) -> None:
    other = file.with_name("b.ipynb")
    other.hardlink_to(file)
    replace_file(file, b"new")
    assert other.read_bytes() == b"new" and other.samefile(file)
    assert len(list(file.parent.iterdir())) == 2


def test_a_file_that_is_written_in_place_gets_its_content_back(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.with_name("b.ipynb").hardlink_to(file)
    truncate, failures = os.ftruncate, [OSError(28, "No space left on device")]

    def fail_once(*arguments: int) -> None:
        if failures:
            raise failures.pop()
        truncate(*arguments)

    monkeypatch.setattr(os, "ftruncate", fail_once)
    assert refusal(file) == "cannot be written: No space left on device"
    assert file.read_bytes() == b"before, and longer"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert refusal(Path("/dev/null")) == f"is a device; {ALLOWED}"
    assert refusal(tmp_path) == f"is a folder; {ALLOWED}"
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    assert refusal(tmp_path / "link") == f"is a named pipe; {ALLOWED}"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(tmp_path / "s"))
        assert refusal(tmp_path / "s") == f"is a socket; {ALLOWED}"
    assert refusal(tmp_path / "pipe" / "a") == "cannot be written: Not a directory"
    assert refusal(tmp_path / "none" / "a") == "cannot be written: No such file or directory"
    assert {path.name for path in tmp_path.iterdir()} == {"pipe", "link", "s"}


def test_a_protected_file_is_refused(file: Path) -> None:
    file.chmod(0o444)
    assert refusal(file) == "cannot be written: the file is write-protected"
    assert file.read_bytes() == b"before, and longer"


@pytest.mark.parametrize("raised", [KeyboardInterrupt, MemoryError])
def test_nothing_is_left_beside_it_whatever_happens(
    file: Path, monkeypatch: pytest.MonkeyPatch, raised: type[BaseException]
) -> None:
    def interrupt(*arguments: object) -> None:
        raise raised

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(raised):
        replace_file(file, b"new")
    assert list(file.parent.iterdir()) == [file]
    assert file.read_bytes() == b"before, and longer"
