"""Artifacts in SQL; a path inside the store's own folder is kept relative to it.

So a store can be moved together with its folder.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Integer, Row, bindparam, delete, insert, select

from hpo_lab.store import tables
from hpo_lab.store.records import Artifact, ArtifactRecord

_artifacts = tables.artifacts
_THIS = (
    (_artifacts.c.uid == bindparam("of_uid"))
    & (_artifacts.c.number.is_not_distinct_from(bindparam("of_number", type_=Integer)))
    & (_artifacts.c.name == bindparam("of_name"))
)
_WHOLE = select(_artifacts).where(_THIS)
_REMOVE = delete(_artifacts).where(_THIS)
_PUT = insert(_artifacts).inline().prefix_with("OR REPLACE", dialect="sqlite")


def describe(artifact: Artifact, files: Path) -> dict[str, Any]:
    """The row of a measured artifact, without its owner."""
    return {
        "number": artifact.number,
        "name": artifact.name,
        "media_type": artifact.media_type,
        "size": artifact.size,
        "sha256": artifact.sha256,
        "content": artifact.content,
        "path": None if artifact.path is None else _stored(artifact.path, files),
    }


def _stored(path: Path, files: Path) -> str:
    """*path* as it is kept."""
    # As text: for every trial, paths as objects would cost as much as writing the rows.
    inside, below = str(path), f"{files}{os.sep}"
    if ".." in inside or not inside.startswith(below):
        inside = str(path.resolve())
    return inside.removeprefix(below)


def put(connection: Connection, uid: str, rows: Sequence[dict[str, Any]]) -> None:
    """Add artifacts, at least one, in place of those of the same names."""
    if connection.dialect.name != "sqlite":
        connection.execute(_REMOVE, [_this(uid, row["number"], row["name"]) for row in rows])
    connection.execute(_PUT, [{"uid": uid, **row} for row in rows])


def one(
    connection: Connection, uid: str, name: str, number: int | None, files: Path
) -> ArtifactRecord | None:
    """An artifact with its content."""
    row = connection.execute(_WHOLE, _this(uid, number, name)).one_or_none()
    return _record(row, row.content, files) if row else None


def sources(connection: Connection, uid: str, files: Path) -> list[ArtifactRecord]:
    """The artifacts of the experiment itself, with their content."""
    query = select(_artifacts).where(_artifacts.c.uid == uid, _artifacts.c.number.is_(None))
    rows = connection.execute(query.order_by(_artifacts.c.id))
    return [_record(row, row.content, files) for row in rows]


def remove(connection: Connection, uid: str, number: int, names: Sequence[str]) -> bool:
    """Remove the artifacts of a trial that are called *names*; whether there were any."""
    query = delete(_artifacts).where(
        _artifacts.c.uid == uid, _artifacts.c.number == number, _artifacts.c.name.in_(names)
    )
    return connection.execute(query).rowcount > 0


def listed(
    connection: Connection, uid: str, number: int | None, files: Path
) -> list[ArtifactRecord]:
    """The artifacts of a trial, or of the experiment and all its trials, without content."""
    columns = [column for column in _artifacts.c if column is not _artifacts.c.content]
    query = select(*columns).where(_artifacts.c.uid == uid).order_by(_artifacts.c.id)
    if number is not None:
        query = query.where(_artifacts.c.number == number)
    return [_record(row, None, files) for row in connection.execute(query)]


def _this(uid: str, number: int | None, name: str) -> dict[str, Any]:
    return {"of_uid": uid, "of_number": number, "of_name": name}


def _record(row: Row[*tuple[Any, ...]], content: bytes | None, files: Path) -> ArtifactRecord:
    return ArtifactRecord(
        name=row.name,
        media_type=row.media_type,
        number=row.number,
        size=row.size,
        sha256=row.sha256,
        content=content,
        path=files / row.path if row.path is not None else None,
    )
