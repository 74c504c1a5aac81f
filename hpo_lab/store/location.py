"""Where a store is: a path of a SQLite file or the URL of a database."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from hpo_lab.masking import MASK, masked
from hpo_lab.problems import InvalidInput, Problem, nearest

__all__ = ["Location", "make_private", "require_own", "unusable"]

_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def unusable(message: str) -> InvalidInput:
    """The error for a location that cannot be used."""
    return InvalidInput([Problem("store", message)])


def make_private(folder: Path) -> None:
    """Make *folder* for this user alone, unless it is there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if not folder.is_dir():
            raise


def require_own(folder: Path) -> None:
    """Refuse *folder* where another user than that of the place above it has put it there.

    Whoever owns a folder, such as one in the temporary folder, can exchange what trials run.

    Raises:
        InvalidInput: It is such a folder, or a link.
    """
    trusted = {0, folder.parent.stat().st_uid}
    if hasattr(os, "getuid") and folder.lstat().st_uid not in {*trusted, os.getuid()}:
        raise unusable(f"{folder} belongs to another user; remove it, or give another place")


@dataclass(frozen=True, slots=True)
class Location:
    """A checked location.

    Attributes:
        url: What to connect to; the driver is always named for PostgreSQL.
        path: The file, absolute; None for PostgreSQL.
    """

    url: URL
    path: Path | None

    @classmethod
    def parse(cls, location: str | os.PathLike[str] | None) -> Location:
        """Read *location*; None means `$HPO_LAB_STORE`, else a file in the user's data folder.

        Raises:
            InvalidInput: It is neither a path nor a URL that can be used.
        """
        if location is None:
            location = os.environ.get("HPO_LAB_STORE") or user_data_path("hpo_lab") / "hpo_lab.db"
        text = os.fspath(location) if isinstance(location, str | os.PathLike) else None
        if not isinstance(text, str) or "\0" in text:
            raise unusable(f"found {location!r}; a path or a URL is needed")
        if not text:
            raise unusable("the location is empty; give a path or a URL")
        if "://" not in text:
            return cls._of_file(Path(text))
        try:
            url = make_url(text)
        except (ArgumentError, ValueError):
            # The text is not repeated, for it may hold a password.
            raise unusable("the URL cannot be read; write 'postgresql://USER@HOST/NAME'") from None
        if url.drivername not in _DRIVERS:
            raise unusable(
                f"unknown scheme {url.drivername!r}; allowed are a path, 'sqlite:///PATH' and "
                f"'postgresql://USER@HOST/NAME'{nearest(url.drivername, list(_DRIVERS))}"
            )
        if url.password in ("***", MASK):
            raise unusable(
                "the password of the URL is masked; write the true one, or set $HPO_LAB_STORE, "
                "which no other user can read"
            )
        if url.get_backend_name() == "postgresql":
            return cls(url.set(drivername=_DRIVERS[url.drivername]), None)
        if url.database in (None, "", ":memory:") or url.query:
            raise unusable("a SQLite URL needs a path and nothing else: 'sqlite:///PATH'")
        return cls._of_file(Path(str(url.database)))

    @classmethod
    def _of_file(cls, path: Path) -> Location:
        path = path.expanduser().resolve()
        return cls(URL.create("sqlite", database=str(path)), path)

    @property
    def address(self) -> str:
        """A string that opens the same store from anywhere, the password included."""
        return str(self.path) if self.path else self.url.render_as_string(hide_password=False)

    @property
    def files(self) -> Path:
        """The folder for the trials' files."""
        if self.path is None:
            return user_data_path("hpo_lab") / "trials"
        return self.path.with_name(f"{self.path.stem}.trials")

    def __str__(self) -> str:
        """The location without any password."""
        if self.path:
            return str(self.path)
        url = self.url.difference_update_query(["password", "sslpassword"])
        return masked(url.render_as_string(hide_password=True))
