"""Random numbers of libraries that a trial imports itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

RENEWED = (
    "from hpo_lab.execution.randomness import Randomness\n"
    "watch = Randomness(); watch.end_of_set_up(); watch.renew(7, {})\n"
)


def printed(source: str, folder: Path) -> str:
    command = [sys.executable, "-c", RENEWED + source]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    return run.stdout


def test_torch_that_is_imported_later_draws_the_same_again(
    require: Callable[..., None], tmp_path: Path
) -> None:
    require("torch", find_spec("torch"), "pip install torch")
    source = "import torch\nprint(torch.rand(3).tolist())"

    assert printed(source, tmp_path) == printed(source, tmp_path)


def test_a_seed_of_the_cell_wins_over_that_of_the_trial(tmp_path: Path) -> None:
    source = "import numpy.random as r\nr.seed(3)\nprint(r.rand() == r.RandomState(3).rand())"

    assert printed(source, tmp_path) == "True\n"


def test_tensorflow_is_seeded_unless_the_cell_has_done_it(tmp_path: Path) -> None:
    (tmp_path / "tensorflow/python/eager").mkdir(parents=True)
    for package in ("tensorflow/python", "tensorflow/python/eager"):
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / "tensorflow/python/eager/context.py").write_text(
        "seed = None\ndef global_seed():\n    return seed\n"
    )
    (tmp_path / "tensorflow/__init__.py").write_text(
        "from tensorflow.python.eager import context\n"
        "class random:\n    def set_seed(seed):\n        context.seed = seed\n"
    )
    seen = "from tensorflow.python.eager import context; print(context.seed)"

    assert printed(f"import tensorflow as tf; {seen}", tmp_path) == "7\n"
    by_hand = f"import tensorflow as tf; tf.random.set_seed(3); watch.renew(7, {{}}); {seen}"
    assert printed(by_hand, tmp_path) == "3\n"
