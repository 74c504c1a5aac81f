"""The manifests of the documents run on this machine, to their terminal conditions.

Their images' programs are stood in for by small ones of the same arguments and output
(`programs/`). A manifest is changed only as far as `changed` says.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from hpo_lab.cli import main
from hpo_lab.experiment.model import ExperimentDocument
from hpo_lab.experiment.trial import TrialState, objective_value
from hpo_lab.store import Store, open_store
from tests.manifest_reading import parse

HERE = Path(__file__).parent
MAPS = {
    "/opt/mxnet-mnist": "mxnet-mnist",
    "/opt/pytorch-mnist": "pytorch-mnist",
    "/opt/model": "model",
    "/var/tf_mnist": "tf_mnist",
    "/scripts": "scripts",
}


def job(*command: str) -> dict[str, Any]:
    """A trial template around one command."""
    container = {"name": "main", "image": "x", "command": list(command)}
    pod = {"containers": [container], "restartPolicy": "Never"}
    return {
        "primaryContainerName": "main",
        "trialSpec": {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "spec": {"template": {"spec": pod}},
        },
    }


Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`run("003-mnist-tuning", {"maxTrialCount": 3})`: run a document's manifest."""

    def invoke(
        name: str,
        changed: Mapping[str, Any] | None = None,
        template: Mapping[str, Any] | None = None,
    ) -> Result:
        document = yaml.safe_load((HERE / f"{name}.yaml").read_text())
        document["spec"] |= changed or {}
        folder = tmp_path / "manifest"
        shutil.copytree(HERE / "programs", folder, dirs_exist_ok=True)
        (folder / "experiment.yaml").write_text(yaml.safe_dump(document))
        options = [word for path, at in MAPS.items() for word in ("--map", f"{path}={folder / at}")]
        if template is not None:
            (folder / "template.yaml").write_text(yaml.safe_dump(template))
            options += ["--template", str(folder / "template.yaml")]
        arguments = ["run", str(folder / "experiment.yaml"), *options, "--json"]
        return CliRunner(catch_exceptions=False).invoke(main, arguments)

    return invoke


@pytest.fixture
def store() -> Store:
    return open_store()


