"""No two things with the same name in the house."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "hpo_lab"


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
    assert repeated(places) == {}
