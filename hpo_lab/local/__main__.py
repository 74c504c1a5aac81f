"""A runner as a process, its store in `HPO_LAB_STORE`.

`python -m hpo_lab.local UID [KIND] [attached=PID]`: with a KIND of trials that can be forked, a
fork server starts at once, which takes as long as importing the rest here; with `attached` the
runner stops the experiment when its parent, the process PID, ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

from hpo_lab.execution.client import ForkServer

_POLL = 0.5
_ATTACHED = "attached="


def main(uid: str, server: ForkServer | None = None, parent: int | None = None) -> int:
    """Run the experiment *uid* to its end; SIGTERM, and the end of *parent*, stop it cleanly."""
    from hpo_lab.local.runner import local_runner
    from hpo_lab.running.driver import AlreadyRunning
    from hpo_lab.store import StoreGone, StoreUnavailable, open_store

    runner = local_runner(open_store(), uid, server=server)
    signal.signal(signal.SIGTERM, lambda _signal, _frame: runner.stop())
    if parent is not None:
        threading.Thread(target=_stop_with, args=(parent, runner.stop), daemon=True).start()
    try:
        runner.run()
    except AlreadyRunning as error:
        # Whoever asked for this runner has what was asked for.
        print(error, file=sys.stderr)
    except (StoreGone, StoreUnavailable) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _stop_with(parent: int, stop: Callable[[], None]) -> None:
    """Call *stop* when this process has another parent than *parent*."""
    while os.getppid() == parent:
        time.sleep(_POLL)
    stop()


if __name__ == "__main__":
    with contextlib.ExitStack() as stack:
        early = None
        words = sys.argv[2:]
        parents = [word.removeprefix(_ATTACHED) for word in words if word.startswith(_ATTACHED)]
        for kind in words[: len(words) - len(parents)]:
            early = ForkServer(kind)
            stack.callback(early.close)
        sys.exit(main(sys.argv[1], early, *map(int, parents)))
