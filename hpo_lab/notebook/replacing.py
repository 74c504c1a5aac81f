"""Files of which the content is replaced, and nothing else."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from hpo_lab.problems import InvalidInput, Problem

__all__ = ["replace_file", "require_file"]

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def require_file(path: Path) -> None:
    """Refuse *path* where anything but a file stands there; nothing at all is right.

    Raises:
        InvalidInput: It is a folder, a pipe, a socket or a device.
        OSError: It cannot be looked at.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    kind = next((name for is_kind, name in _KINDS if is_kind(mode)), None)
    if kind is not None:
        message = f"is {kind}; only a file can be written, or a new name in a folder"
        raise InvalidInput([Problem(str(path), message)])


def replace_file(path: Path, content: bytes) -> None:
    """Give the file at *path* another content, or make it.

    Its owner, group and mode stay, and it is replaced in one step, so that nobody reads half of
    it. A symbolic link stays, and the file that it leads to is written. A file with further hard
    links stays the file of all its names, and so does a file whose owner or group cannot be given
    to a new one: these are written in place, and get their old content back if that fails.

    Raises:
        InvalidInput: *path* is no file, or it cannot be written; it is as it was.
    """
    try:
        require_file(path)
        _replace(path.resolve(), content)
    except (OSError, RuntimeError) as error:  # before Python 3.13 a loop of links is the latter
        reason = error.strerror if isinstance(error, OSError) else None
        raise InvalidInput([Problem(str(path), f"cannot be written: {reason or error}")]) from None


def _replace(path: Path, content: bytes) -> None:
    status = path.stat() if path.exists() else None
    if status is not None and not (status.st_mode & 0o222 and os.access(path, os.W_OK)):
        raise PermissionError(0, "the file is write-protected")
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".hpo-lab-")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        if status is not None and (status.st_nlink > 1 or not _has_owner(part, status)):
            _overwrite(path, content)
            return
        part.chmod(0o666 & ~_umask() if status is None else stat.S_IMODE(status.st_mode))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _has_owner(part: Path, status: os.stat_result) -> bool:
    """Whether the file *part* has the owner and group of *status*, if need be from now on."""
    own = part.stat()
    if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
        try:
            os.chown(part, status.st_uid, status.st_gid)
        except OSError:
            return False
    return True


def _overwrite(path: Path, content: bytes) -> None:
    with path.open("r+b") as file:
        before = file.read()
        try:
            _write(file.fileno(), content)
        except BaseException:
            _write(file.fileno(), before)
            raise


def _write(handle: int, content: bytes) -> None:
    os.lseek(handle, 0, os.SEEK_SET)
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]
    os.ftruncate(handle, len(content))
