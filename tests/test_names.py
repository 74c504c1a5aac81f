"""No two things with the same name in the house."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "hpo_lab"

SAME_RULE = "a search algorithm and the stopping rule of the same paper, told apart by their rooms"
ALLOWED_CLASSES: dict[str, str] = {
    "Asha": SAME_RULE,
    "Hyperband": SAME_RULE,
    # To be renamed:
    "Arguments": "magic_commands.py, options.py",
    "Ask": "engine/instructions.py, search/algorithm.py",
    "Behaviour": "notebook/library.py, testing/simulation.py",
    "Observation": "observation.py, search/history.py",
    "Outcome": "observation.py, search/history.py",
    "Plan": "engine/plan.py, search/cmaes.py",
    "Watch": "cli/foreground.py, store/watch.py",
}
"""Names of several classes, with the reason or with the places where one is to be renamed."""

ALLOWED_MODULES: dict[str, str] = {
    "options.py": "the click options of the command line are built from the table of options",
    # To be renamed:
    "asking.py": "engine, running",
    "document.py": "experiment, notebook",
    "function.py": "prepare, trial",
    "manifest.py": "experiment, prepare",
    "place.py": "local, running",
    "points.py": "experiment, search",
    "records.py": "cli, store",
    "space.py": "experiment, search",
    "tables.py": "dashboard, store",
}
"""File names in several rooms, with the reason or with the rooms where one is to be renamed."""


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
