"""Running an experiment in the foreground, or following one that runs elsewhere."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console

from hpo_lab.dashboard.console import ConsoleProgress
from hpo_lab.execution.client import ForkServer
from hpo_lab.facade.follower import Pace
from hpo_lab.facade.handle import Experiment
from hpo_lab.local.runner import local_runner
from hpo_lab.running.driver import AlreadyRunning, Driver
from hpo_lab.store import NotFound, outage

__all__ = ["follow", "run_here", "watch_experiment"]

_EVERY = 0.25


def run_here(experiment: Experiment, console: Console, server: ForkServer | None = None) -> int:
    """Run the experiment in this process, and follow it when another one runs it.

    The first SIGINT or SIGTERM stops it cleanly; the second one leaves at once, and the
    trials end with this process.

    Args:
        experiment: The experiment.
        console: Where its progress is shown.
        server: A fork server that waits for a set-up; ended where it is no use.

    Returns:
        0, or the exit code of the signal that interrupted it.
    """
    runner = local_runner(experiment.store, experiment.uid, server=server)
    with ConsoleProgress(experiment, console) as watch:
        try:
            with _stopped_by_signals(runner, console) as received, _drawing(watch, received):
                runner.run()
        except AlreadyRunning:
            if server is not None:
                server.close()
            return follow(watch)
        watch.update()
    return 128 + received[0] if received else 0


def watch_experiment(experiment: Experiment, console: Console) -> None:
    """Show the progress of *experiment* until it is over; SIGINT ends that alone."""
    with ConsoleProgress(experiment, console) as watch:
        _follow(watch)


def follow(watch: ConsoleProgress) -> int:
    """Show the progress of an experiment that runs elsewhere until it ends.

    Returns:
        0, or the exit code of SIGINT, which stops the following alone.
    """
    watch.say("It is running in another process; following it (Ctrl-C stops following only)")
    if _follow(watch):
        return 0
    watch.say("No longer following; the experiment runs on")
    return 128 + signal.SIGINT


def _follow(watch: ConsoleProgress) -> bool:
    """Show what is new until the experiment is over; False where SIGINT came before."""
    interrupted: list[int] = []
    # A KeyboardInterrupt would be lost where it is raised in somebody's finaliser.
    before = signal.signal(signal.SIGINT, lambda signum, _frame: interrupted.append(signum))
    try:
        for summary in watch.experiment.follower.follow(stop=lambda: bool(interrupted)):
            watch.show(summary)
            if summary.is_over:
                return True
        return False
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _stopped_by_signals(runner: Driver, console: Console) -> Iterator[list[int]]:
    """Have SIGINT and SIGTERM stop *runner*; yields the signals that came."""
    received: list[int] = []

    def on_signal(signum: int, _frame: FrameType | None) -> None:
        if received:
            console.show_cursor()
            # The console may be in the middle of a line, and in somebody's hands.
            os.write(2, b"\nLeft; the running trials will run again when it is resumed\n")
            os._exit(128 + signum)
        received.append(signum)
        runner.stop()

    previous = {each: signal.signal(each, on_signal) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for each, handler in previous.items():
            signal.signal(each, handler)


@contextmanager
def _drawing(watch: ConsoleProgress, received: list[int]) -> Iterator[None]:
    """Update *watch* in a thread, for the runner needs this one."""
    done = threading.Event()

    def draw() -> None:
        said = False
        with Pace(watch.experiment.store) as pace:
            while not done.wait(_EVERY):
                if received and not said:
                    said = True
                    watch.say("Stopping the running trials; Ctrl-C again leaves at once")
                if not pace.wait():
                    continue
                try:
                    with pace.look():
                        watch.update()
                except NotFound:
                    return  # The runner says so.
                except Exception as error:
                    if not outage(error):
                        raise
                    # The runner waits for the store, and says so.

    thread = threading.Thread(target=draw, name="hpo-lab-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
