"""Manifests whose template and variables are in ConfigMaps and Secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from hpo_lab.cli import main
from hpo_lab.store import Store, open_store

from .conftest import job

EXPERIMENT: dict[str, Any] = {
    "apiVersion": "kubeflow.org/v1beta1",
    "kind": "Experiment",
    "metadata": {"name": "beside", "namespace": "kubeflow"},
    "spec": {
        "objective": {"type": "maximize", "objectiveMetricName": "acc"},
        "algorithm": {"algorithmName": "random"},
        "parameters": [
            {"name": "x", "parameterType": "double", "feasibleSpace": {"min": "0", "max": "1"}}
        ],
        "maxTrialCount": 2,
        "parallelTrialCount": 1,
        "trialTemplate": {
            "primaryContainerName": "main",
            "trialParameters": [{"name": "rate", "reference": "x"}],
            "successCondition": 'status.conditions.#(type=="Complete")#|#(status=="True")#',
            "failureCondition": 'status.conditions.#(type=="Failed")#|#(status=="True")#',
            "configMap": {
                "configMapName": "templates",
                "configMapNamespace": "kubeflow",
                "templatePath": "job.yaml",
            },
        },
    },
}
TEMPLATE = job(
    "sh",
    "-c",
    "echo $TOKEN > token-$KATIB_TRIAL_NAME; echo acc=${trialParameters.rate}; echo size=$size",
    envFrom=[{"configMapRef": {"name": "settings"}}],
    env=[{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "account", "key": "token"}}}],
)
TEMPLATES = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "templates", "namespace": "kubeflow"},
    "data": {"job.yaml": yaml.safe_dump(TEMPLATE)},
}
SETTINGS = {"kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"size": "3"}}
ACCOUNT = {"kind": "Secret", "metadata": {"name": "account"}, "stringData": {"token": "hush"}}


@pytest.fixture
def store() -> Store:
    return open_store()


def written(path: Path, *documents: Any) -> Path:
    path.write_text(yaml.safe_dump_all(documents))
    return path


def cli(*words: str | Path) -> Result:
    return CliRunner(catch_exceptions=False).invoke(main, [str(word) for word in words])


def check_trials(store: Store, folder: Path) -> None:
    (record,) = store.experiments()
    assert "hush" not in record.document.model_dump_json()
    for trial in store.trials(record.uid):
        assert trial.metrics["acc"].latest == trial.assignments["x"]
        assert (folder / f"token-beside-{trial.number}").read_text() == "hush\n"
        log = store.folder(record.uid) / f"{trial.number:05d}" / "log.txt"
        assert "size=3" in log.read_text()


def test_all_may_stand_in_one_file(tmp_path: Path, store: Store) -> None:
    path = written(tmp_path / "all.yaml", TEMPLATES, SETTINGS, EXPERIMENT, ACCOUNT)
    assert "ok" in cli("validate", path).stdout
    result = cli("run", path)
    assert result.exit_code == 0, result.stderr
    check_trials(store, tmp_path)


def test_all_may_stand_in_files_beside(tmp_path: Path, store: Store) -> None:
    path = written(tmp_path / "experiment.yaml", EXPERIMENT)
    templates = written(tmp_path / "templates.yaml", TEMPLATES)
    listed = {"kind": "List", "items": [SETTINGS, ACCOUNT]}
    others = written(tmp_path / "others.yaml", listed)
    missing = cli("run", path)
    assert missing.exit_code == 2
    assert "the ConfigMap 'templates' is not here; give it by --with FILE" in missing.stderr
    missing = cli("run", path, "--template", templates)
    assert missing.exit_code == 2
    assert "envFrom[0]: the ConfigMap 'settings' is not given" in missing.stderr
    assert "TOKEN comes from 'account'" in missing.stderr
    assert store.experiments() == []
    result = cli("run", path, "--with", templates, "--with", others)
    assert result.exit_code == 0, result.stderr
    check_trials(store, tmp_path)


def test_what_the_config_map_lacks_is_said(tmp_path: Path) -> None:
    other = {**TEMPLATES, "data": {"jobs.yaml": "{}"}}
    result = cli("validate", written(tmp_path / "all.yaml", other, EXPERIMENT))
    assert result.exit_code == 2
    assert "has no entry 'job.yaml'; did you mean 'jobs.yaml'?" in result.stderr
    broken = {**TEMPLATES, "data": {"job.yaml": yaml.safe_dump(job("echo", "acc=1"))}}
    result = cli("validate", written(tmp_path / "all.yaml", broken, EXPERIMENT))
    assert result.exit_code == 2
    assert "the template has no ${trialParameters.rate}" in result.stderr
