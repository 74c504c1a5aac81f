"""`hpo_lab.tune` and `hpo_lab.get`, over the facade."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import hpo_lab
from hpo_lab import Experiment, InvalidInput, uniform
from hpo_lab.api import Experiments
from hpo_lab.experiment.model import ExperimentDocument, ObjectiveType
from hpo_lab.facade.enrolling import enrol_prepared
from hpo_lab.options import TuneOptions
from hpo_lab.prepare import Prepared, prepare_file, prepare_function
from hpo_lab.store import Store, open_store
from tests.facade.conftest import Create

MANIFEST = """
apiVersion: kubeflow.org/v1beta1
kind: Experiment
metadata: {name: printed, namespace: team}
spec:
  maxTrialCount: 1
  parallelTrialCount: 1
  objective: {type: maximize, objectiveMetricName: score}
  algorithm: {algorithmName: random}
  parameters:
    - {name: x, parameterType: double, feasibleSpace: {min: "0", max: "1"}}
  trialTemplate:
    primaryContainerName: main
    trialParameters: [{name: x, reference: x}]
    trialSpec:
      apiVersion: batch/v1
      kind: Job
      spec:
        template:
          spec:
            restartPolicy: Never
            containers:
              - {name: main, image: none, command: [echo, "score=${trialParameters.x}"]}
