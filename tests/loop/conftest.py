"""A folder with a notebook that is edited and run again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat
import pytest

from hpo_lab.facade.enrolling import enrol_prepared, recorded_as
from hpo_lab.options import TuneOptions
from hpo_lab.prepare import prepare_notebook
from hpo_lab.store import Store, open_store

EARLIER = 'def f(x):\n    """Square."""\n    return x * x'
TUNED = "lr = 0.1  # tune: loguniform(1e-4, 1)\nacc = f(lr)"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "store.db")
    yield opened
    opened.close()


@dataclass(frozen=True)
class Ran:
    """What became of a notebook that was run."""

    uid: str
    name: str
    how: str
    said: str
    project: str


Run = Callable[..., Ran]


@pytest.fixture
def run(store: Store, tmp_path: Path) -> Run:
    """`run(EARLIER, TUNED, line="--seed 3", notebook="svm", folder="work")`, nothing executed."""

    def run(
        *cells: str,
        line: str = "",
        notebook: str = "svm",
        folder: str = "work",
        ids: str = "abcdefg",
        fresh: bool = False,
        is_named: bool = True,
        cell: str | None = None,
        **options: object,
    ) -> Ran:
        *earlier, tuned = cells or (EARLIER, TUNED)
        if not tuned.startswith("%%tune"):
            tuned = f"%%tune maximize acc {line}\n{tuned}"
        made = [
            nbformat.v4.new_code_cell(source, id=id)
            for source, id in zip([*earlier, tuned], ids, strict=False)
        ]
        path = tmp_path / folder / f"{notebook}.ipynb"
        path.parent.mkdir(exist_ok=True)
        nbformat.write(nbformat.v4.new_notebook(cells=made), path)
        prepared = prepare_notebook(path, TuneOptions(**options), cell=cell)  # type: ignore[arg-type]
        if not is_named:  # By a front end that tells neither the notebook nor the cell.
            prepared = replace(prepared, file="", cell="")
        known_as = recorded_as(store, prepared)
        enrolled = enrol_prepared(store, prepared, fresh=fresh)
        record = enrolled.record
        if enrolled.how != "created":
            assert known_as is not None and known_as.uid == record.uid
        return Ran(record.uid, record.name, enrolled.how.value, enrolled.said, record.project)

    return run
