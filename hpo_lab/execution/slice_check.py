"""Runs a notebook whole and as the slice that trials run, and compares what comes out."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpo_lab.execution.executed import failure_of, name_of
from hpo_lab.observation import observations_of
from hpo_lab.quick_import import import_nbformat
from hpo_lab.trial.fingerprint import FINGERPRINT
from hpo_lab.trial.folder import METRICS, TRIAL_FOLDER

if TYPE_CHECKING:
    from nbclient import NotebookClient
    from nbformat import NotebookNode

__all__ = ["INTERRUPTED_CHECK", "Comparison", "Halves", "compare"]

INTERRUPTED_CHECK = "Stopped before the whole notebook and the slice had run to their end."
"""What is said where a person interrupts `compare`."""


@dataclass(frozen=True, slots=True)
class Halves:
    """The two notebooks to compare, both with the tuned cell and its values as written.

    Before the tuned cell both write down what it reads; see `source_of_fingerprint`.

    Attributes:
        whole: With every earlier cell.
        sliced: With the cells that the trials run.
        working_directory: Where both run.
    """

    whole: NotebookNode
    sliced: NotebookNode
    working_directory: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came out.

    Attributes:
        differing: The names and metrics that differ.
        same: Those that are the same.
        uncompared: The names whose values cannot be compared.
        is_whole: Whether the slice has every cell of the notebook.
        failure: Why one of the two did not come to its end; empty if both did.
        seconds: How long the whole notebook and the slice took.
    """

    differing: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    uncompared: tuple[str, ...] = ()
    failure: str = ""
    is_whole: bool = False
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
        if self.differing and self.is_whole:
            return (
                f"the notebook is not the same twice: {', '.join(self.differing)} "
                f"{'differs' if len(self.differing) == 1 else 'differ'} although no cell is left "
                f"out ({times}){unknown}; seed its random numbers"
            )
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
    """Run both notebooks, one after the other, in kernels of their own.

    An interrupt ends the kernel that runs.
    """
    outcomes: list[Mapping[str, Any]] = []
    seconds: list[float] = []
    for what, notebook in (("whole notebook", halves.whole), ("slice", halves.sliced)):
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="hpo-lab-") as folder:
            failure = _run(notebook, halves.working_directory, folder)
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
        is_whole=_sources(halves.whole) == _sources(halves.sliced),
        seconds=(seconds[0], seconds[1]),
    )


def _sources(notebook: NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def _run(notebook: NotebookNode, directory: str, folder: str) -> str:
    """Execute *notebook*, which writes into *folder*; why it did not come to its end."""
    import_nbformat()
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    from hpo_lab.execution.kernel_engine import kernel_config

    # Sets are in the same order in both.
    environment = {**os.environ, TRIAL_FOLDER: folder, "PYTHONHASHSEED": "0"}
    client = NotebookClient(
        notebook,
        config=kernel_config(Path(folder)),
        timeout=None,
        kernel_name=notebook.metadata.kernelspec.name,
        resources={"metadata": {"path": directory}},
    )
    try:
        _execute(client, environment)
    except CellExecutionError as error:
        numbered = failure_of(notebook.cells)
        if numbered is None:
            return f"{error.ename}: {error.evalue}"
        index, failure = numbered
        name = name_of(notebook.cells[index])
        return f"{name}{': ' if name else ''}{failure['ename']}: {failure['evalue']}"
    except DeadKernelError:
        return "its kernel died"
    return ""


def _execute(client: NotebookClient, environment: Mapping[str, str]) -> None:
    """Execute the notebook of *client* in a thread, for a kernel has a running loop in its own.

    nbclient takes an interrupt of the main thread for the death of the kernel.
    """
    loop = asyncio.new_event_loop()
    with closing(loop), ThreadPoolExecutor(1) as pool:
        execution = pool.submit(loop.run_until_complete, client.async_execute(env=environment))
        try:
            execution.result()
        except KeyboardInterrupt:
            while not execution.done():
                # There may be no kernel yet.
                kernel: Any = client.km
                if kernel is not None and kernel.has_kernel:
                    asyncio.run_coroutine_threadsafe(kernel.shutdown_kernel(now=True), loop)
                wait([execution], timeout=0.2)
            raise


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
