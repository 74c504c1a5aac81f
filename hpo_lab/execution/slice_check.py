"""Runs a notebook whole and as the slice that trials run, and compares what comes out."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpo_lab.notebook.trial_notebook import TUNE_TAG
from hpo_lab.observation import observations_of
from hpo_lab.trial.fingerprint import FINGERPRINT, source_of_fingerprint
from hpo_lab.trial.folder import METRICS, TRIAL_FOLDER

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["Comparison", "Halves", "compare"]


@dataclass(frozen=True, slots=True)
class Halves:
    """The two notebooks to compare, both with the tuned cell and its values as written.

    Attributes:
        whole: With every earlier cell.
        sliced: With the cells that the trials run.
        names: What the tuned cell reads.
        working_directory: Where both run.
    """

    whole: NotebookNode
    sliced: NotebookNode
    names: Sequence[str]
    working_directory: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came out.

    Attributes:
        differing: The names and metrics that differ.
        same: Those that are the same.
        uncompared: The names whose values cannot be compared.
        failure: Why one of the two did not come to its end; empty if both did.
        seconds: How long the whole notebook and the slice took.
    """

    differing: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    uncompared: tuple[str, ...] = ()
    failure: str = ""
    seconds: tuple[float, float] = (0.0, 0.0)

    @property
    def agrees(self) -> bool:
        """Whether both came to their end with nothing that differs."""
        return not self.differing and not self.failure

    def __str__(self) -> str:
        """What a person reads."""
        times = "whole {:.1f} s, slice {:.1f} s".format(*self.seconds)
        if self.failure:
            return self.failure
        unknown = f"; not comparable: {', '.join(self.uncompared)}" if self.uncompared else ""
        if self.differing:
            return (
                f"the slice gives another result: {', '.join(self.differing)} "
                f"{'differs' if len(self.differing) == 1 else 'differ'} from the whole notebook "
                f"({times}){unknown}; tag the cells that matter tune-keep. A notebook that is not "
                "the same twice differs too: seed its random numbers."
            )
        same = f": {', '.join(self.same)}" if self.same else ""
        return f"the slice gives what the whole notebook gives{same} ({times}){unknown}"


def compare(halves: Halves) -> Comparison:
    """Run both notebooks, one after the other, in kernels of their own."""
    outcomes: list[Mapping[str, Any]] = []
    seconds: list[float] = []
    for what, notebook in (("whole notebook", halves.whole), ("slice", halves.sliced)):
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="hpo-lab-compare-") as folder:
            failure = _run(notebook, halves, folder)
            if failure:
                return Comparison(failure=f"the {what} does not run to its end: {failure}")
            outcomes.append(_outcome(Path(folder)))
        seconds.append(time.monotonic() - started)
    whole, sliced = outcomes
    names = list(dict.fromkeys([*whole, *sliced]))
    uncompared = tuple(name for name in names if "" in (whole.get(name), sliced.get(name)))
    compared = [name for name in names if name not in uncompared]
    return Comparison(
        differing=tuple(name for name in compared if whole.get(name) != sliced.get(name)),
        same=tuple(name for name in compared if whole.get(name) == sliced.get(name)),
        uncompared=uncompared,
        seconds=(seconds[0], seconds[1]),
    )


def _run(notebook: NotebookNode, halves: Halves, folder: str) -> str:
    from hpo_lab.quick_import import import_nbformat

    import_nbformat()
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError
    from nbformat.v4 import new_code_cell
    from traitlets.config import Config

    cells = list(notebook.cells)
    at = next(n for n, cell in enumerate(cells) if TUNE_TAG in cell.metadata.get("tags", ()))
    cells.insert(at, new_code_cell(source_of_fingerprint(halves.names)))
    notebook = notebook.copy()
    notebook["cells"] = cells
    # Sets are in the same order in both.
    environment = {**os.environ, TRIAL_FOLDER: folder, "PYTHONHASHSEED": "0"}
    sockets = {"transport": "ipc", "ip": f"{folder}/k", "connection_file": f"{folder}/k.json"}
    client = NotebookClient(
        notebook,
        config=Config({"KernelManager": sockets}),
        timeout=None,
        kernel_name=notebook.metadata.kernelspec.name,
        resources={"metadata": {"path": halves.working_directory}},
    )
    try:
        client.execute(env=environment)
    except CellExecutionError as error:
        return f"{error.ename}: {error.evalue}"
    except DeadKernelError:
        return "its kernel died"
    return ""


def _outcome(folder: Path) -> Mapping[str, Any]:
    """The digests of the names, and every value of each metric."""
    outcome: dict[str, Any] = json.loads((folder / FINGERPRINT).read_text(encoding="utf-8"))
    reports = folder / METRICS
    if reports.exists():
        for line in reports.read_text(encoding="utf-8").splitlines():
            document = json.loads(line)
            for each in observations_of(document) if "metrics" in document else ():
                value = (each.step, each.text or repr(each.value))
                outcome.setdefault(f"the metric {each.metric}", []).append(value)
    return outcome
