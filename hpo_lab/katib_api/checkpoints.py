"""The folders of checkpoints on the volume that suggestions and trials share.

An experiment with the setting `suggestion_trial_dir` has a volume, of which Katib mounts the
folder `<experiment>/<trial>` into each trial. A trial that continues from a parent begins
with a copy of the parent's folder.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import grpc

from hpo_lab.katib_api import katib_pb
from hpo_lab.katib_api.reading import NUMBER, PARENT
from hpo_lab.katib_api.rpc import RpcRefused
from hpo_lab.problems import InvalidInput, Problem

__all__ = ["DATA", "carry_checkpoints", "shares_checkpoints"]

DATA: Final = Path("/opt/katib/data")
"""The path of the volume in the container of the service."""

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_SETTING = "suggestion_trial_dir"


def shares_checkpoints(experiment: katib_pb.Experiment) -> bool:
    """Whether the trials of *experiment* have folders on the volume."""
    settings = experiment.spec.algorithm.algorithm_settings
    return any(setting.name == _SETTING and setting.value for setting in settings)


def carry_checkpoints(
    experiment: str,
    trials: Iterable[katib_pb.Trial],
    answers: Iterable[katib_pb.GetSuggestionsReply.ParameterAssignments],
    data: Path,
) -> None:
    """Make the folders of suggested trials, with copies of their parents' folders.

    Several processes may do so at once.

    Args:
        experiment: The name of the experiment.
        trials: The earlier trials.
        answers: The suggestions, each with the name of its trial.
        data: The path of the volume.

    Raises:
        InvalidInput: A name is no name of Kubernetes, and may lead out of the volume.
        RpcRefused: The volume is missing.
    """
    names = {trial.spec.labels.get(NUMBER, ""): trial.name for trial in trials}
    problems = [
        Problem("name", f"{name[:100]!r} is no name of Kubernetes")
        for name in [experiment, *names.values()]
        if not _NAME.fullmatch(name)
    ]
    if problems:
        raise InvalidInput(problems)
    if not data.is_dir():
        reason = f"there is no volume at {data}; the experiment needs resumePolicy FromVolume"
        raise RpcRefused(grpc.StatusCode.FAILED_PRECONDITION, reason)
    folders = data / experiment
    folders.mkdir(exist_ok=True)
    with _alone(folders):
        for answer in answers:
            folder = folders / answer.trial_name
            # The folder exists when Katib repeats a request, since it did not get the answer.
            shutil.rmtree(folder, ignore_errors=True)
            parent = folders / names.get(answer.labels.get(PARENT, "none"), "none")
            if parent.is_dir():
                # Links stay links: a trial must not get files that only this service can read.
                shutil.copytree(parent, folder, symlinks=True)
            else:
                folder.mkdir()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No other process of the service writes into *folder*; the lock ends with its process."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
