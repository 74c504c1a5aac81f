"""Prints the picture of importances: `python -m hpo_lab.dashboard.importances_process UID`.

Optuna takes a second to import, and longer beside other work. Where a kernel shows the picture
that time is spent in this process, so that the kernel stays free. The store is `$HPO_LAB_STORE`.
"""

from __future__ import annotations

import os
import sys

from hpo_lab.dashboard.figures import data_of
from hpo_lab.dashboard.pictures import image_of
from hpo_lab.facade.experiments import Experiments

if __name__ == "__main__":
    os.nice(10)
    sys.stdout.write(image_of("importances", data_of(Experiments(None).get(sys.argv[1]))))
