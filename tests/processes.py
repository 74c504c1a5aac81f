"""What runs of the trials of an experiment."""

from __future__ import annotations

from pathlib import Path

import psutil

from hpo_lab.trial.folder import TRIAL_FOLDER


def processes_below(folder: Path) -> list[psutil.Process]:
    """Every process of a trial whose folder is at or below *folder*, and of their servers."""
    marks = [str(folder), *(path.read_text() for path in folder.rglob("server"))]
    found = []
    for process in psutil.process_iter():
        try:
            marker = process.environ().get(TRIAL_FOLDER, "")
        except psutil.Error:
            continue
        if marker.startswith(tuple(marks)):
            found.append(process)
    return found
