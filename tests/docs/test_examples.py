"""The examples of the documentation are executed as they stand."""

from __future__ import annotations

import inspect
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

import hpo_lab
from hpo_lab.options import TuneOptions
from hpo_lab.prepare import prepare_notebook

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
# Their blocks are files of a package; tests/search and tests/local install such packages.
PACKAGES = {"extending.md"}
# Parts of a handle for other ways in than Python.
NO_MEMBERS = {"of", "chosen", "tally", "with_me"}
BY_BLOCK = {"coming-from-optuna.md"}


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def with_blocks(language: str) -> list[Path]:
    without = PACKAGES | BY_BLOCK
    return [page for page in PAGES if blocks(page, language) and page.name not in without]


def single_blocks() -> list[tuple[str, str]]:
    """The blocks of pages whose blocks are programs of their own."""
    pages = [page for page in PAGES if page.name in BY_BLOCK]
    return [
        (f"{page.name}-{number}", block)
        for page in pages
        for number, block in enumerate(blocks(page, "python"))
    ]


@pytest.mark.parametrize(
    ("title", "program"), single_blocks(), ids=[title for title, _ in single_blocks()]
)
def test_a_program_runs_without_a_warning(title: str, program: str, tmp_path: Path) -> None:
    run_script(program, tmp_path)


def run_script(program: str, folder: Path) -> None:
    script = folder / "example.py"
    script.write_text(program)
    command = [sys.executable, "-W", "error", str(script)]
    # The runner and the trials have warnings as errors, too.
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    run = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240
    )
    assert run.returncode == 0, run.stderr
    # What an object that is thrown away complains of ends no program.
    assert "Warning" not in run.stderr


@pytest.mark.parametrize("page", with_blocks("python"), ids=lambda page: page.name)
def test_the_python_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    manifest = ROOT / "tests" / "conformance" / "003-mnist-tuning.yaml"
    shutil.copy(manifest, tmp_path / "experiment.yaml")
    run_script("\n".join(blocks(page, "python")), tmp_path)


def test_the_notebook_of_the_readme_runs(tmp_path: Path) -> None:
    path = tmp_path / "digits.ipynb"
    cells = [new_code_cell(block.rstrip()) for block in blocks(ROOT / "README.md", "ipython")]
    nbformat.write(new_notebook(cells=cells), path)
    prepared = prepare_notebook(path, TuneOptions())
    assert [decision.kept for decision in prepared.decisions] == [True]
    run = subprocess.run(
        [sys.executable, "-m", "hpo_lab", "run", str(path), "--trials", "3"],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert run.returncode == 0, run.stderr + run.stdout
    assert "digits" in run.stdout + run.stderr


def test_links_lead_somewhere() -> None:
    lost = []
    for page in [*PAGES, ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text()):
            if not (page.parent / target).exists():
                lost.append(f"{page.name}: {target}")
    assert lost == []


def test_every_argument_and_member_is_on_the_page_of_python() -> None:
    text = (ROOT / "docs" / "python.md").read_text()
    arguments = inspect.signature(hpo_lab.tune).parameters.keys() - {"unknown"}
    members = [
        name
        for name in dir(hpo_lab.Experiment)
        if not name.startswith("_") and name not in NO_MEMBERS
    ]
    names = [*arguments, *members, *hpo_lab.__all__]
    assert [name for name in names if not re.search(rf"`[^`\n]*\b{name}\b[^`\n]*`", text)] == []