def ended(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def shown(name: str) -> ExperimentDocument:
    """What `hpo-lab show -o yaml` prints, which is a manifest itself."""
    result = CliRunner(catch_exceptions=False).invoke(main, ["show", name, "-o", "yaml"])
    assert result.exit_code == 0, result.stderr
    return parse(yaml.safe_load(result.stdout))


RANDOM = {"algorithmName": "random"}


@pytest.mark.parametrize(
    ("name", "changed", "trials"),
    [
        ("002-random-example", {}, 12),
        ("002-tfjob-example", {"maxTrialCount": 3}, 3),
        ("003-file-metrics", {"maxTrialCount": 3}, 3),
        ("003-mnist-tuning", {"maxTrialCount": 3}, 3),
        ("003-tfjob-tuning", {"maxTrialCount": 3, "algorithm": RANDOM}, 3),
        ("004-bayesian-optimization", {"maxTrialCount": 3, "algorithm": RANDOM}, 3),
    ],
)
def test_a_manifest_runs_to_its_terminal_condition(
    run: Run, store: Store, name: str, changed: dict[str, Any], trials: int
) -> None:
    summary = ended(run(name, changed))
    assert summary["state"] == "Succeeded"
    (record,) = store.experiments()
    objective = record.document.spec.objective
    found = {trial.number: objective_value(objective, trial) for trial in store.trials(record.uid)}
    assert len(found) == trials and None not in found.values()

    status = shown(f"{record.namespace}/{record.name}").status
    assert status is not None
    best = status["currentOptimalTrial"]
    pick = max if objective.type.value == "maximize" else min
    number = pick(found, key=lambda number: (found[number], -number))
    if len(set(found.values())) == len(found):
        assert best["bestTrialName"] == f"{record.name}-{number}"
    assert {one["name"]: one["value"] for one in best["parameterAssignments"]}.keys() == {
        parameter.name for parameter in record.document.spec.parameters
    }
    metric = best["observation"]["metrics"][0]
    assert metric["name"] == objective.objective_metric_name
    strategy = objective.strategy(objective.objective_metric_name).value
    assert float(metric[strategy]) == found[number]
    assert status["trials"] == status["trialsSucceeded"] == trials
    conditions = {one["type"]: one for one in status["conditions"]}
    assert conditions["Succeeded"]["status"] == "True"
    assert conditions["Succeeded"]["reason"] == "ExperimentMaxTrialsReached"
    assert conditions["Running"]["status"] == "False"


# Of eight epochs. After the first trials, a third learns nothing and would not end by itself.
TRAINING = """
import os, sys, time
rate = float(sys.argv[1])
bad = os.environ["KATIB_TRIAL_NAME"].rpartition("-")[2] not in "012345" and rate < 0.04
for epoch in range(1, 9):
    print(f"accuracy={0.1 if bad else 0.5 + rate + epoch / 100}", flush=True)
    time.sleep(0.02)
time.sleep(600 * bad)
"""


def test_trials_of_the_early_stopping_manifest_are_stopped(run: Run, store: Store) -> None:
    template = job("python", "-c", TRAINING, "${trialParameters.rate}")
    template["trialParameters"] = [{"name": "rate", "reference": "learning_rate"}]
    ended(run("003-early-stopping-example", {"seed": 0}, template))
    (record,) = store.experiments()
    trials = store.trials(record.uid)
    stopped = [trial for trial in trials if trial.state is TrialState.EARLY_STOPPED]
    assert stopped and len(trials) == 20
    assert {t.state for t in trials} == {TrialState.EARLY_STOPPED, TrialState.SUCCEEDED}
    assert all(trial.metrics["accuracy"].count >= 5 for trial in stopped)
    status = shown(f"{record.namespace}/{record.name}").status
    assert status is not None
    assert status["trialsEarlyStopped"] == len(stopped) == len(status["earlyStoppedTrialList"])
    assert status["trialsSucceeded"] == 20 - len(stopped)


def test_event_files_are_read_from_the_folder_of_each_trial(run: Run, store: Store) -> None:
    ended(run("002-tfjob-example", {"maxTrialCount": 3}))
    (record,) = store.experiments()
    for trial in store.trials(record.uid):
        seen = store.observations(record.uid, trial.number)
        rate = trial.assignments["learning_rate"]
        assert [one.step for one in seen] == [0, 1, 2]
        assert seen[-1].value == pytest.approx(0.9 - abs(rate - 0.03))


def test_a_master_and_two_workers_meet_and_the_master_counts(run: Run, store: Store) -> None:
    template = yaml.safe_load((HERE / "004-pytorchjob-template.yaml").read_text())
    space = {"parameterType": "double", "feasibleSpace": {"min": "0.01", "max": "0.9"}}
    changed = {
        "parameters": [{"name": name, **space} for name in ("lr", "momentum")],
        "objective": {"type": "minimize", "objectiveMetricName": "loss"},
        "maxTrialCount": 3,
        "parallelTrialCount": 3,
    }
    ended(run("003-random-search", changed, template))
    (record,) = store.experiments()
    for trial in store.trials(record.uid):
        lr, momentum = trial.assignments["lr"], trial.assignments["momentum"]
        loss = (lr - 0.02) ** 2 + (momentum - 0.7) ** 2
        assert trial.metrics["loss"].latest == pytest.approx(loss)
        assert trial.metrics["loss"].count == 1


def test_a_manifest_without_a_template_says_so_and_runs_with_one(run: Run, store: Store) -> None:
    bare = run("003-random-search")
    assert bare.exit_code == 2
    assert "spec.trialTemplate" in bare.stderr and "is missing" in bare.stderr
    assert store.experiments() == []

    with_one = job("sh", "-c", "echo accuracy=${trialParameters.learning_rate} batch_size=1")
    with_one["trialParameters"] = [
        {"name": "learning_rate", "reference": "learning_rate"},
        {"name": "batchSize", "reference": "batch_size"},
    ]
    container = with_one["trialSpec"]["spec"]["template"]["spec"]["containers"][0]
    container["args"] = ["${trialParameters.batchSize}"]
    ended(run("003-random-search", {"maxTrialCount": 3}, with_one))
    (record,) = store.experiments()
    assert [trial.state for trial in store.trials(record.uid)] == [TrialState.SUCCEEDED] * 3


def test_a_custom_collector_runs_beside_the_trial(run: Run, store: Store) -> None:
    template = job("sh", "-c", "printf %s ${trialParameters.lr} > left-by-$KATIB_TRIAL_NAME")
    ended(run("003-custom-metrics", {"maxTrialCount": 3}, template))
    (record,) = store.experiments()
    for trial in store.trials(record.uid):
        assert trial.metrics["accuracy"].latest == trial.assignments["lr"]


SERVER = """
import http.server, threading, time
values = iter([0.1, 0.2, ${trialParameters.lr}])
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        value = next(values, None)
        if value is None:
            threading.Thread(target=server.shutdown).start()
            value = ${trialParameters.lr}
        self.wfile.write(f'# HELP x\\naccuracy{{job="a"}} {value}\\n'.encode())
    def log_message(self, *args): pass
http.server.HTTPServer.allow_reuse_address = True
server = http.server.HTTPServer(("127.0.0.1", PORT), Handler)
server.serve_forever()
"""


def test_served_metrics_are_asked_for_one_trial_after_the_other(
    run: Run, store: Store, unused_port: int
) -> None:
    template = job("python", "-c", SERVER.replace("PORT", str(unused_port)))
    collector = {
        "collector": {"kind": "PrometheusMetric"},
        "source": {"httpGet": {"path": "/metrics", "port": unused_port}},
    }
    changed = {"maxTrialCount": 2, "parallelTrialCount": 2, "metricsCollectorSpec": collector}
    ended(run("003-prometheus-metrics", changed, template))
    (record,) = store.experiments()
    for trial in store.trials(record.uid):
        seen = [one.value for one in store.observations(record.uid, trial.number)]
        assert seen == [0.1, 0.2, trial.assignments["lr"]]


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


EPOCHS = {
    "name": "epochs",
    "parameterType": "int",
    "feasibleSpace": {"min": "1", "max": "3"},
}


def test_a_template_that_names_nothing_is_an_error(run: Run) -> None:
    result = run("003-hyperband", {"parameters": [EPOCHS]})
    assert result.exit_code == 2
    assert "${trialParameters.resources} names nothing" in result.stderr


def test_hyperband_without_its_resource_says_what_it_needs(run: Run) -> None:
    unknown = run("003-hyperband")
    assert unknown.exit_code == 2
    assert "resource_name is 'epochs'; must be one of the parameters" in unknown.stderr
    unnamed = run("003-pytorchjob-tuning")
    assert unnamed.exit_code == 2
    assert "lacks 'resource_name'" in unnamed.stderr


def test_hyperband_runs_every_rung_of_every_bracket(run: Run, store: Store) -> None:
    document = yaml.safe_load((HERE / "003-hyperband.yaml").read_text())
    template = document["spec"]["trialTemplate"]
    template["trialParameters"] = [
        {"name": "learning_rate", "reference": "learning_rate"},
        {"name": "resources", "reference": "epochs"},
    ]
    changed = {"parameters": [*document["spec"]["parameters"], EPOCHS]}
    summary = ended(run("003-hyperband", {**changed, "trialTemplate": template}))
    assert summary["state"] == "Succeeded"
    (record,) = store.experiments()
    trials = store.trials(record.uid)
    found = Counter((one.labels["bracket"], one.assignments["epochs"]) for one in trials)
    assert found == {("1", 1): 3, ("1", 3): 1, ("0", 3): 2}
    status = shown(f"{record.namespace}/{record.name}").status
    assert status is not None
    (condition,) = [one for one in status["conditions"] if one["type"] == "Succeeded"]
    assert condition["reason"] == "ExperimentSuggestionEndReached"


def test_replicas_are_given_the_resource_of_their_rung(run: Run, store: Store) -> None:
    document = yaml.safe_load((HERE / "003-pytorchjob-tuning.yaml").read_text())
    template = document["spec"]["trialTemplate"]
    template["trialParameters"].append({"name": "epochs", "reference": "epochs"})
    master = template["trialSpec"]["spec"]["pytorchReplicaSpecs"]["Master"]["template"]
    master["spec"]["containers"][0]["env"] = [
        {"name": "EPOCHS", "value": "${trialParameters.epochs}"}
    ]
    given = {"resource_name": "epochs"}
    changed = {
        "parameters": [*document["spec"]["parameters"], EPOCHS],
        "algorithm": {
            **document["spec"]["algorithm"],
            "algorithmSettings": [{"name": name, "value": text} for name, text in given.items()],
        },
        "trialTemplate": template,
    }
    ended(run("003-pytorchjob-tuning", changed))
    (record,) = store.experiments()
    trials = store.trials(record.uid)
    assert Counter(one.assignments["epochs"] for one in trials) == {1: 3, 3: 3}
    assert {one.state for one in trials} == {TrialState.SUCCEEDED}


def test_an_unknown_algorithm_is_an_error_that_names_the_known(run: Run) -> None:
    result = run("003-pytorchjob-tuning", {"algorithm": {"algorithmName": "randon"}})
    assert result.exit_code == 2
    assert "spec.algorithm.algorithmName" in result.stderr and "random" in result.stderr


def test_architectures_are_handed_to_the_trial_and_the_genotype_is_the_optimum(
    run: Run, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    summary = ended(run("002-darts-example-gpu"))
    (record,) = store.experiments()
    (trial,) = store.trials(record.uid)
    genotype = (
        "Genotype(normal=[[('separable_convolution_3x3',0)],[('dilated_convolution_3x3',1)],"
        "[('dilated_convolution_5x5',0)]],normal_concat=range(2,6),reduce=[],"
        "reduce_concat=range(2,6))"
    )
    assert trial.state is TrialState.SUCCEEDED
    assert trial.metrics["Best-Genotype"].text == summary["text"] == genotype
    status = shown(f"{record.namespace}/{record.name}").status
    assert status is not None
    best = status["currentOptimalTrial"]
    assert best["bestTrialName"] == "darts-example-gpu-0"
    assert best["observation"]["metrics"] == [
        {
            "name": "Best-Genotype",
            "min": "unavailable",
            "max": "unavailable",
            "latest": genotype,
        }
    ]
