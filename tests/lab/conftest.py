"""What the tests of the JupyterLab extension share."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat.v4
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Page

    from tests.conftest import Lab, Require

AXE = Path(__file__).parents[2] / "labextension" / "node_modules" / "axe-core" / "axe.min.js"


def write_cells(path: Path, *cells: str) -> None:
    """Write a notebook of these code cells."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(notebook, path)


def ask(lab: Lab, method: str, path: str) -> Any:
    """What the server of *lab* answers to a request of `hpo-lab/api`."""
    request = urllib.request.Request(
        f"{lab.url}/hpo-lab/api{path}", headers={"Authorization": f"token {lab.token}"}
    )
    request.method = method
    with urllib.request.urlopen(request, timeout=60) as response:
        content = response.read()
    return json.loads(content) if content else None


def execute(page: Page, command: str, **arguments: Any) -> None:
    """Begin a command of JupyterLab; some resolve only when cells are done."""
    script = "([command, args]) => { window.jupyterapp.commands.execute(command, args) }"
    page.evaluate(script, [command, arguments])


@pytest.fixture
def watched() -> Callable[[BrowserContext], list[str]]:
    """`watched(context)`: the errors in the consoles of its pages, as they come."""

    def watch(context: BrowserContext) -> list[str]:
        errors: list[str] = []

        def hear(said: ConsoleMessage) -> None:
            # JupyterLab asks for language servers also where the server has none, and misses
            # what widgets of an earlier page have opened.
            is_own = "/lsp/status" in said.location["url"] or "Comm not found" in said.text
            if said.type == "error" and not is_own:
                errors.append(said.text)

        context.on("console", hear)
        context.on("weberror", lambda error: errors.append(str(error.error)))
        return errors

    return watch


@pytest.fixture
def axe(require: Require) -> Callable[[Page, str], list[str]]:
    """`axe(page, selector)`: what axe finds in that part of the page."""
    require("browser", AXE.is_file(), "make labextension installs axe-core")
    script = AXE.read_text(encoding="utf-8")

    def problems(page: Page, selector: str) -> list[str]:
        page.evaluate(script)
        results: Any = page.evaluate("selector => axe.run(selector)", selector)
        return [
            f"{each['id']}: {node['html']} {node['failureSummary']}"
            for each in results["violations"]
            for node in each["nodes"]
        ]

    return problems
