"""`hpo-lab tensorboard`: the trials of an experiment in TensorBoard, while they run."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import click

from hpo_lab.cli.arguments import PlainCommand
from hpo_lab.cli.naming import experiment_named
from hpo_lab.cli.options import name_argument, store_option
from hpo_lab.cli.output import messages
from hpo_lab.dashboard.event_files import EventFiles
from hpo_lab.problems import InvalidInput, Problem

__all__ = ["tensorboard_command"]

_EVERY = 2.0
_PATIENCE = 10.0


@click.command("tensorboard", cls=PlainCommand)
@name_argument
@click.option(
    "--logdir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the event files in this new folder.",
)
@click.option("--port", type=click.IntRange(0, 65535), help="Where it listens; 0 takes a free one.")
@click.option("--host", default="localhost", show_default=True, help="Address to listen at.")
@store_option
def tensorboard_command(
    name: str, logdir: Path | None, port: int | None, host: str, store: str | None
) -> None:
    """Show the trials of an experiment in TensorBoard until interrupted.

    Each trial is a run with its metrics and, in the tab HParams, its parameters. Event files
    that trials write themselves appear in their runs.
    """
    problems = []
    if find_spec("tensorboard") is None:
        message = "there is no tensorboard; install hpo_lab[tensorboard]"
        problems.append(Problem("tensorboard", message))
    if logdir is not None and logdir.exists() and any(logdir.iterdir()):
        problems.append(Problem("--logdir", f"{logdir} is not empty; give a new folder"))
    if problems:
        raise InvalidInput(problems)
    experiment = experiment_named(store, name)
    ended = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: ended.set())
    with _folder(logdir) as folder:
        files = EventFiles(experiment, folder)
        files.update()
        words = ["--logdir", str(folder), "--host", host, "--reload_interval", "2"]
        words += [] if port is None else ["--port", str(port)]
        # Ctrl-C reaches this process alone, which ends the other one.
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tensorboard.main", *words], start_new_session=True
        )
        try:
            while process.poll() is None and not ended.wait(_EVERY):
                if not files.update():
                    messages().print("The experiment was deleted.", style="yellow")
                    break
        finally:
            process.terminate()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    if not ended.is_set() and process.returncode > 0:
        sys.exit(1)


@contextmanager
def _folder(logdir: Path | None) -> Iterator[Path]:
    if logdir is not None:
        logdir.mkdir(parents=True, exist_ok=True)
        yield logdir
    else:
        with tempfile.TemporaryDirectory(prefix="hpo-lab-tensorboard-") as folder:
            yield Path(folder)
