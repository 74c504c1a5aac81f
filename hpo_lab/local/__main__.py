"""A runner as a process: `python -m hpo_lab.local UID [KIND]`, its store in `HPO_LAB_STORE`.

With a kind of trials that can be forked, a fork server starts at once. That takes as long as
importing the rest here.
"""

from __future__ import annotations

import contextlib
import signal
import sys

from hpo_lab.execution.client import ForkServer


def main(uid: str, server: ForkServer | None = None) -> int:
    """Run the experiment *uid* to its end; SIGTERM stops it cleanly."""
    from hpo_lab.local.runner import local_runner
    from hpo_lab.running.driver import AlreadyRunning
    from hpo_lab.store import open_store

    runner = local_runner(open_store(), uid, server=server)
    signal.signal(signal.SIGTERM, lambda _signal, _frame: runner.stop())
    try:
        runner.run()
    except AlreadyRunning as error:
        # Whoever asked for this runner has what was asked for.
        print(error, file=sys.stderr)
    return 0


if __name__ == "__main__":
    with contextlib.ExitStack() as stack:
        early = None
        for kind in sys.argv[2:]:
            early = ForkServer(kind)
            stack.callback(early.close)
        sys.exit(main(sys.argv[1], early))
