"""Which room imports what, and what `import hpo_lab` costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "hpo_lab"
ANYTHING = "*"
EVERYWHERE = {"problems", "observation", "counting", "masking", "printable", "source_edits"}


@dataclass(frozen=True)
class Room:
    """What a folder or module of `hpo_lab` may import beside itself and the standard library."""

    rooms: str = ""
    """Other rooms; those of `EVERYWHERE` belong to all."""
    packages: str = ""
    """Third-party packages."""
    lazily: str = ""
    """Rooms and packages for use inside a function only, or for types."""


HOUSE = {
    "source_edits": Room(),
    "masking": Room(),
    "printable": Room(),
    "problems": Room(),
    "observation": Room(),
    "counting": Room(),
    "experiment": Room(packages="pydantic yaml", lazily="kube_models"),
    "search": Room("experiment", "numpy optuna scipy threadpoolctl"),
    "engine": Room("experiment search stopping"),
    "store": Room("experiment", "alembic platformdirs psutil sqlalchemy"),
    "trial": Room(lazily=ANYTHING),
    "collectors": Room(lazily="re2 tensorboard"),
    "workload": Room("collectors experiment trial", lazily="katib_api"),
    "katib_api": Room("collectors experiment search stopping trial", "google grpc pydantic"),
    "quick_import": Room(lazily="nbformat"),
    "notebook": Room("experiment quick_import trial", lazily="IPython nbformat"),
    "execution": Room(
        "quick_import trial",
        "IPython ipykernel jupyter_client nbclient nbformat papermill traitlets",
        "cloudpickle experiment numpy workload",
    ),
    "stopping": Room("experiment search", lazily="scipy"),
    "running": Room("engine experiment search store trial"),
    "local": Room("engine execution experiment running store trial workload", "psutil"),
    "cluster": Room(
        "engine experiment running search stopping store trial", lazily="aiohttp kubernetes"
    ),
    "testing": Room("collectors dashboard engine experiment running search stopping store"),
    "options": Room("experiment"),
    "facade": Room(
        "experiment local notebook options prepare running store trial",
        lazily="optuna pandas search",
    ),
    "dashboard": Room(
        "experiment facade notebook store trial",
        "rich",
        "anywidget ipykernel ipywidgets numpy optuna plotly psutil resvg_py search stopping"
        " tensorboard traitlets",
    ),
    "prepare": Room("experiment notebook options search stopping trial workload", lazily=ANYTHING),
    "server": Room(
        "dashboard experiment facade notebook options prepare search stopping store",
        "jupyter_events jupyter_server pydantic tornado traitlets",
    ),
    "api": Room("experiment facade options prepare running store", lazily=ANYTHING),
    "magics": Room(ANYTHING, "IPython", ANYTHING),
    "cli": Room(ANYTHING, "click rich", ANYTHING),
    "__main__": Room("cli"),
    "__init__": Room(lazily=ANYTHING),
}


@dataclass(frozen=True)
class Import:
    """One imported module; `lazy` when importing its importer does not import it."""

    module: str
    line: int
    lazy: bool


def imports(source: str, package: str) -> Iterator[Import]:
    """Every import in the *source* of a module of *package*, in no particular order."""
    pending: list[tuple[ast.AST, bool]] = [(ast.parse(source), False)]
    while pending:
        node, lazy = pending.pop()
        match node:
            case ast.Import():
                yield from (Import(alias.name, node.lineno, lazy) for alias in node.names)
            case ast.ImportFrom():
                base = resolve_name("." * node.level + (node.module or ""), package)
                if base == package.partition(".")[0]:
                    names = [f"{base}.{alias.name}" for alias in node.names]
                else:
                    names = [base]
                yield from (Import(name, node.lineno, lazy) for name in names)
            case ast.If(test=ast.Name("TYPE_CHECKING")):
                pending += [(child, True) for child in node.body]
                pending += [(child, lazy) for child in node.orelse]
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                pending += [(child, True) for child in ast.iter_child_nodes(node)]
            case _:
                pending += [(child, lazy) for child in ast.iter_child_nodes(node)]


def violations(source: str, path: str, house: Mapping[str, Room]) -> list[str]:
    """The imports that the module at *path* below `hpo_lab/` must not have."""
    parts = Path(path).with_suffix("").parts
    room = house.get(parts[0])
    if room is None:
        return [f"hpo_lab/{path}:1 is in no known room"]
    package = ".".join(["hpo_lab", *parts[:-1]])
    found = []
    for one in sorted(imports(source, package), key=lambda one: one.line):
        top, _, rest = one.module.partition(".")
        if top == "hpo_lab":
            top = rest.partition(".")[0] or "__init__"
            allowed = {*EVERYWHERE, "__version__", parts[0], *room.rooms.split()}
        else:
            allowed = {*sys.stdlib_module_names, *room.packages.split()}
        if one.lazy:
            allowed |= {*room.lazily.split()}
        if top not in allowed and ANYTHING not in allowed:
            found.append(f"hpo_lab/{path}:{one.line} imports {one.module}")
    return found


def _loaded_by(module: str) -> set[str]:
    """The modules that importing *module* loads in a new interpreter."""
    statement = f"import sys; before = {{*sys.modules}}; import {module}; "
    run = subprocess.run(
        [sys.executable, "-c", statement + "print(*{*sys.modules} - before)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(run.stdout.split())


OUTSIDE = {"multiprocessing", "pathlib", "shutil", "signal", "socket", "subprocess", "tempfile"}
"""Processes, files and connections; the running core has the store instead."""


def test_decisions_and_the_running_core_touch_no_process_and_no_file() -> None:
    violations = [
        f"{module.relative_to(PACKAGE)}:{imported.line} imports {imported.module}"
        for room in ("engine", "running")
        for module in sorted((PACKAGE / room).rglob("*.py"))
        for imported in imports(module.read_text(encoding="utf-8"), f"hpo_lab.{room}")
        if imported.module.partition(".")[0] in OUTSIDE
        or (room == "engine" and imported.module in ("os", "threading", "time"))
    ]

    assert not violations, "\n".join(violations)


def test_the_rooms_stand_one_above_the_other() -> None:
    allowed = {
        name: {*room.rooms.split(), *room.lazily.split()} & HOUSE.keys()
        for name, room in HOUSE.items()
    }

    assert [*TopologicalSorter(allowed).static_order()]


def test_every_module_keeps_to_its_room() -> None:
    found = [
        violation
        for module in sorted(PACKAGE.rglob("*.py"))
        for violation in violations(
            module.read_text(encoding="utf-8"), module.relative_to(PACKAGE).as_posix(), HOUSE
        )
    ]

    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("path", "source", "line"),
    [
        ("experiment/model.py", "import hpo_lab.store", 1),
        ("experiment/model.py", "from hpo_lab import store", 1),
        ("experiment/model.py", "from hpo_lab import tune", 1),
        ("experiment/model.py", "import hpo_lab", 1),
        ("experiment/model.py", "from ..search import ask", 1),
        ("experiment/model.py", "from .. import engine", 1),
        ("experiment/model.py", "import yaml, optuna", 1),
        ("experiment/model.py", "def f():\n    from hpo_lab.engine import plan", 2),
        ("experiment/__init__.py", "class A:\n    import numpy.linalg", 2),
        ("engine/plan.py", "from hpo_lab.store import open_store", 1),
        ("engine/plan.py", "if TYPE_CHECKING:\n    from hpo_lab.store import Store", 2),
        ("trial/report.py", "try:\n    import numpy\nexcept ImportError:\n    pass", 2),
        ("trial/report.py", "from hpo_lab.experiment import model", 1),
        ("dashboard/figures.py", "import plotly.graph_objects as go", 1),
        ("cli/running.py", "import hpo_lab.api, pandas", 1),
        ("problems.py", "async def f():\n    import rich", 2),
    ],
)
def test_a_forbidden_import_is_found(path: str, source: str, line: int) -> None:
    (violation,) = violations(source, path, HOUSE)

    assert violation.startswith(f"hpo_lab/{path}:{line} imports ")


def test_a_module_outside_every_room_is_found() -> None:
    assert violations("", "attic/old.py", HOUSE) == ["hpo_lab/attic/old.py:1 is in no known room"]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        (
            "experiment/model.py",
            "import os.path, yaml\nfrom pydantic.alias_generators import to_camel",
        ),
        ("experiment/model.py", "from . import rules\nfrom hpo_lab.experiment import rules"),
        ("experiment/__init__.py", "from .model import Experiment\nfrom ..problems import Problem"),
        ("engine/plan.py", "from hpo_lab import problems, search\nfrom hpo_lab import __version__"),
        ("trial/report.py", "def f():\n    import papermill\n    from hpo_lab.store import Store"),
        ("trial/report.py", "if TYPE_CHECKING:\n    import numpy\nelse:\n    import json"),
        ("cli/running.py", "import click, hpo_lab.api\ndef f():\n    import pandas"),
        ("dashboard/figures.py", "def f():\n    import plotly.graph_objects as go"),
    ],
)
def test_an_allowed_import_is_passed(path: str, source: str) -> None:
    assert violations(source, path, HOUSE) == []


def test_importing_hpo_lab_loads_nothing_but_the_standard_library() -> None:
    loaded = {name.partition(".")[0] for name in _loaded_by("hpo_lab")}

    assert "hpo_lab" in loaded
    assert loaded <= {"hpo_lab", *sys.stdlib_module_names}


def test_importing_what_a_trial_reports_with_loads_no_other_room() -> None:
    loaded = _loaded_by("hpo_lab.trial")

    assert "hpo_lab.trial" in loaded
    assert {name.partition(".")[0] for name in loaded} <= {"hpo_lab", *sys.stdlib_module_names}
    rooms = {name.split(".")[1] for name in loaded if name.startswith("hpo_lab.")}
    assert rooms <= {"trial", *EVERYWHERE}


def test_the_command_line_loads_a_command_when_it_is_used() -> None:
    loaded = {name.partition(".")[0] for name in _loaded_by("hpo_lab.cli")}

    assert not loaded & {"IPython", "nbformat", "optuna", "pandas", "papermill", "sqlalchemy"}
