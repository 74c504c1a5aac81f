"""What a name that nobody chose was made of, and the experiments of a script."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.store import ExperimentRecord, Store
from hpo_lab.trial.function import SOURCES

__all__ = ["Origin", "recorded_of_script"]


@dataclass(frozen=True, slots=True)
class Origin:
    """What a name that nobody chose was made of.

    Attributes:
        family: The name of the first of its revisions.
        file: The notebook or script, empty for none.
        cell: What tells the cell or function from the others in it, if anything.
    """

    family: str
    file: str
    cell: str

    @classmethod
    def of(cls, record: ExperimentRecord) -> Origin:
        """That of *record*; an earlier version does not tell it, a later one may tell more."""
        if not record.origin:
            return cls(record.name, "", "")
        told = json.loads(record.origin)
        return cls(**{field.name: told.get(field.name, "") for field in fields(cls)})

    def __str__(self) -> str:
        return json.dumps(asdict(self))


def recorded_of_script(store: Store, script: Path, namespace: str) -> ExperimentRecord | None:
    """The newest experiment of the function in *script*; None where there is none.

    Raises:
        InvalidInput: Several functions of it, or names, have experiments.
    """
    path = Path(os.path.realpath(script))
    families: dict[str, ExperimentRecord] = {}
    for record in store.related(namespace, project=str(path.parent), names=(), identity=""):
        if record.project == str(path.parent) and _is_of(store, record, path):
            families.setdefault(Origin.of(record).family, record)
    if len(families) > 1:
        titles = ", ".join(record.title for record in families.values())
        message = f"has several experiments; say which: {titles}"
        raise InvalidInput([Problem(str(script), message)])
    return next(iter(families.values()), None)


def _is_of(store: Store, record: ExperimentRecord, script: Path) -> bool:
    """Whether the function of *record* was written in *script*."""
    if record.origin:
        return Origin.of(record).file == script.name
    sources = store.artifact(record.uid, SOURCES)
    return sources is not None and str(script) in map(os.path.realpath, json.loads(sources.read()))
