"""Which kernel the trials of a notebook use, where this machine has it and where it has not."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import nbformat
import pytest

from hpo_lab.experiment.manifest import dump
from hpo_lab.options import TuneOptions
from hpo_lab.prepare import prepare_file
from hpo_lab.prepare.exchange import manifest_of
from hpo_lab.prepare.prepared import Prepared
from hpo_lab.prepare.wording import Dialect
from hpo_lab.problems import InvalidInput

CELL = "%%tune minimize loss --trials 2\nk = 1.0  # tune: uniform(0, 2)\nloss = k"


@pytest.fixture(autouse=True)
def users_kernels_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A virtual environment with a `python3` of its own does not hide those that are installed."""
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")


def notebook(folder: Path, kernel: str, cell: str = CELL) -> Path:
    spec = {"name": kernel, "display_name": "Python [conda env:ml]", "language": "python"}
    written = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell)], metadata={"kernelspec": spec}
    )
    path = folder / "cells.ipynb"
    nbformat.write(written, path)
    return path


def install(name: str, program: str, language: str = "python") -> None:
    """Have this machine have another kernel."""
    folder = Path(os.environ["JUPYTER_DATA_DIR"]) / "kernels" / name
    folder.mkdir(parents=True)
    argv = [program, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": name, "language": language}
    (folder / "kernel.json").write_text(json.dumps(spec))


def kernel_of(prepared: Prepared) -> str:
    template = prepared.experiment.spec.trial_template
    assert template is not None and template.trial_spec is not None
    return str(template.trial_spec["spec"]["kernelName"])


def test_a_kernel_of_another_machine_is_replaced_by_this_interpreter_with_a_notice(
    tmp_path: Path,
) -> None:
    prepared = prepare_file(notebook(tmp_path, "conda-env-ml-py"), TuneOptions(), None)

    assert kernel_of(prepared) == "python3"
    (notice,) = prepared.warnings
    assert str(notice) == (
        "cells.ipynb: this machine does not have its kernel 'conda-env-ml-py'; the trials run in "
        f"'python3', which is {sys.executable} (--kernel NAME chooses; there are python3)"
    )


def test_the_kernel_of_this_interpreter_is_preferred_whatever_it_is_called(tmp_path: Path) -> None:
    install("python3", "/opt/other/bin/python")
    install("mine", sys.executable)

    prepared = prepare_file(notebook(tmp_path, "conda-env-ml-py"), TuneOptions(), None)

    assert kernel_of(prepared) == "mine"


def test_where_this_interpreter_is_no_kernel_the_notice_says_which_is(tmp_path: Path) -> None:
    install("python3", "/opt/other/bin/python")

    prepared = prepare_file(notebook(tmp_path, "ml"), TuneOptions(), None)

    assert kernel_of(prepared) == "python3"
    assert "'python3', which is /opt/other/bin/python" in prepared.warnings[0].message


def test_a_kernel_that_is_there_is_used_and_nothing_is_said(tmp_path: Path) -> None:
    install("ml", "/opt/ml/bin/python")

    prepared = prepare_file(notebook(tmp_path, "ml"), TuneOptions(), None)

    assert (kernel_of(prepared), prepared.warnings) == ("ml", ())


@pytest.mark.parametrize("written", [False, True])
def test_a_kernel_is_chosen_by_an_option(tmp_path: Path, written: bool) -> None:
    install("ml", "/opt/ml/bin/python")
    cell = CELL.replace("--trials", "--kernel ml --trials") if written else CELL
    options = TuneOptions() if written else TuneOptions(kernel="ml")

    prepared = prepare_file(notebook(tmp_path, "conda-env-ml-py", cell), options, None)

    assert (kernel_of(prepared), prepared.warnings) == ("ml", ())


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        ("ml_env", "this machine has no kernel 'ml_env'", "; did you mean 'ml-env'?"),
        ("ir", "the kernel 'ir' speaks 'r'; only Python can be tuned", ""),
    ],
)
def test_a_chosen_kernel_that_cannot_be_used_is_refused(
    tmp_path: Path, asked: str, message: str, hint: str
) -> None:
    install("ml-env", sys.executable)
    install("ir", "R", "R")

    with pytest.raises(InvalidInput) as error:
        prepare_file(notebook(tmp_path, "python3"), TuneOptions(kernel=asked), None)

    (problem,) = error.value.problems
    assert str(problem) == f"--kernel: {message}; those of Python are ml-env, python3{hint}"


def test_python_is_told_its_own_argument(tmp_path: Path) -> None:
    path = notebook(tmp_path, "conda-env-ml-py")

    prepared = prepare_file(path, TuneOptions(), None, dialect=Dialect.ARGUMENT)

    assert "(kernel=NAME chooses; there are python3)" in prepared.warnings[0].message


def test_the_manifest_of_a_notebook_runs_where_its_kernel_is_not(tmp_path: Path) -> None:
    install("ml", sys.executable)
    manifest = tmp_path / "cells.yaml"
    manifest.write_text(dump(manifest_of(notebook(tmp_path, "ml"))))
    (Path(os.environ["JUPYTER_DATA_DIR"]) / "kernels" / "ml" / "kernel.json").unlink()

    prepared = prepare_file(manifest, TuneOptions(), None)

    assert kernel_of(prepared) == "python3"
    assert prepared.warnings[-1].where == "cells.yaml"
