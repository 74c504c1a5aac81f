"""Tracebacks of functions that fail in a trial."""

from __future__ import annotations

import io
import linecache
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest

from hpo_lab import uniform
from hpo_lab.experiment.model import ObjectiveType
from hpo_lab.options import TuneOptions
from hpo_lab.prepare import prepare_function
from hpo_lab.trial.folder import Task

SOURCE = '''"""A form feed begins no line: \x0c."""

class Model:
    def fit(self, x):
        steps = [x, 0]
        return (lambda: steps[0] / steps[1])()


def helper(x):
    def nested():
        return Model().fit(x)

    return nested()


def train(x):
    return 1 + helper(x)
'''


def frames(text: str, file: str) -> str:
    """The part of a traceback that begins with *file*."""
    return text[text.index(f'  File "{file}"') :].rstrip()


@pytest.mark.parametrize("place", ["script", "notebook"])
def test_a_traceback_in_a_trial_is_that_of_the_function(place: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    if place == "script":
        file = str(script)
        script.write_text(SOURCE)
    else:
        # ipykernel names a cell by a file that it does not write, and notes its lines.
        file = str(tmp_path / "ipykernel_4711" / "815.py")
        linecache.cache[file] = (len(SOURCE), None, io.StringIO(SOURCE).readlines(), file)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(SOURCE, file, "exec"), namespace)
    with pytest.raises(ZeroDivisionError) as error:
        namespace["train"](0.5)
    here = "".join(traceback.format_exception(error.value))
    options = TuneOptions(metric="loss", direction=ObjectiveType.MINIMIZE)
    prepared = prepare_function(namespace["train"], {"x": uniform(0, 1)}, options)
    script.write_text("# The script has changed since.\n" * 20)

    for name, (_, content) in prepared.files.items():
        (tmp_path / name).write_bytes(content)
    template = prepared.experiment.spec.trial_template
    assert template is not None and template.trial_spec is not None
    task = Task("experiment", 0, template.trial_spec, {"x": 0.5}, ("loss",), str(tmp_path))
    task.write(tmp_path)
    work = [sys.executable, "-m", "hpo_lab.trial.work", str(tmp_path)]
    trial = subprocess.run(work, capture_output=True, text=True)

    assert "steps[0] / steps[1]" in here
    assert frames(trial.stderr, file) == frames(here, file)