"""


def test_a_manifest_is_tuned(location: Path, tmp_path: Path) -> None:
    path = tmp_path / "printed.yaml"
    path.write_text(MANIFEST)
    experiment = hpo_lab.tune(path, store=location).wait(timeout=60)
    assert experiment.title == "team/printed"
    assert experiment.best is not None
    assert hpo_lab.get("team/printed", store=location).uid == experiment.uid
    assert "score=" in experiment.log_of(0).read_text()


def test_a_manifest_has_a_space_and_no_cells(location: Path, tmp_path: Path) -> None:
    path = tmp_path / "printed.yaml"
    path.write_text(MANIFEST)
    with pytest.raises(hpo_lab.InvalidInput) as caught:
        hpo_lab.tune(path, trials=3, maximize="score", space={}, cell="1", store=location)
    places = [problem.where for problem in caught.value.problems]
    assert sorted(places) == ["cell", "space"]
    assert not location.parent.exists()


def test_get_takes_the_namespace_in_the_name_or_beside_it(
    store: Store, location: Path, create: Create
) -> None:
    uid = create("digits", "team")
    assert hpo_lab.get("team/digits", store=location).uid == uid
    assert hpo_lab.get("digits", namespace="team", store=location).uid == uid
    # The only experiment of that name.
    assert hpo_lab.get("digits", store=location).uid == uid
    with pytest.raises(hpo_lab.InvalidInput, match="team/digits"):
        hpo_lab.get("digits", namespace="default", store=location)


def test_get_takes_the_file_that_makes_the_experiment(
    store: Store, location: Path, tmp_path: Path
) -> None:
    path = tmp_path / "printed.yaml"
    path.write_text(MANIFEST)
    with pytest.raises(hpo_lab.InvalidInput, match="its file was not run here yet"):
        hpo_lab.get(str(path), store=location)
    record = enrol_prepared(store, prepare_file(path, TuneOptions(), None)).record
    assert hpo_lab.get(str(path), store=location).uid == record.uid


def closure(by: float) -> Callable[[float], float]:
    def scaled(lr: float) -> float:
        return lr * by

    return scaled


def test_a_function_that_uses_something_else_gets_no_old_results(
    location: Path,
) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    exec("def evaluate(lr): return lr\ndef objective(lr): return evaluate(lr)", names)
    objective = names["objective"]

    def tune(function: Callable[[float], float], trials: int) -> hpo_lab.Experiment:
        return hpo_lab.tune(
            function,
            {"lr": "uniform(0, 1)"},
            minimize="loss",
            trials=trials,
            name=f"tuned-{function.__name__}",
            store=location,
        )

    first = tune(objective, 1).wait(timeout=60)
    exec("def evaluate(lr): return 1000 + lr", names)
    with pytest.raises(hpo_lab.InvalidInput, match=r"function: helper evaluate\(\) changed"):
        tune(objective, 1)
    exec("def evaluate(lr):\n    return lr  # as at first", names)
    more = tune(objective, 2).wait(timeout=60)
    assert more.uid == first.uid
    assert [trial.state for trial in more.store.trials(more.uid)] == ["Succeeded"] * 2

    tune(closure(1), 1).wait(timeout=60)
    with pytest.raises(hpo_lab.InvalidInput, match="function: closed-over by: 1 is 500 now"):
        tune(closure(500), 1)


def test_an_experiment_of_an_earlier_version_says_so(location: Path) -> None:
    store = open_store(location)
    options = TuneOptions(metric="loss", direction=ObjectiveType.MINIMIZE, trials=1, name="old")
    prepared = prepare_function(closure(1), {"lr": "uniform(0, 1)"}, options)
    document = prepared.experiment.to_document()
    trial = document["spec"]["trialTemplate"]["trialSpec"]["spec"]
    del trial["uses"]
    trial["source"] = "sha256:0"
    enrol_prepared(store, Prepared(ExperimentDocument.model_validate(document), prepared.files))
    with pytest.raises(hpo_lab.InvalidInput) as caught:
        enrol_prepared(store, Prepared(prepared.experiment, prepared.files))
    store.close()
    assert [str(problem) for problem in caught.value.problems] == [
        "function: was recorded by an earlier version, without what it uses"
    ]


def test_a_new_revision_is_said(capsys: pytest.CaptureFixture[str], store: Store) -> None:
    def scaled(by: int) -> Callable[[float], float]:
        def train(x: float) -> float:
            return x * by

        return train

    space = {"x": hpo_lab.uniform(0, 1)}
    for by in (1, 2):
        hpo_lab.tune(scaled(by), space, minimize="loss", trials=1, store=store.location)
    said = capsys.readouterr()
    assert said.out == ""
    assert "is new: function: closed-over by: 1 is 2 now" in said.err
    for experiment in store.experiments():
        Experiments(store).get(experiment.uid).wait(60)


def test_changes_of_a_function_are_said_without_paths_of_a_document(
    store: Store, tmp_path: Path
) -> None:
    def read(params, y=2):
        return params["z"]

    def product(x, y=2):
        return x * y

    options = TuneOptions(direction=ObjectiveType.MINIMIZE, metric="loss", name="same")
    enrol_prepared(store, prepare_function(read, {"z": uniform(0, 1)}, options))
    with pytest.raises(InvalidInput) as error:
        enrol_prepared(store, prepare_function(product, {"x": uniform(0, 1)}, options))
    said = [str(problem) for problem in error.value.problems]
    assert said[:3] == [
        "space['x']: is new: uniform(0, 1)",
        "space['z']: is gone; it was uniform(0, 1)",
        "function: is called with keywords now, with one mapping before",
    ]
    manifest = tmp_path / "same.yaml"
    manifest.write_text(MANIFEST.replace("printed, namespace: team", "other"))
    options = TuneOptions(direction=ObjectiveType.MINIMIZE, metric="loss", name="other")
    function = prepare_function(product, {"x": uniform(0, 1)}, options)
    job = prepare_file(manifest, TuneOptions(), None)
    enrol_prepared(store, replace(job, project=function.project))
    with pytest.raises(InvalidInput) as error:
        enrol_prepared(store, function)
    assert "its trials run a function now, Job before" in str(error.value)
    assert not any("spec." in str(problem) for problem in error.value.problems)


def fails(x: float) -> float:
    raise ValueError("no luck")


@pytest.mark.parametrize(
    ("budget", "larger"),
    [({"trials": 2}, {"trials": 3}), ({"trials": 9, "max_failed": 2}, {"max_failed": 3})],
)
def test_what_has_failed_and_is_run_again_says_what_tries_again(
    capsys: pytest.CaptureFixture[str],
    location: Path,
    budget: dict[str, Any],
    larger: dict[str, Any],
) -> None:
    def tune(**changes: Any) -> Experiment:
        settings = {**budget, **changes, "parallel": 1, "name": "unlucky", "store": location}
        space = {"x": uniform(0, 1)}
        return hpo_lab.tune(fails, space, minimize="loss", **settings).wait()

    assert tune().state == "Failed"
    capsys.readouterr()
    tune()
    ((name, value),) = larger.items()
    said = capsys.readouterr().err.splitlines()[0]
    assert said.startswith("unlucky has failed") and "complete" not in said
    tries = f"`fresh=True` starts anew, {name} above {value - 1} tries again"
    assert said.endswith(f"; nothing was started; {tries}")
    with pytest.raises(InvalidInput, match=f"has failed .* {name} above {value - 1}"):
        hpo_lab.get("unlucky", store=location).resume()
    assert tune(**larger).summary().completed == 3
