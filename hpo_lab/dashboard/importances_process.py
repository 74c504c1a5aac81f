"""Finding importances in a process of its own, so that a kernel stays free.

Optuna takes a second to import, and longer beside other work. The process is
`python -m hpo_lab.dashboard.importances_process UID` and prints the figure as JSON; the store is
`$HPO_LAB_STORE`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from hpo_lab.store import Store

if TYPE_CHECKING:
    from hpo_lab.dashboard.figures import Figure

__all__ = ["importances_of"]

_LONGEST = 120.0
"""Seconds for finding importances."""


def importances_of(store: Store, uid: str) -> Figure | None:
    """The importances of the experiment *uid* of *store* as it is now.

    None where they were not found; the machine may have no room for another process now.
    """
    from hpo_lab.dashboard.figures import Figure

    try:
        answer = subprocess.run(
            [sys.executable, "-P", "-m", "hpo_lab.dashboard.importances_process", uid],
            env=os.environ | {"HPO_LAB_STORE": store.location},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=True,
            timeout=_LONGEST,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return Figure(**json.loads(answer.stdout))


def _print_importances(uid: str) -> None:
    os.nice(10)  # before the imports, which take most of the time
    from hpo_lab.dashboard import figures
    from hpo_lab.facade.experiments import Experiments

    data = figures.data_of(Experiments(None).get(uid))
    json.dump(asdict(figures.draw("importances", data)), sys.stdout)


if __name__ == "__main__":
    _print_importances(sys.argv[1])
