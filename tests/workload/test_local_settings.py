"""How an experiment runs on this machine is kept beside it, not in it."""

from __future__ import annotations

import builtins
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from hpo_lab.cli import main
from hpo_lab.experiment.identity import identity
from hpo_lab.facade.enrolling import enrol_prepared
from hpo_lab.local.runner import local_runner
from hpo_lab.prepare import Prepared, prepare_manifest, runs_here
from hpo_lab.problems import InvalidInput
from hpo_lab.store import Store
from hpo_lab.workload.local_settings import LOCAL, LocalSettings
from tests.manifest_reading import parse

from .conftest import job

Write = Callable[..., Path]
SECRET = {"kind": "Secret", "metadata": {"name": "account"}, "stringData": {"token": "hush"}}


@pytest.fixture
def manifest(tmp_path: Path) -> Write:
    """`manifest("home", "echo acc=1")`: write a manifest of one trial into a folder of its own."""

    def write(folder: str, command: str, *beside: Any, **metadata: Any) -> Path:
        space = {"min": "0", "max": "1"}
        token = {"name": "account", "key": "token", "optional": True}
        env = [{"name": "TOKEN", "valueFrom": {"secretKeyRef": token}}]
        document = {
            "apiVersion": "kubeflow.org/v1beta1",
            "kind": "Experiment",
            "metadata": {"name": "placed", **metadata},
            "spec": {
                "objective": {"type": "maximize", "objectiveMetricName": "acc"},
                "algorithm": {"algorithmName": "random"},
                "parameters": [{"name": "x", "parameterType": "double", "feasibleSpace": space}],
                "maxTrialCount": 1,
                "parallelTrialCount": 1,
                "trialTemplate": {
                    "primaryContainerName": "main",
                    "trialParameters": [{"name": "x", "reference": "x"}],
                    "trialSpec": job("sh", "-c", f"{command} ${{trialParameters.x}}", env=env),
                },
            },
        }
        path = tmp_path / folder / "experiment.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump_all([document, *beside]))
        return path

    return write


def cli(*words: str | Path) -> Result:
    return CliRunner(catch_exceptions=False).invoke(main, [str(word) for word in words])


def test_the_document_says_nothing_of_this_machine(manifest: Write, tmp_path: Path) -> None:
    here, there = manifest("here", "echo acc=1", SECRET), manifest("there", "echo acc=1")
    prepared = runs_here(prepare_manifest(here), paths=["/opt/model/=" + str(tmp_path / "model")])
    assert prepared.experiment == prepare_manifest(there).experiment
    assert prepared.experiment.metadata.annotations is None
    kind, content = prepared.files[LOCAL]
    assert kind == "application/json"
    assert json.loads(content) == {
        "directory": str(here.parent),
        "runtime": "",
        "paths": {"/opt/model": str(tmp_path / "model")},
        "beside": [str(here)],
    }
    assert str(tmp_path) not in cli("convert", here).stdout


def test_a_trial_runs_as_the_file_beside_it_says(
    manifest: Write, store: Store, tmp_path: Path
) -> None:
    (tmp_path / "model").mkdir()
    path = manifest("home", "cp token /opt/model/$TOKEN; echo acc=0.5", SECRET)
    (path.parent / "token").touch()
    prepared = runs_here(prepare_manifest(path), paths=[f"/opt/model={tmp_path / 'model'}"])
    record = enrol_prepared(store, Prepared(prepared.experiment, prepared.files)).record
    local_runner(store, record.uid).run()
    (trial,) = store.trials(record.uid)
    assert trial.metrics["acc"].latest == 0.5
    assert (tmp_path / "model" / "hush").exists()


def test_an_experiment_recorded_with_annotations_still_runs(
    manifest: Write, store: Store, tmp_path: Path
) -> None:
    (tmp_path / "model").mkdir()
    path = manifest("home", "cp token /opt/model/$TOKEN; echo acc=0.5", SECRET)
    (path.parent / "token").touch()
    annotations = {
        "hpolab.dev/working-directory": str(path.parent),
        "path.hpolab.dev/0": f"/opt/model={tmp_path / 'model'}",
        "with.hpolab.dev/0": str(path),
    }
    recorded = yaml.safe_load_all(path.read_text()).__next__()
    recorded["metadata"]["annotations"] = annotations
    record = enrol_prepared(store, Prepared(parse(recorded), {})).record
    # The same manifest is the same experiment.
    again = runs_here(prepare_manifest(path))
    assert identity(again.experiment.spec) == record.identity
    enrol_prepared(store, Prepared(again.experiment, again.files))
    local_runner(store, record.uid).run()
    (trial,) = store.trials(record.uid)
    assert trial.metrics["acc"].latest == 0.5
    assert (tmp_path / "model" / "hush").exists()


def test_a_manifest_with_such_annotations_means_the_same(manifest: Write, tmp_path: Path) -> None:
    path = manifest("home", "echo acc=1", annotations={"hpolab.dev/working-directory": "/srv"})
    (_, content) = runs_here(prepare_manifest(path)).files[LOCAL]
    source = tmp_path / "source"
    source.mkdir()
    (source / LOCAL).write_bytes(content)
    experiment = prepare_manifest(path).experiment
    assert LocalSettings.of(experiment, source) == LocalSettings(directory="/srv")


def test_everything_wrong_with_the_arguments_is_said(manifest: Write) -> None:
    path = manifest("home", "echo acc=1")
    with pytest.raises(InvalidInput) as error:
        runs_here(prepare_manifest(path), runtime="dockr", paths=["model=/here", "/opt/model"])
    assert [problem.where for problem in error.value.problems] == ["--map", "--map", "--runtime"]
    path.write_text(path.read_text().replace("maximize", "maximise"))
    result = cli("run", path, "--runtime", "dockr")
    assert result.exit_code == 2
    assert "--runtime" in result.stderr and "spec.objective.type" in result.stderr


@pytest.mark.parametrize(
    "words", [["validate"], ["run"], ["convert"], ["convert", "--to", "katib"]], ids=" ".join
)
def test_a_manifest_is_read_once(
    manifest: Write, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    path = manifest("home", "true")
    read = []

    def opened(file: Any, *rest: Any, **named: Any) -> Any:
        if isinstance(file, str | os.PathLike) and Path(file) == path:
            read.append(file)
        return original(file, *rest, **named)

    original = builtins.open
    monkeypatch.setattr(builtins, "open", opened)
    monkeypatch.setattr(io, "open", opened)
    command, *options = words
    assert cli(command, path, *options).exit_code in (0, 1)
    assert len(read) == 1
