"""Manifests as they are found in documents about Katib: input to accept."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpo_lab.experiment.collector import CollectorKind, FileFormat, PathKind
from hpo_lab.experiment.conversion import to_katib
from hpo_lab.experiment.manifest import (
    dump,
    parse_manifest,
    parse_template,
    read_manifest,
    read_template,
    with_template,
)
from hpo_lab.experiment.model import ParameterType
from hpo_lab.experiment.rendering import render_trial
from hpo_lab.experiment.rules import run_problems
from hpo_lab.problems import InvalidInput
from tests.manifest_reading import parse_text, read

SEEDS = Path(__file__).parents[1] / "conformance"
CONTAINER = "spec.trialTemplate.primaryContainerName"
IMPLIED = "spec.trialTemplate.trialParameters"
RESTARTS = "spec.trialTemplate.trialSpec.spec.template.spec.restartPolicy"
COLLECTOR = "spec.metricsCollectorSpec"

# File, where there are warnings, where it lacks something to be run.
MANIFESTS: list[tuple[str, list[str], list[str]]] = [
    ("002-darts-example-gpu", ["spec.nasConfig.operations[4].parameters", CONTAINER], []),
    ("002-random-example", ["spec.trialTemplate.goTemplate"], []),
    ("002-tfjob-example", [CONTAINER], []),
    ("003-bayesian-optimization", [], ["spec.trialTemplate"]),
    ("003-custom-metrics", [f"{COLLECTOR}.collector.customCollector"], ["spec.trialTemplate"]),
    ("003-early-stopping-example", [], ["spec.trialTemplate"]),
    (
        "003-file-metrics",
        [f"{COLLECTOR}.source.fileSystemPath.format", CONTAINER, IMPLIED, RESTARTS],
        [],
    ),
    (
        "003-grid-search",
        ["spec.parameters[0].feasibleSpace.list", "spec.parameters[1].feasibleSpace.list"],
        ["spec.trialTemplate"],
    ),
    (
        "003-hyperband",
        [CONTAINER, IMPLIED, RESTARTS],
        ["spec.trialTemplate.trialSpec.spec.template.spec.containers[0].command[4]"],
    ),
    ("003-mnist-tuning", [CONTAINER], []),
    ("003-prometheus-metrics", [f"{COLLECTOR}.collector.kind"], ["spec.trialTemplate"]),
    ("003-pytorchjob-tuning", [CONTAINER], []),
    ("003-random-search", [], ["spec.trialTemplate"]),
    ("003-tfjob-tuning", [CONTAINER], []),
    ("003-tpe-optimization", [], ["spec.trialTemplate"]),
    ("004-bayesian-optimization", [], []),
]
NO_MANIFESTS = {"000-optuna-postgres", "004-pytorchjob-template"}


def seed(name: str) -> Path:
    return SEEDS / f"{name}.yaml"


def test_every_seed_is_tested() -> None:
    assert {path.stem for path in SEEDS.glob("*.yaml")} == (
        {name for name, _, _ in MANIFESTS} | NO_MANIFESTS
    )


@pytest.mark.parametrize(("name", "warnings", "missing"), MANIFESTS)
def test_a_manifest_is_accepted_and_says_what_is_unusual(
    name: str, warnings: list[str], missing: list[str]
) -> None:
    manifest = read_manifest(seed(name))
    assert [warning.where for warning in manifest.warnings] == warnings
    assert [problem.where for problem in run_problems(manifest.experiment)] == missing


@pytest.mark.parametrize("name", [name for name, _, _ in MANIFESTS])
def test_a_manifest_survives_being_written(name: str) -> None:
    experiment = read(seed(name))
    assert parse_text(dump(experiment)) == experiment
    assert parse_text(dump(experiment, "json")) == experiment


@pytest.mark.parametrize("name", [name for name, _, missing in MANIFESTS if not missing])
def test_a_whole_manifest_gives_trials_and_katib_would_give_the_same(name: str) -> None:
    experiment = read(seed(name))
    assignments = {
        parameter.name: parameter.choices[0] if parameter.choices else parameter.feasible_space.min
        for parameter in experiment.spec.parameters
    } or {"algorithm-settings": "{'a': 1}", "search-space": "['b']", "num-layers": "3"}
    job = render_trial(experiment, f"{experiment.name}-0", assignments)
    assert job["metadata"]["name"] == f"{experiment.name}-0"
    assert "${" not in str(job)
    document, lost = to_katib(experiment)
    again = parse_manifest(document)
    assert lost == list(again.warnings)
    assert {warning.where for warning in lost} <= {"spec.nasConfig.operations[4].parameters"}
    rendered = render_trial(again.experiment, f"{experiment.name}-0", assignments)
    assert rendered == job


@pytest.mark.parametrize("name", [name for name, _, missing in MANIFESTS if missing])
def test_a_manifest_without_a_whole_template_runs_once_one_is_given_beside_it(name: str) -> None:
    experiment = read(seed(name))
    command = [f"${{trialParameters.{each.name}}}" for each in experiment.spec.parameters]
    container = {"name": "training", "image": "python", "command": command}
    spec = {"template": {"spec": {"containers": [container], "restartPolicy": "Never"}}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "spec": spec}
    whole = with_template(experiment, parse_template(job))
    assert run_problems(whole) == []


def test_the_go_template_gives_the_object_that_katib_gave() -> None:
    experiment = read(seed("002-random-example"))
    assigned = {"--lr": 0.02, "--num-layers": 3, "--optimizer": "sgd"}
    job = render_trial(experiment, "random-example-3", assigned)
    assert job["metadata"] == {"name": "random-example-3", "namespace": "kubeflow"}
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["name"] == "random-example-3"
    assert container["command"] == [
        "python3",
        "/opt/mxnet-mnist/mnist.py",
        "--batch-size=64",
        "--lr=0.02",
        "--num-layers=3",
        "--optimizer=sgd",
    ]


def test_collectors_have_katibs_defaults() -> None:
    spec = read(seed("003-file-metrics")).spec.metrics_collector_spec
    assert spec is not None
    path = spec.file_system_path
    assert (path.path, path.kind, path.format) == (
        "/output/metrics.txt",
        PathKind.FILE,
        FileFormat.TEXT,
    )
    spec = read(seed("002-tfjob-example")).spec.metrics_collector_spec
    assert spec is not None
    assert (spec.file_system_path.path, spec.file_system_path.kind) == (
        "/train",
        PathKind.DIRECTORY,
    )
    spec = read(seed("003-prometheus-metrics")).spec.metrics_collector_spec
    assert spec is not None and spec.kind is CollectorKind.PROMETHEUS_METRIC
    assert (spec.http_get.path, spec.http_get.port) == ("/metrics", 8080)
    spec = read(seed("003-custom-metrics")).spec.metrics_collector_spec
    assert spec is not None and spec.collector.custom_collector is not None
    assert spec.collector.custom_collector["image"] == "python:3.9"


def test_a_list_of_numbers_is_discrete() -> None:
    rate, batch = read(seed("003-grid-search")).spec.parameters
    assert rate.parameter_type is batch.parameter_type is ParameterType.DISCRETE
    assert rate.choices == (0.001, 0.01, 0.1)
    assert batch.choices == (16, 32, 64)


def test_the_operations_of_an_architecture_are_read() -> None:
    config = read(seed("002-darts-example-gpu")).spec.nas_config
    assert config is not None and config.graph_config.num_layers == 3
    sizes = {
        operation.operation_type: [each.choices for each in operation.parameters]
        for operation in config.operations
    }
    assert sizes["dilated_convolution"] == [("3", "5")]
    assert sizes["skip_connection"] == []


def test_objects_of_other_kinds_are_named() -> None:
    with pytest.raises(InvalidInput) as refused:
        read(seed("000-optuna-postgres"))
    (problem,) = refused.value.problems
    assert "4 documents (Service, StatefulSet, Job, Job)" in problem.message
    assert "one Experiment" in problem.message


def test_a_template_can_stand_alone() -> None:
    template = read_template(seed("004-pytorchjob-template"))
    assert template.kind == ("kubeflow.org/v1", "PyTorchJob")
    assert [each.reference for each in template.trial_parameters] == ["lr", "momentum"]
    assert template.pod_labels == {"training.kubeflow.org/job-role": "master"}
    with pytest.raises(InvalidInput, match="stands alone; give it beside the manifest"):
        read(seed("004-pytorchjob-template"))


def test_a_template_that_does_not_fit_is_refused() -> None:
    template = read_template(seed("004-pytorchjob-template"))
    with pytest.raises(InvalidInput, match="'lr' is no parameter of this experiment"):
        with_template(read(seed("003-random-search")), template)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "a template is a mapping"),
        ({"kind": "Experiment", "spec": {}}, "found kind, spec; a trialTemplate"),
        ({"trialTemplate": {"trialSpecs": {}}}, "did you mean 'trialSpec'"),
        ({"trialTemplate": 3}, "found 3"),
    ],
)
def test_what_is_no_template_is_refused(document: object, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        parse_template(document)
