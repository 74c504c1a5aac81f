"""`keep()`: how a trial keeps a thing, such as a model or a genotype, as an artifact.

A thing lies in a folder of its own below `kept/` in the trial's folder, whose name says the
order and the kind: `kept/2-json/confusion`. It is written beside that and renamed into place,
so that it is there as a whole or not at all whenever the trial is killed.
"""

from __future__ import annotations

import errno
import json
import math
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from hpo_lab.trial.folder import LOG, NOTEBOOK, TRIAL_FOLDER, is_plain

__all__ = ["KeptArtifact", "keep", "kept_artifacts"]

_KEPT = "kept"
_LONGEST = 200
_MEDIA_TYPES = {
    "text": "text/plain",
    "json": "application/json",
    "bytes": "application/octet-stream",
    "file": "application/octet-stream",
}
_ALLOWED = (
    "a path, text, bytes, or what JSON can hold: None, truth values, numbers, texts, lists and "
    "mappings of these, NumPy scalars and arrays"
)

_PLACE = re.compile(rf"[0-9]{{1,9}}-({'|'.join(_MEDIA_TYPES)})")

_Writer = Callable[[BinaryIO], Any]


@dataclass(frozen=True, slots=True)
class KeptArtifact:
    """A thing that a trial has kept.

    Attributes:
        name: The name the trial gave it.
        media_type: Such as `application/json`.
        path: The file that holds it.
    """

    name: str
    media_type: str
    path: str


def keep(name: str, value: Any) -> None:
    """Keep something with this trial, as an artifact that can be looked at afterwards.

    Outside a trial a line is printed and nothing else happens, so that the same code runs in
    a notebook and in a trial. Under a name the latest thing is kept.

    Args:
        name: A plain file name of at most 200 bytes. Its ending says what a file, bytes or a
            text are, such as `.png`.
        value: A path (`pathlib.Path`) keeps a copy of that file; a text and bytes are kept as
            they are. Anything else is kept as JSON; NaN and infinity, which JSON does not
            have, become texts.

    Raises:
        TypeError: The value cannot be kept.
        ValueError: The name is no plain file name.
        OSError: The file cannot be read, or there is no room for a copy.
    """
    _check_name(name)
    kind, write = _writer(name, value)
    folder = os.environ.get(TRIAL_FOLDER)
    if folder is None:
        with tempfile.TemporaryFile() as file:
            write(file)
            print(f"keep {name}: {kind}, {file.tell()} bytes")
        return
    kept = f"{folder}/{_KEPT}"
    os.makedirs(kept, exist_ok=True)
    part = tempfile.mkdtemp(prefix=".", dir=kept)
    try:
        with open(f"{part}/{name}", "xb") as file:
            write(file)
        _put(part, kept, kind)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    *replaced, _ = [place for place in _places(kept) if os.path.exists(f"{place}/{name}")]
    for place in replaced:
        shutil.rmtree(place, ignore_errors=True)


def kept_artifacts(folder: str | os.PathLike[str]) -> list[KeptArtifact]:
    """What the trial in *folder* has kept, under each name the latest, in the order of keeping."""
    from mimetypes import MimeTypes

    # Its own table, so that the types are the same on every machine.
    types = MimeTypes()
    artifacts: dict[str, KeptArtifact] = {}
    for place in _places(f"{os.fspath(folder)}/{_KEPT}"):
        kind = place.rpartition("-")[2]
        for name in _names(place):
            # Anything else was put there by the trial itself.
            if not _is_name(name) or not is_plain(f"{place}/{name}"):
                continue
            guessed, compression = types.guess_type(name)
            if guessed is None or compression or kind == "json":
                guessed = _MEDIA_TYPES[kind]
            artifacts.pop(name, None)
            artifacts[name] = KeptArtifact(name, guessed, f"{place}/{name}")
    return list(artifacts.values())


def _check_name(name: str) -> None:
    if not isinstance(name, str):
        raise TypeError(f"the name of what is kept must be text, not {name!r}")
    if name in (LOG, NOTEBOOK):
        raise ValueError(f"the name of what is kept is {name!r}, which the trial has already")
    if not _is_name(name):
        raise ValueError(
            f"the name of what is kept is {name!r}; must be a plain file name of at most "
            f"{_LONGEST} bytes, without / and \\"
        )


def _is_name(name: str) -> bool:
    # As bytes, since a file system counts these.
    size = len(name.encode(errors="surrogatepass"))
    plain = name.isprintable() and not set(name) & set("/\\")
    return plain and size <= _LONGEST and name not in ("", ".", "..", LOG, NOTEBOOK)


def _writer(name: str, value: Any) -> tuple[str, _Writer]:
    """What kind of thing *value* is, and what writes it.

    Raises:
        TypeError: It cannot be kept.
    """
    if isinstance(value, os.PathLike):
        return "file", lambda file: _copy(os.fspath(value), file)
    if isinstance(value, str):
        # As in the store: what UTF-8 cannot hold becomes a question mark.
        text = value.encode(errors="replace")
        return "text", lambda file: file.write(text)
    if isinstance(value, bytes | bytearray | memoryview):
        content = bytes(value)
        return "bytes", lambda file: file.write(content)
    try:
        document = json.dumps(_plain(value), ensure_ascii=False, allow_nan=False).encode()
    except Exception as error:
        # An object that becomes a list by a method of its own may raise anything.
        raise TypeError(f"{name!r} cannot be kept: {error}; allowed is {_ALLOWED}") from None
    return "json", lambda file: file.write(document)


def _copy(path: str, file: BinaryIO) -> None:
    with open(path, "rb") as source:
        shutil.copyfileobj(source, file)


def _plain(value: Any) -> Any:
    """*value* as `json` knows it."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(float(value))
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str | int | float):
                raise TypeError(f"a key is an object of {type(key).__name__}")
        if len({*map(str, value)}) < len(value):
            raise TypeError("two keys are the same as text")
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    # NumPy and torch know how to become lists and numbers.
    listed = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(listed, list) or (listed is not value and not hasattr(listed, "tolist")):
        return _plain(listed)
    raise TypeError(f"it holds an object of {type(value).__name__}")


def _put(part: str, kept: str, kind: str) -> None:
    """Rename the folder *part* into the place behind the last one."""
    while True:
        places = _places(kept)
        number = 1 + (_number(places[-1]) if places else 0)
        try:
            os.rename(part, f"{kept}/{number}-{kind}")
        except OSError as error:
            # Another process of the trial has taken the place meanwhile.
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
        else:
            return


def _places(kept: str) -> list[str]:
    """The folders of what is kept, in the order of keeping."""
    try:
        names = os.listdir(kept)
    except OSError:
        return []
    # A trial may have put other things there.
    return sorted((f"{kept}/{name}" for name in names if _PLACE.fullmatch(name)), key=_number)


def _names(place: str) -> list[str]:
    """What is in a place, which may have been replaced meanwhile."""
    try:
        return os.listdir(place)
    except OSError:
        return []


def _number(place: str) -> int:
    return int(place.rpartition("/")[2].partition("-")[0])
