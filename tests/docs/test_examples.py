"""The examples of the documentation are executed as they stand."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from hpo_lab.options import TuneOptions
from hpo_lab.prepare import prepare_notebook

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
# Their blocks are files of a package; tests/search and tests/local install such packages.
PACKAGES = {"extending.md"}


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def with_blocks(language: str) -> list[Path]:
    return [page for page in PAGES if blocks(page, language) and page.name not in PACKAGES]


@pytest.mark.parametrize("page", with_blocks("python"), ids=lambda page: page.name)
def test_the_python_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    manifest = ROOT / "tests" / "conformance" / "003-mnist-tuning.yaml"
    shutil.copy(manifest, tmp_path / "experiment.yaml")
    script.write_text("\n".join(blocks(page, "python")))
    run = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=240
    )
    assert run.returncode == 0, run.stderr


def test_the_notebook_of_the_readme_runs(tmp_path: Path) -> None:
    path = tmp_path / "notebook.ipynb"
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
    assert "svm" in run.stdout + run.stderr


def test_links_lead_somewhere() -> None:
    lost = []
    for page in [*PAGES, ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text()):
            if not (page.parent / target).exists():
                lost.append(f"{page.name}: {target}")
    assert lost == []


def test_the_options_are_documented() -> None:
    from hpo_lab.options import OPTIONS

    text = (ROOT / "docs" / "notebooks.md").read_text()
    assert [option.flag for option in OPTIONS if option.flag not in text] == []
