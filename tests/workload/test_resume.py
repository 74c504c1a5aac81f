"""Continuing, changing and stopping the experiments of manifests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from hpo_lab.cli import main
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import TrialState
from hpo_lab.local.runner import local_runner
from hpo_lab.running.driver import Driver
from hpo_lab.store import Store, open_store

from .conftest import job

Write = Callable[..., Path]


@pytest.fixture
def store() -> Store:
    """The store that the commands use by default."""
    return open_store()


@pytest.fixture
def manifest(tmp_path: Path) -> Write:
    """`manifest(maxTrialCount=2)`: write a manifest of a short trial."""

    def write(command: str = "echo acc=${trialParameters.x}", **spec: Any) -> Path:
        space = {"min": "0", "max": "1"}
        document = {
            "apiVersion": "kubeflow.org/v1beta1",
            "kind": "Experiment",
            "metadata": {"name": "short"},
            "spec": {
                "objective": {"type": "maximize", "objectiveMetricName": "acc"},
                "algorithm": {"algorithmName": "random"},
                "parameters": [{"name": "x", "parameterType": "double", "feasibleSpace": space}],
                "parallelTrialCount": 1,
                "trialTemplate": {
                    "primaryContainerName": "main",
                    "trialParameters": [{"name": "x", "reference": "x"}],
                    "trialSpec": job("sh", "-c", command),
                },
                **spec,
            },
        }
        path = tmp_path / "short.yaml"
        path.write_text(yaml.safe_dump(document))
        return path

    return write


def cli(*words: str | Path) -> Result:
    return CliRunner(catch_exceptions=False).invoke(main, [str(word) for word in words])


def count(store: Store) -> int:
    (record,) = store.experiments()
    return len(store.trials(record.uid))


def test_never_is_not_continued_once_it_has_ended(manifest: Write, store: Store) -> None:
    assert cli("run", manifest(maxTrialCount=2)).exit_code == 0
    more = cli("run", manifest(maxTrialCount=3))
    assert more.exit_code == 2
    assert "spec.resumePolicy: is 'Never', and the experiment has ended" in more.stderr
    assert cli("resume", "short", "--trials", "3").exit_code == 2
    # Running the same manifest again is no mistake: it is complete.
    same = cli("run", manifest(maxTrialCount=2))
    assert same.exit_code == 0 and "is complete" in same.stderr
    (record,) = store.experiments()
    assert count(store) == 2 and record.document.spec.max_trial_count == 2


@pytest.mark.parametrize("policy", ["LongRunning", "FromVolume"])
def test_a_larger_budget_continues_the_others(manifest: Write, store: Store, policy: str) -> None:
    assert cli("run", manifest(maxTrialCount=2, resumePolicy=policy)).exit_code == 0
    assert cli("run", manifest(maxTrialCount=3, resumePolicy=policy)).exit_code == 0
    assert cli("resume", "short", "--trials", "4").exit_code == 0
    assert count(store) == 4
    (record,) = store.experiments()
    types = [condition.type.value for condition in store.conditions(record.uid)]
    assert types.count("Restarting") == 2
    shown = yaml.safe_load(cli("show", "short", "-o", "yaml").stdout)["status"]
    assert "Restarting" not in {
        one["type"] for one in shown["conditions"] if one["status"] == "True"
    }
    assert shown["trials"] == 4


def running(store: Store) -> tuple[Driver, threading.Thread, str]:
    (record,) = store.experiments()
    runner = local_runner(store, record.uid)
    thread = threading.Thread(target=runner.run)
    thread.start()
    return runner, thread, record.uid


def until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def enrolled(store: Store, path: Path) -> str:
    from hpo_lab.facade.enrolling import enrol_prepared
    from hpo_lab.prepare import Prepared, prepare_manifest, runs_here

    prepared = runs_here(prepare_manifest(path))
    return enrol_prepared(store, Prepared(prepared.experiment, prepared.files)).record.uid


def of_state(store: Store, uid: str, state: TrialState) -> int:
    return sum(trial.state is state for trial in store.trials(uid))


def test_budgets_change_while_it_runs(manifest: Write, store: Store) -> None:
    command = "echo acc=${trialParameters.x}; sleep 600"
    enrolled(store, manifest(command, maxTrialCount=5))
    runner, thread, uid = running(store)
    try:
        until(lambda: of_state(store, uid, TrialState.RUNNING) == 1)
        enrolled(store, manifest(command, maxTrialCount=5, parallelTrialCount=3))
        until(lambda: of_state(store, uid, TrialState.RUNNING) == 3)
    finally:
        runner.stop()
        thread.join(30)
    assert of_state(store, uid, TrialState.RUNNING) == 0
    record = store.experiment_by_uid(uid)
    assert record is not None and record.state is ExperimentState.STOPPED


def test_no_trials_at_all_stops_it_and_it_can_go_on(manifest: Write, store: Store) -> None:
    command = "echo acc=0.5 ${trialParameters.x}; test -e go || sleep 600"
    path = manifest(command, maxTrialCount=2)
    enrolled(store, path)
    _, thread, uid = running(store)
    until(lambda: of_state(store, uid, TrialState.RUNNING) == 1)
    stopped = cli("run", manifest(command, maxTrialCount=0))
    assert stopped.exit_code == 0 and "stops" in stopped.stderr
    thread.join(30)
    record = store.experiment_by_uid(uid)
    assert record is not None and record.state is ExperimentState.STOPPED

    # `Never` is about experiments that ended, not about interrupted ones.
    (path.parent / "go").touch()
    assert cli("run", manifest(command, maxTrialCount=2)).exit_code == 0
    assert of_state(store, uid, TrialState.SUCCEEDED) == 2


def test_no_trials_of_an_unknown_experiment_is_an_error(manifest: Write) -> None:
    result = cli("run", manifest(maxTrialCount=0))
    assert result.exit_code == 2 and "there is none called 'short'" in result.stderr


def test_what_is_not_done_as_in_a_cluster_is_said(manifest: Write) -> None:
    path = manifest(maxTrialCount=1)
    document = yaml.safe_load(path.read_text())
    del document["spec"]["trialTemplate"]["primaryContainerName"]
    pod = document["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]
    pod["containers"].append({"name": "proxy", "image": "p", "command": ["p"]})
    pod["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "c"}}]
    path.write_text(yaml.safe_dump(document))
    assert "primaryContainerName" in cli("validate", path).stderr
    said = cli("run", path)
    assert said.exit_code == 0
    for words in ("proxy do not run", "'data' (persistentVolumeClaim)"):
        assert words in said.stderr


@pytest.mark.parametrize(
    ("container", "message"),
    [
        ({"command": None}, "has no command"),
        ({"resources": {"limits": {"nvidia.com/gpu": 5}}}, "asks for 5 GPUs; this machine has 2"),
        (
            {"env": [{"name": "K", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]},
            "K comes from 's', which is not on this machine",
        ),
        (
            {"envFrom": [{"configMapRef": {"name": "settings"}}]},
            "envFrom[0]: the ConfigMap 'settings' is not given; give it by --with FILE",
        ),
    ],
)
def test_what_cannot_run_here_is_told_before_it_starts(
    manifest: Write,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    container: dict[str, Any],
    message: str,
) -> None:
    monkeypatch.setenv("HPO_LAB_GPUS", "0,1")
    path = manifest("echo ${trialParameters.x}", maxTrialCount=1)
    document = yaml.safe_load(path.read_text())
    template = document["spec"]["trialTemplate"]
    main = template["trialSpec"]["spec"]["template"]["spec"]["containers"][0]
    main |= {"args": ["${trialParameters.x}"], **container}
    if main["command"] is None:
        del main["command"]
    path.write_text(yaml.safe_dump(document))
    result = cli("run", path)
    assert result.exit_code == 2 and message in result.stderr
    assert store.experiments() == []


@pytest.mark.parametrize("engine", ["dockr", "podman"])
def test_a_container_engine_that_is_not_there(manifest: Write, engine: str) -> None:
    result = cli("run", manifest(maxTrialCount=1), "--runtime", engine)
    assert result.exit_code == 2 and "--runtime" in result.stderr and engine in result.stderr
