"""Cells run in a fork leave the outputs that a kernel leaves."""

from __future__ import annotations

import contextlib
import copy
import re
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from .cells import CELLS

DIFFERENT = {
    "time magic": "times differ from run to run",
}
"""What is left, with the reason; docs/trials.md lists the kinds."""


def _notebook() -> Any:
    cells = [
        new_code_cell(source, metadata={"tags": ["raises-exception"]}) for source in CELLS.values()
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def _executed(folder: Path, engine: str | None) -> dict[str, Any]:
    path = folder / f"{engine}.ipynb"
    # papermill raises for tagged cells too, after all have run.
    with contextlib.suppress(papermill.PapermillExecutionError):
        papermill.execute_notebook(
            _notebook(), str(path), engine_name=engine, progress_bar=False, cwd=str(folder)
        )
    cells = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    return dict(zip(CELLS, cells, strict=True))


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    folder = tmp_path_factory.mktemp("cells")
    with pytest.MonkeyPatch.context() as patch:
        # ipykernel does not capture the descriptors where it sees this.
        patch.delenv("PYTEST_CURRENT_TEST")
        return _executed(folder, None), _executed(folder, "hpo-lab")


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


@pytest.mark.parametrize("about", [name for name in CELLS if name not in DIFFERENT])
def test_a_cell_gives_the_outputs_of_a_kernel(
    about: str, executed: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    kernel, fork = (side[about] for side in executed)

    assert comparable(fork) == comparable(kernel)
    assert fork.execution_count == kernel.execution_count


def test_what_is_listed_as_different_is_different(
    executed: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    kernel, fork = executed

    for about in DIFFERENT:
        assert comparable(kernel[about]) != comparable(fork[about])


def test_the_record_of_papermill_is_kept(
    executed: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    for kernel, fork in zip(*(side.values() for side in executed), strict=True):
        assert fork.metadata.papermill.keys() == kernel.metadata.papermill.keys()
        assert fork.metadata.papermill.status == kernel.metadata.papermill.status
        assert fork.metadata.papermill.exception == kernel.metadata.papermill.exception
