"""Tracebacks of functions that fail in a trial."""

from __future__ import annotations

import functools
import io
import json
import linecache
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import numpy
import pytest

from hpo_lab import choice, report, uniform
from hpo_lab.experiment.model import ObjectiveType
from hpo_lab.options import TuneOptions
from hpo_lab.prepare import prepare_function
from hpo_lab.problems import InvalidInput
from hpo_lab.trial.folder import Task


def run(
    tmp_path: Path,
    function: Any,
    space: dict[str, Any],
    assignments: dict[str, Any],
    metrics: tuple[str, ...] = ("loss",),
) -> subprocess.CompletedProcess[str]:
    """Run one trial of *function* in *tmp_path*."""
    options = TuneOptions(metric="loss", direction=ObjectiveType.MINIMIZE)
    prepared = prepare_function(function, space, options)
    for name, (_, content) in prepared.files.items():
        (tmp_path / name).write_bytes(content)
    template = prepared.experiment.spec.trial_template
    assert template is not None and template.trial_spec is not None
    folder = tmp_path / "00007"
    folder.mkdir()
    Task("experiment", 7, template.trial_spec, assignments, metrics, str(tmp_path)).write(folder)
    work = [sys.executable, "-m", "hpo_lab.trial.work", str(folder)]
    return subprocess.run(work, capture_output=True, text=True)


def reported(tmp_path: Path) -> dict[str, Any]:
    lines = (tmp_path / "00007" / "metrics.jsonl").read_text().splitlines()
    return {k: v for line in lines for k, v in json.loads(line).get("metrics", {}).items()}


@pytest.mark.parametrize("call", ["keywords", "mapping"])
def test_a_choice_of_objects_comes_as_the_object(call: str, tmp_path: Path) -> None:
    def keywords(layers: Any, x: str) -> float:
        return float(sum(layers))

    def mapping(values: Any) -> float:
        return float(sum(values["layers"]))

    space = {"layers": choice((64, 32), (128,)), "x": choice("(64, 32)", "b")}
    assignments = {"layers": "(64, 32)", "x": "(64, 32)"}
    function = keywords if call == "keywords" else mapping
    trial = run(tmp_path, function, space, assignments)
    assert trial.returncode == 0, trial.stderr
    assert reported(tmp_path) == {"loss": 96.0}


def test_a_misspelt_metric_is_named_beside_the_objective(tmp_path: Path) -> None:
    trial = run(tmp_path, lambda x: {"los": x, "size": 1}, {"x": uniform(0, 1)}, {"x": 0.5})
    assert trial.returncode == 1
    assert (
        "the function returned 'los', 'size'; the objective 'loss' is needed; did you mean 'los'?"
    ) in trial.stderr


def test_a_text_beside_the_objective_is_an_attribute(tmp_path: Path) -> None:
    trial = run(tmp_path, lambda x: {"loss": x, "status": "ok"}, {"x": uniform(0, 1)}, {"x": 0.5})
    assert trial.returncode == 0, trial.stderr
    assert reported(tmp_path) == {"loss": 0.5, "status": "ok"}


def train(config: Any, data: Any = None, epochs: int = 1) -> float:
    """Take its values in one mapping, as a trainable of Ray does."""
    return float(config["x"])


@pytest.mark.parametrize("function", [train, functools.partial(train, data=[1])])
def test_a_single_argument_without_a_default_takes_the_values(
    function: Any, tmp_path: Path
) -> None:
    trial = run(tmp_path, function, {"x": uniform(0, 1)}, {"x": 0.5})
    assert trial.returncode == 0, trial.stderr
    assert reported(tmp_path) == {"loss": 0.5}


def test_an_objective_of_optuna_is_refused_with_the_way_on() -> None:
    def objective(trial: Any) -> Any:
        return trial.suggest_float("x", 0, 1)

    options = TuneOptions(metric="loss", direction=ObjectiveType.MINIMIZE)
    with pytest.raises(InvalidInput, match=r"calls suggest_float\(\), as an objective of Optuna"):
        prepare_function(objective, {"x": uniform(0, 1)}, options)


def test_an_objective_that_was_reported_need_not_be_returned(tmp_path: Path) -> None:
    def function(x: float) -> dict[str, float]:
        report(loss=x)
        return {"size": 1.0}

    trial = run(tmp_path, function, {"x": uniform(0, 1)}, {"x": 0.5})
    assert trial.returncode == 0, trial.stderr
    assert reported(tmp_path) == {"loss": 0.5, "size": 1.0}


def test_several_values_are_those_of_the_objectives_in_order(tmp_path: Path) -> None:
    function = lambda x: (x, numpy.float32(2))  # noqa: E731, a function without a file
    trial = run(tmp_path, function, {"x": uniform(0, 1)}, {"x": 0.5}, ("loss", "size"))
    assert trial.returncode == 0, trial.stderr
    assert reported(tmp_path) == {"loss": 0.5, "size": 2.0}


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


def test_an_array_of_a_single_element_is_its_item_and_what_is_no_number_is_left_out(
    tmp_path: Path,
) -> None:
    def train(x):
        return {"loss": numpy.array([[x]]), "confusion": numpy.eye(2), "size": 3}

    ended = run(tmp_path, train, {"x": uniform(0, 1)}, {"x": 0.5})
    assert ended.returncode == 0, ended.stderr
    line = "left out of the metrics: metric 'confusion' must be a number, not an object of ndarray"
    assert line in ended.stdout
    reported = json.loads((tmp_path / "00007" / "metrics.jsonl").read_text().splitlines()[0])
    assert reported["metrics"] == {"loss": 0.5, "size": 3.0}
