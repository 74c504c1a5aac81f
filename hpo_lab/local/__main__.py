"""A runner as a process: `python -m hpo_lab.local UID`, with the store in `HPO_LAB_STORE`."""

from __future__ import annotations

import contextlib
import signal
import sys

from hpo_lab.local.runner import AlreadyRunning, LocalRunner
from hpo_lab.store import open_store


def main(uid: str) -> int:
    """Run the experiment *uid* to its end; SIGTERM stops it cleanly."""
    runner = LocalRunner(open_store(), uid)
    signal.signal(signal.SIGTERM, lambda _signal, _frame: runner.stop())
    with contextlib.suppress(AlreadyRunning):
        runner.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
