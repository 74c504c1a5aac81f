"""`%hpo tensorboard`: TensorBoard in the output of a cell, with event files kept up to date."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from shlex import quote

from hpo_lab.dashboard.event_files import EventFiles
from hpo_lab.facade.handle import Experiment
from hpo_lab.problems import InvalidInput, Problem

__all__ = ["TensorBoards"]

_EVERY = 2.0
_COMMAND = "TENSORBOARD_BINARY"
"""The variable in which TensorBoard looks for its own command."""


class TensorBoards:
    """The folders of event files of one kernel; they and their TensorBoards end with it."""

    def __init__(self) -> None:
        self._folders: dict[str, tempfile.TemporaryDirectory[str]] = {}

    def show(self, experiment: Experiment) -> None:
        """Show *experiment* in the running cell, as `%tensorboard` does.

        Raises:
            InvalidInput: TensorBoard is not installed.
        """
        if find_spec("tensorboard") is None:
            message = "there is no tensorboard where the kernel is; install hpo_lab[tensorboard]"
            raise InvalidInput([Problem("%hpo tensorboard", message)])
        import tensorboard.notebook

        folder = self._folder(experiment)
        with _ends_with_this_process(folder):
            tensorboard.notebook.start(f"--logdir '{folder}' --reload_interval 2")

    def _folder(self, experiment: Experiment) -> Path:
        """The folder with the event files of *experiment*, kept up to date from now on."""
        folder = self._folders.get(experiment.uid)
        if folder is None:
            folder = tempfile.TemporaryDirectory(
                prefix="hpo-lab-tensorboard-", ignore_cleanup_errors=True
            )
            self._folders[experiment.uid] = folder
            own = Experiment.of(experiment.store, experiment.record)
            files = EventFiles(own, Path(folder.name))
            files.update()
            name = "hpo_lab event files"
            threading.Thread(target=_keep_current, args=[files], name=name, daemon=True).start()
        return Path(folder.name)


def _keep_current(files: EventFiles) -> None:
    pause = threading.Event()
    # What this thread wrote would turn up in the output of some other cell.
    with suppress(Exception):
        while not pause.wait(_EVERY) and files.update():
            pass


@contextmanager
def _ends_with_this_process(folder: Path) -> Iterator[None]:
    """Have TensorBoard started by `tensorboard_server`, which ends with this process."""
    server = [sys.executable, "-P", "-m", "hpo_lab.magics.tensorboard_server"]
    words = " ".join(map(quote, [*server, str(os.getpid()), str(folder)]))
    command = folder / "tensorboard.sh"
    command.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    command.chmod(0o700)
    before = os.environ.get(_COMMAND)
    os.environ[_COMMAND] = str(command)
    try:
        yield
    finally:
        del os.environ[_COMMAND]
        if before is not None:
            os.environ[_COMMAND] = before
