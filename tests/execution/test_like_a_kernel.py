"""Cells run in a fork leave the outputs that a kernel leaves."""

from __future__ import annotations

import contextlib
import copy
import re
import select
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from hpo_lab.execution.client import ForkServer
from hpo_lab.trial.folder import NOTEBOOK, Task

from .cells import CELLS

DIFFERENT = {
    "warning of the compiler": "a kernel compiles a cell three times, and says so",
}
"""What is left, with the reason; docs/trials.md lists the kinds."""


def _notebook() -> Any:
    cells = [
        new_code_cell(source, metadata={"tags": ["raises-exception"]}) for source in CELLS.values()
    ]
    cells.insert(0, new_code_cell("parameter = 0", metadata={"tags": ["parameters"]}))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def _executed(folder: Path, engine: str | None) -> dict[str, Any]:
    path = folder / f"{engine}.ipynb"
    # papermill raises for tagged cells too, after all have run.
    with contextlib.suppress(papermill.PapermillExecutionError):
        papermill.execute_notebook(
            _notebook(),
            str(path),
            {"parameter": 1},
            engine_name=engine,
            progress_bar=False,
            cwd=str(folder),
        )
    return _cells(path)


def _forked(folder: Path) -> dict[str, Any]:
    """The cells as those of a trial, which are compiled before the fork."""
    path = folder / "set-up.ipynb"
    nbformat.write(_notebook(), path)
    config = {
        "notebook": str(path),
        "directory": str(folder),
        "kernel": "python3",
        "isolation": "fork",
        "outputLimit": None,
    }
    trial = folder / "trial"
    trial.mkdir()
    task = Task("cells", 0, {}, {"parameter": 1}, (), "").to_document()
    server = ForkServer()
    try:
        server.set_up(config, folder)
        _wait_for("ready", server)
        server.send({"run": "0", "folder": str(trial), "task": task, "seed": 0})
        _wait_for("ended", server)
    finally:
        server.close()
    return _cells(trial / NOTEBOOK)


def _wait_for(event: str, server: ForkServer) -> None:
    while True:
        assert select.select([server], [], [], 120)[0]
        events = server.receive()
        assert events is not None, "the server ended"
        if event in [one["event"] for one in events]:
            return


def _cells(path: Path) -> dict[str, Any]:
    cells = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    return dict(zip(CELLS, cells[2:], strict=True))


Executed = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Executed:
    folder = tmp_path_factory.mktemp("cells")
    with pytest.MonkeyPatch.context() as patch:
        # ipykernel does not capture the descriptors where it sees this.
        patch.delenv("PYTEST_CURRENT_TEST")
        return {
            "kernel": _executed(folder, None),
            "engine": _executed(folder, "hpo-lab"),
            "trial": _forked(folder),
        }


def comparable(cell: Any) -> Any:
    """The outputs of a cell without what differs between two kernels, streams put together.

    Where both streams are written between two other outputs, a kernel sends them in the
    order in which its timers fire; what is compared is each stream.
    """
    outputs: list[dict[str, Any]] = []
    for output in copy.deepcopy(cell.outputs):
        if output.output_type == "stream":
            output.text = re.sub(r"0x[0-9a-f]{6,}", "0x", output.text)
            output.text = re.sub(r"ipykernel_\d+", "ipykernel", output.text)
            # %time tells of parsing and compiling only where they took long.
            output.text = re.sub(r"^(Parser|Compiler) *:.*\n", "", output.text, flags=re.M)
            output.text = re.sub(r"^(CPU times|Wall time):.*", r"\1", output.text, flags=re.M)
            earlier = _same_stream(outputs, output.name)
            if earlier is not None:
                earlier["text"] += output.text
                continue
        if output.output_type == "error":
            output.traceback = [
                re.sub(r"0x[0-9a-f]{6,}|ipykernel_\d+", "", line) for line in output.traceback
            ]
        outputs.append(dict(output))
    return outputs


def _same_stream(outputs: list[dict[str, Any]], name: str) -> dict[str, Any] | None:
    for output in reversed(outputs):
        if output["output_type"] != "stream":
            return None
        if output["name"] == name:
            return output
    return None


@pytest.mark.parametrize("where", ["engine", "trial"])
@pytest.mark.parametrize("about", [name for name in CELLS if name not in DIFFERENT])
def test_a_cell_gives_the_outputs_of_a_kernel(about: str, where: str, executed: Executed) -> None:
    kernel, fork = executed["kernel"][about], executed[where][about]

    assert comparable(fork) == comparable(kernel)
    assert fork.execution_count == kernel.execution_count


@pytest.mark.parametrize("where", ["engine", "trial"])
def test_what_is_listed_as_different_is_different(where: str, executed: Executed) -> None:
    for about in DIFFERENT:
        assert comparable(executed["kernel"][about]) != comparable(executed[where][about])


@pytest.mark.parametrize("where", ["engine", "trial"])
def test_the_record_of_papermill_is_kept(where: str, executed: Executed) -> None:
    for about, kernel in executed["kernel"].items():
        fork = executed[where][about].metadata.papermill
        assert fork.keys() == kernel.metadata.papermill.keys()
        assert fork.status == kernel.metadata.papermill.status
        assert fork.exception == kernel.metadata.papermill.exception
