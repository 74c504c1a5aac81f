"""What is said of a change, in the dialect of each place in which an experiment is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml

from hpo_lab.experiment.model import ObjectiveType
from hpo_lab.facade.enrolling import enrol_prepared
from hpo_lab.options import TuneOptions, parse_line
from hpo_lab.prepare import (
    Prepared,
    prepare_cell,
    prepare_file,
    prepare_function,
    runs_here,
)
from hpo_lab.prepare.wording import Dialect
from hpo_lab.problems import InvalidInput
from hpo_lab.running.enrol import made_of
from hpo_lab.store import Store

from .manifests import MANIFEST

_CELL = "x = 0.5  # tune: uniform(0, {high})\nscore = x"
Write = Callable[[Path, str, "int | None", "str | None"], Prepared]
"""Writes an experiment with an upper bound, a seed and a name, in a folder."""


def _magic(folder: Path, high: str, seed: int | None, name: str | None) -> Prepared:
    line = "maximize score" + (f" --seed {seed}" if seed else "") + (f" --name {name}" * bool(name))
    options, _, problems = parse_line(line, where="In [2], line 1")
    cell = _CELL.format(high=high)
    place = {"name": "svm", "file": "svm.ipynb", "cell": "b", "working_directory": folder}
    return prepare_cell(cell, [], options, where="In [2]", problems=problems, **place)  # type: ignore[arg-type]


def _notebook(folder: Path, high: str, dialect: Dialect, **options: Any) -> Prepared:
    path = folder / "svm.ipynb"
    source = "%%tune maximize score\n" + _CELL.format(high=high)
    cell = nbformat.v4.new_code_cell(source, id="b")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    return prepare_file(path, TuneOptions(**options), None, dialect=dialect)


def _command(folder: Path, high: str, seed: int | None, name: str | None) -> Prepared:
    return _notebook(folder, high, Dialect.LINE, seed=seed, name=name)


def _notebook_in_python(folder: Path, high: str, seed: int | None, name: str | None) -> Prepared:
    return _notebook(folder, high, Dialect.ARGUMENT, seed=seed, name=name)


def svm(x: float) -> float:
    return x


def _function(folder: Path, high: str, seed: int | None, name: str | None) -> Prepared:
    goal: dict[str, Any] = {"metric": "score", "direction": ObjectiveType.MAXIMIZE}
    options = TuneOptions(seed=seed, name=name, **goal)
    return prepare_function(svm, {"x": f"uniform(0, {high})"}, options)


def _manifest(folder: Path, high: str, seed: int | None, dialect: Dialect) -> Prepared:
    document = yaml.safe_load(MANIFEST)
    document["spec"]["parameters"][0]["feasibleSpace"] = {"min": "0", "max": high}
    document["spec"] |= {} if seed is None else {"seed": seed}
    document["metadata"]["name"] = "mine"
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(document))
    return runs_here(prepare_file(path, TuneOptions(), None, dialect=dialect))


def _manifest_by_command(folder: Path, high: str, seed: int | None, name: str | None) -> Prepared:
    return _manifest(folder, high, seed, Dialect.LINE)


def _manifest_in_python(folder: Path, high: str, seed: int | None, name: str | None) -> Prepared:
    return _manifest(folder, high, seed, Dialect.ARGUMENT)


@pytest.mark.parametrize(
    ("write", "said"),
    [
        pytest.param(
            _magic,
            "svm-2 is new: In [2], line 2: x is uniform(0, 2) now, uniform(0, 1) before; "
            "--seed: 3 now, not set before. The trials of svm are taken along by --warm-start svm",
            id="magic",
        ),
        pytest.param(
            _command,
            "svm-2 is new: cell 1, line 2: x is uniform(0, 2) now, uniform(0, 1) before; "
            "--seed: 3 now, not set before. The trials of svm are taken along by --warm-start svm",
            id="command",
        ),
        pytest.param(
            _notebook_in_python,
            "svm-2 is new: cell 1, line 2: x is uniform(0, 2) now, uniform(0, 1) before; "
            'seed: 3 now, not set before. The trials of svm are taken along by warm_start="svm"',
            id="notebook in Python",
        ),
        pytest.param(
            _function,
            "test-dialects-svm-2 is new: space['x']: is uniform(0, 2) now, uniform(0, 1) before; "
            "seed: 3 now, not set before. The trials of test-dialects-svm are taken along by "
            'warm_start="test-dialects-svm"',
            id="function",
        ),
    ],
)
def test_a_revision_is_announced(store: Store, tmp_path: Path, write: Write, said: str) -> None:
    enrol_prepared(store, write(tmp_path, "1", None, None))
    record = enrol_prepared(store, write(tmp_path, "2", 3, None)).record
    assert made_of(store, record.uid) == said


@pytest.mark.parametrize(
    ("write", "changes", "ways"),
    [
        pytest.param(
            _magic,
            ["In [2], line 2: x is", "--seed:"],
            ["--fresh", "another --name", "another --name and --warm-start mine"],
            id="magic",
        ),
        pytest.param(
            _command,
            ["cell 1, line 2: x is", "--seed:"],
            ["--fresh", "another --name", "another --name and --warm-start mine"],
            id="command",
        ),
        pytest.param(
            _notebook_in_python,
            ["cell 1, line 2: x is", "seed:"],
            ["fresh=True", "another name", 'another name and warm_start="mine"'],
            id="notebook in Python",
        ),
        pytest.param(
            _function,
            ["space['x']: is", "seed:"],
            ["fresh=True", "another name", 'another name and warm_start="mine"'],
            id="function",
        ),
        pytest.param(
            _manifest_by_command,
            ["spec.parameters: x is", "spec.seed:"],
            [
                "--fresh",
                "another metadata.name",
                "another metadata.name and spec.warmStart: [mine]",
            ],
            id="manifest",
        ),
        pytest.param(
            _manifest_in_python,
            ["spec.parameters: x is", "spec.seed:"],
            [
                "fresh=True",
                "another metadata.name",
                "another metadata.name and spec.warmStart: [mine]",
            ],
            id="manifest in Python",
        ),
    ],
)
def test_a_chosen_name_is_refused(
    store: Store, tmp_path: Path, write: Write, changes: list[str], ways: list[str]
) -> None:
    enrol_prepared(store, write(tmp_path, "1", None, "mine"))
    with pytest.raises(InvalidInput) as caught:
        enrol_prepared(store, write(tmp_path, "2", 3, "mine"))
    effects = ["deletes it and starts anew", "leaves it as it is"]
    effects.append("leaves it, and learns from its trials")
    width = max(map(len, ways))
    assert str(caught.value).splitlines() == [
        "'mine' is another experiment, recorded with 0 trials:",
        f"  {changes[0]} uniform(0, 2) now, uniform(0, 1) before",
        f"  {changes[1]} 3 now, not set before",
        "Three ways on:",
        *(f"  {way:{width}}  {effect}" for way, effect in zip(ways, effects, strict=True)),
    ]
