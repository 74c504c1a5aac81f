"""No two things with the same name in the house."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "hpo_lab"

TO_BE_RENAMED = "to be renamed"
ALLOWED_CLASSES: dict[str, str] = {
    "Ask": TO_BE_RENAMED,  # engine/instructions.py, search/algorithm.py
    "Behaviour": TO_BE_RENAMED,  # notebook/library.py, testing/simulation.py
    "Outcome": TO_BE_RENAMED,  # observation.py, search/samples.py
    "Setting": TO_BE_RENAMED,  # options/kinds.py, search/setting.py
    "Watch": TO_BE_RENAMED,  # cli/foreground.py, store/watch.py
}
"""Names of several classes, each with the reason for it."""

ALLOWED_MODULES: dict[str, str] = {
    "asking.py": TO_BE_RENAMED,  # engine, running
    "document.py": TO_BE_RENAMED,  # experiment, notebook
    "function.py": TO_BE_RENAMED,  # prepare, trial
    "manifest.py": TO_BE_RENAMED,  # experiment, prepare
    "place.py": TO_BE_RENAMED,  # local, running
    "points.py": TO_BE_RENAMED,  # experiment, search
    "records.py": TO_BE_RENAMED,  # cli, store
    "space.py": TO_BE_RENAMED,  # experiment, search
    "tables.py": TO_BE_RENAMED,  # dashboard, store
}
"""File names in several rooms, each with the reason for it."""


def modules() -> Iterator[Path]:
    """The modules of the package, migrations of the database left out."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.name not in ("__init__.py", "__main__.py") and "migrations" not in path.parts:
            yield path


def repeated(places: dict[str, list[str]]) -> dict[str, list[str]]:
    """The names that have more than one place."""
    return {name: paths for name, paths in places.items() if len(paths) > 1}


def test_every_class_has_a_name_of_its_own() -> None:
    places = defaultdict(list)
    for path in modules():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(path.relative_to(PACKAGE)))
    classes = repeated(places)
    assert {name: classes[name] for name in classes if name not in ALLOWED_CLASSES} == {}
    assert sorted(ALLOWED_CLASSES.keys() - classes.keys()) == []


def test_every_module_has_a_name_of_its_own() -> None:
    places = defaultdict(list)
    for path in modules():
        places[path.name].append(str(path.parent.relative_to(PACKAGE)))
    files = repeated(places)
    assert {name: files[name] for name in files if name not in ALLOWED_MODULES} == {}
    assert sorted(ALLOWED_MODULES.keys() - files.keys()) == []
