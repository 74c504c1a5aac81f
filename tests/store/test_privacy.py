"""What belongs to a store is for its user alone, and no password is shown."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest

from hpo_lab.problems import InvalidInput
from hpo_lab.store import open_store
from hpo_lab.store.location import Location
from hpo_lab.workload import devices

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_store_and_its_files_are_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = open_store(tmp_path / "new" / "lab.db")
        folder = store.make_folder("0" * 32)
    finally:
        os.umask(before)
    with store._engine.connect():
        files = [*(tmp_path / "new").iterdir()]
    assert {mode(path) for path in files if path.is_file()} == {0o600}
    assert [mode(path) for path in (tmp_path / "new", store.files, folder)] == [0o700] * 3


def test_the_mode_of_what_is_there_is_the_users_own(tmp_path: Path) -> None:
    path = tmp_path / "lab.db"
    path.touch()
    path.chmod(0o640)
    open_store(path).close()
    assert mode(path) == 0o640


@pytest.mark.skipif(
    os.name == "posix" and os.getuid() != 0, reason="only root makes files of others"
)
@pytest.mark.parametrize("how", ["folder", "link"])
def test_a_folder_that_another_user_has_put_there_is_refused(tmp_path: Path, how: str) -> None:
    store, mine = open_store(tmp_path / "lab.db"), tmp_path / "mine"
    mine.mkdir()
    if how == "link":
        store.files.symlink_to(mine)
    else:
        store.files.mkdir()
    os.lchown(store.files, 12345, 12345)
    with pytest.raises(InvalidInput, match=r"lab\.trials belongs to another user; remove it"):
        store.make_folder("0" * 32)
    assert not [*mine.iterdir()]


def test_folders_of_whoever_the_whole_place_belongs_to_are_used(tmp_path: Path) -> None:
    if os.getuid() == 0:
        os.chown(tmp_path, 12345, 12345)
    store = open_store(tmp_path / "lab.db")
    store.files.mkdir()
    if os.getuid() == 0:
        os.chown(store.files, 12345, 12345)
    assert store.make_folder("0" * 32).is_dir()


@pytest.mark.parametrize("how", ["link", "open to others", "file"])
def test_locks_are_kept_in_no_folder_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(devices, "_RUNTIME", str(tmp_path / "none"))
    folder = tmp_path / f"hpo-lab-{os.getuid()}"
    if how == "link":
        (tmp_path / "mine").mkdir(mode=0o700)
        folder.symlink_to(tmp_path / "mine")
    elif how == "file":
        folder.touch(mode=0o600)
    else:
        folder.mkdir()
        folder.chmod(0o777)

    with pytest.raises(RuntimeError, match="is no folder of this user alone"):
        devices._folder()


def test_a_lock_empties_no_file_behind_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(devices, "_RUNTIME", str(tmp_path / "none"))
    thesis = tmp_path / "thesis.txt"
    thesis.write_text("years of work")
    (devices._folder() / "gpus.lock").symlink_to(thesis)

    with pytest.raises(OSError), devices.hold_gpus(1, ["0"], lambda: None):
        pass

    assert thesis.read_text() == "years of work"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:s3cr3t@host/lab",
        "postgresql://me:p@s3cr3t@host/lab",
        "postgresql://me@host/lab?password=s3cr3t",
        "postgresql://me@host/lab?sslpassword=s3cr3t",
        "postgresql+psycopg://me:s3cr3t@host/lab?application_name=a",
    ],
)
def test_no_password_of_a_store_is_shown(url: str) -> None:
    location = Location.parse(url)
    assert "s3cr3t" not in str(location)
    assert "s3cr3t" in location.address
