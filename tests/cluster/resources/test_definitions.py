"""The CustomResourceDefinitions: structure, files, and the manifests that they take."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.cluster.resources.__main__ import main
from hpo_lab.cluster.resources.definitions import GROUP, KATIB_GROUP, definitions
from hpo_lab.cluster.resources.files import deploy_files
from hpo_lab.cluster.resources.objects import experiment_resource, read_experiment_resource
from hpo_lab.experiment.model import ExperimentDocument
from hpo_lab.experiment.yaml_text import read_documents
from hpo_lab.problems import InvalidInput
from tests.cluster.resources.structural import definition, errors, parts, schema
from tests.experiment.manifests import KATIB, changed, collector, experiment, parameter, spec
from tests.manifest_reading import parse, read

ROOT = Path(__file__).parents[3]
SEEDS = ROOT / "tests" / "conformance"
NO_EXPERIMENTS = {"000-optuna-postgres", "004-pytorchjob-template"}
MANIFESTS = sorted(path for path in SEEDS.glob("*.yaml") if path.stem not in NO_EXPERIMENTS)


@pytest.mark.parametrize("name", deploy_files())
def test_the_files_are_those_of_the_models(name: str) -> None:
    assert (ROOT / "deploy" / name).read_text() == deploy_files()[name], (
        "run: python -m hpo_lab.cluster.resources"
    )


def test_files_have_no_aliases() -> None:
    assert not any("&id" in text for text in deploy_files().values())


def test_no_other_file_is_beside_them(tmp_path: Path) -> None:
    main(tmp_path)
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.yaml")}
    folders = {name.rpartition("/")[0] for name in written}
    assert written == {
        path.relative_to(ROOT / "deploy").as_posix()
        for folder in folders
        for path in (ROOT / "deploy" / folder).iterdir()
    }


def test_both_groups_serve_the_same() -> None:
    for ours, katibs in zip(definitions(GROUP), definitions(KATIB_GROUP), strict=True):
        assert katibs["metadata"]["name"].partition(".")[2] == "kubeflow.org"
        assert ours["metadata"]["name"].partition(".")[2] == "hpolab.dev"
        assert ours["spec"]["versions"] == katibs["spec"]["versions"]


@pytest.mark.parametrize("kind", ["Experiment", "Suggestion", "Trial"])
def test_a_schema_is_structural_and_everything_in_it_is_bounded(kind: str) -> None:
    for path, part in parts(schema(kind)):
        keeps = part.get("x-kubernetes-preserve-unknown-fields")
        assert "type" in part or keeps or part.get("x-kubernetes-int-or-string"), path
        match part.get("type"):
            case "array":
                assert "items" in part and "maxItems" in part, path
                assert "x-kubernetes-list-type" in part, path
            case "object":
                assert not ("properties" in part and "additionalProperties" in part), path
                assert "additionalProperties" not in part or "maxProperties" in part, path
            case "string" if path not in (".apiVersion", ".kind"):
                assert part.keys() & {"maxLength", "enum", "format"}, path
        for key in part.get("x-kubernetes-list-map-keys", ()):
            assert key in part["items"]["required"], path


def test_only_what_has_no_type_is_kept_as_it_is() -> None:
    kept = {
        path.removeprefix(".spec")
        for path, part in parts(schema("Experiment"))
        if part.get("x-kubernetes-preserve-unknown-fields")
    }
    assert {path for path in kept if not path.endswith("[]")} == {
        ".trialTemplate.trialSpec",
        ".metricsCollectorSpec.collector.customCollector",
    }
    # Values of choices and points, which are scalars of any type.
    assert {path for path in kept if path.endswith("[]")} == {
        ".parameters[].feasibleSpace.list[]",
        ".nasConfig.operations[].parameters[].feasibleSpace.list[]",
        ".initialPoints[][]",
        ".enqueuedPoints[][]",
    }


def test_every_field_of_the_model_is_in_the_schema() -> None:
    properties = schema("Experiment")["properties"]["spec"]["properties"]
    fields = ExperimentDocument.model_fields["spec"].annotation
    assert fields is not None
    assert list(properties) == [field.alias for field in fields.model_fields.values()]
    assert properties["parallelTrialCount"]["default"] == 3
    assert properties["resumePolicy"]["default"] == "Never"


def test_columns_show_how_an_experiment_goes() -> None:
    (version,) = definition("Experiment")["spec"]["versions"]
    columns = version["additionalPrinterColumns"]
    shown = [column["name"] for column in columns if not column.get("priority")]
    assert shown == ["Type", "Status", "Best", "Running", "Succeeded", "Failed", "Age"]
    for column in columns:
        names = column["jsonPath"].removeprefix(".").replace("[-1:]", "").split(".")
        part = schema("Experiment")
        for name in names if names[0] != "metadata" else ():
            part = part.get("items", part)["properties"][name]


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_the_schema_takes_katibs_manifests_as_they_are_and_as_we_write_them(path: Path) -> None:
    documents = read_documents(path.read_text())
    (document,) = (each for each in documents if each["kind"] == "Experiment")
    assert errors("Experiment", document) == []
    assert errors("Experiment", experiment_resource(read(path))) == []


def test_an_object_is_read_as_its_manifest() -> None:
    resource = experiment_resource(experiment())
    resource["metadata"] |= {
        "uid": "1",
        "resourceVersion": "7",
        "managedFields": [{}],
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "note": "mine"},
        "labels": {"team": "vision"},
    }
    resource["status"] = {"trials": 3}
    again = read_experiment_resource(resource).experiment
    assert again.spec == experiment().spec
    assert again.metadata.to_document() == {
        "name": "random-example",
        "namespace": "kubeflow",
        "labels": {"team": "vision"},
        "annotations": {"note": "mine"},
    }
    assert again.status is None


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20)
)


@given(st.lists(scalars, min_size=1, max_size=5))
def test_choices_keep_their_types(values: list[Any]) -> None:
    document = copy.deepcopy(KATIB)
    document["apiVersion"] = "hpolab.dev/v1beta1"
    document["spec"]["parameters"][0] = {
        "name": "lr",
        "parameterType": "categorical",
        "feasibleSpace": {"list": values},
    }
    try:
        described = parse(document)
    except InvalidInput:
        return
    resource = experiment_resource(described)
    assert errors("Experiment", resource) == []
    assert read_experiment_resource(resource).experiment == described


bounds = st.one_of(
    st.integers(-(2**53), 2**53), st.floats(-1e300, 1e300), st.decimals(-9, 9).map(str)
)


@given(bounds, bounds)
def test_bounds_are_texts_that_the_schema_takes(low: Any, high: Any) -> None:
    change = parameter(0, feasibleSpace={"min": low, "max": high})
    document = changed(change) | {"apiVersion": "hpolab.dev/v1beta1"}
    try:
        described = parse(document)
    except InvalidInput:
        return
    assert errors("Experiment", experiment_resource(described)) == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (spec(parallelTrialCount=0), "$.spec.parallelTrialCount"),
        (spec(parallelTrialCount="3"), "$.spec.parallelTrialCount"),
        (spec(maxTrialCount=0), "$.spec.maxTrialCount"),
        (spec(maxFailedTrialCount=-1), "$.spec.maxFailedTrialCount"),
        (spec(activeDeadlineSeconds=0), "$.spec.activeDeadlineSeconds"),
        (spec(resumePolicy="Always"), "$.spec.resumePolicy"),
        (spec(seed=-1), "$.spec.seed"),
        (spec(trials=3), "$.spec"),
        (spec(objective={"type": "best", "objectiveMetricName": "a"}), "$.spec.objective.type"),
        (parameter(0, parameterType="float"), "$.spec.parameters[0].parameterType"),
        (parameter(0, name=""), "$.spec.parameters[0].name"),
        (
            parameter(0, feasibleSpace={"min": "low"}),
            "$.spec.parameters[0].feasibleSpace.min",
        ),
        (parameter(0, feasibleSpace={"min": 0.5}), "$.spec.parameters[0].feasibleSpace.min"),
        (collector("Files"), "$.spec.metricsCollectorSpec.collector.kind"),
        (
            collector("File", {"fileSystemPath": {"path": "here"}}),
            "$.spec.metricsCollectorSpec.source.fileSystemPath.path",
        ),
    ],
)
def test_the_schema_refuses_what_is_wrong(change: Any, where: str) -> None:
    problems = errors("Experiment", changed(change))
    assert [problem.partition(": ")[0] for problem in problems][:1] == [where]
