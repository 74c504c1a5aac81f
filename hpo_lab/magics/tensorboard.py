"""`%hpo tensorboard`: TensorBoard in the output of a cell, with event files kept up to date."""

from __future__ import annotations

import atexit
import os
import signal
import tempfile
import threading
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from hpo_lab.dashboard.event_files import EventFiles
from hpo_lab.facade.handle import Experiment
from hpo_lab.problems import InvalidInput, Problem

__all__ = ["TensorBoards"]

_EVERY = 2.0


class TensorBoards:
    """The folders of event files of one kernel; they and their TensorBoards end with it."""

    def __init__(self) -> None:
        self._folders: dict[str, tempfile.TemporaryDirectory[str]] = {}
        self._ended = threading.Event()

    def show(self, experiment: Experiment) -> None:
        """Show *experiment* in the running cell, as `%tensorboard` does.

        Raises:
            InvalidInput: TensorBoard is not installed.
        """
        if find_spec("tensorboard") is None:
            message = "there is no tensorboard where the kernel is; install hpo_lab[tensorboard]"
            raise InvalidInput([Problem("%hpo tensorboard", message)])
        import tensorboard.notebook

        tensorboard.notebook.start(f"--logdir '{self._folder(experiment)}' --reload_interval 2")

    def _folder(self, experiment: Experiment) -> Path:
        """The folder with the event files of *experiment*, kept up to date from now on."""
        folder = self._folders.get(experiment.uid)
        if folder is None:
            if not self._folders:
                atexit.register(self.close)
            folder = tempfile.TemporaryDirectory(prefix="hpo-lab-tensorboard-")
            self._folders[experiment.uid] = folder
            own = Experiment.of(experiment.store, experiment.record)
            files = EventFiles(own, Path(folder.name))
            files.update()
            thread = threading.Thread(target=self._keep_current, args=[files], daemon=True)
            thread.name = "hpo_lab event files"
            thread.start()
        return Path(folder.name)

    def _keep_current(self, files: EventFiles) -> None:
        # What this thread wrote would turn up in the output of some other cell.
        with suppress(Exception):
            while not self._ended.wait(_EVERY) and files.update():
                pass

    def close(self) -> None:
        """End what shows the folders, and remove them."""
        import tensorboard.manager

        self._ended.set()
        folders = {folder.name for folder in self._folders.values()}
        for running in tensorboard.manager.get_all():
            if running.logdir in folders:
                with suppress(OSError):
                    os.kill(running.pid, signal.SIGTERM)
        for folder in self._folders.values():
            with suppress(OSError):
                folder.cleanup()
        self._folders.clear()
