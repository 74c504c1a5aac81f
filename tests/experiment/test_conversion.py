"""Between our own documents and those that Katib can run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hpo_lab.experiment.conversion import from_katib, to_katib
from hpo_lab.experiment.manifest import parse_manifest, read_manifest
from hpo_lab.experiment.model import API_VERSION
from hpo_lab.experiment.rendering import render_trial
from hpo_lab.problems import InvalidInput
from tests.experiment.manifests import (
    Change,
    as_jax_job,
    experiment,
    job,
    parameter,
    spec,
    template,
)
from tests.experiment.test_rendering import ASSIGNED, GO_TEMPLATE
from tests.manifest_reading import parse_text

CONFORMANCE = Path(__file__).parent.parent / "conformance"


def ours(change: Change = lambda document: None) -> Change:
    def both(document: dict[str, Any]) -> None:
        document["apiVersion"] = API_VERSION
        change(document)

    return both


def implied(document: dict[str, Any]) -> None:
    template = document["spec"]["trialTemplate"]
    template.pop("trialParameters")
    template.pop("primaryContainerName")
    pod = template["trialSpec"]["spec"]["template"]["spec"]
    pod.pop("restartPolicy")
    pod["containers"][0]["command"] = ["${trialParameters.lr}", "${trialParameters.layers}"]


@pytest.mark.parametrize(
    "change",
    [
        ours(),
        implied,
        spec(trialTemplate={"goTemplate": {"rawTemplate": GO_TEMPLATE}}),
        job(as_jax_job),
        job(lambda job: job.update(metadata={"name": "fixed", "labels": {"a": "b"}})),
        parameter(1, parameterType="int", feasibleSpace={"list": ["2", "5"]}),
        ours(parameter(1, parameterType="categorical", feasibleSpace={"list": [5, True, None]})),
        ours(parameter(0, feasibleSpace={"min": 0.01, "max": 1, "distribution": "logUniform"})),
    ],
)
def test_katib_accepts_what_it_gets_and_makes_the_same_trials_of_it(change: Change) -> None:
    one = experiment(change)
    document, lost = to_katib(one)
    assert lost == []
    again = parse_manifest(document)
    assert again.warnings == ()
    assert again.experiment.api_version == "kubeflow.org/v1beta1"
    assert render_trial(again.experiment, "t", ASSIGNED) == render_trial(one, "t", ASSIGNED)


def test_values_are_text() -> None:
    document, _ = to_katib(
        experiment(
            ours(parameter(1, parameterType="categorical", feasibleSpace={"list": [5, True, "a"]}))
        )
    )
    spaces = [each["feasibleSpace"] for each in document["spec"]["parameters"]]
    assert spaces == [{"min": "0.01", "max": "0.03"}, {"list": ["5", "true", "a"]}]


def test_what_katib_does_not_know_is_dropped_and_named() -> None:
    def extend(document: dict[str, Any]) -> None:
        document["spec"].update(
            seed=1,
            activeDeadlineSeconds=60,
            trialActiveDeadlineSeconds=10,
            initialPoints=[{"lr": 0.02, "layers": 3}],
            enqueuedPoints=[{"layers": 4}],
            warmStart=["earlier"],
        )
        document["spec"]["parameters"][0]["when"] = "layers > 2"
        document["status"] = {"trials": 3}

    document, lost = to_katib(experiment(ours(extend)))
    assert {warning.where for warning in lost} == {
        "spec.seed",
        "spec.activeDeadlineSeconds",
        "spec.trialActiveDeadlineSeconds",
        "spec.initialPoints",
        "spec.enqueuedPoints",
        "spec.warmStart",
        "spec.parameters[0].when",
    }
    assert document == to_katib(experiment())[0]


def test_a_trial_in_a_notebook_cannot_be_run_by_katib() -> None:
    notebook = {"apiVersion": API_VERSION, "kind": "NotebookTrial", "spec": {}}
    _, (warning,) = to_katib(experiment(ours(spec(trialTemplate={"trialSpec": notebook}))))
    assert warning.where == "spec.trialTemplate.trialSpec.kind"
    assert "'NotebookTrial'" in warning.message


def test_what_a_config_map_hides_has_to_be_said() -> None:
    source = {"configMapName": "a", "configMapNamespace": "b", "templatePath": "c"}
    _, lost = to_katib(experiment(spec(trialTemplate={"configMap": source})))
    assert [warning.where for warning in lost] == [
        "spec.trialTemplate.primaryContainerName",
        "spec.trialTemplate.trialParameters",
        "spec.trialTemplate",
    ]


def test_a_katib_experiment_becomes_ours_and_back() -> None:
    one = experiment(template(retain=True))
    mine = from_katib(one)
    assert mine.api_version == API_VERSION
    assert (
        parse_manifest(to_katib(mine)[0]).experiment == parse_manifest(to_katib(one)[0]).experiment
    )


def test_the_document_has_no_parameters_where_an_architecture_is_searched() -> None:
    nas = parse_text(
        """
        apiVersion: kubeflow.org/v1beta1
        kind: Experiment
        metadata: {name: nas}
        spec:
          objective: {type: maximize, objectiveMetricName: accuracy}
          algorithm: {algorithmName: enas}
          nasConfig:
            graphConfig: {numLayers: 8, inputSizes: [32, 32, 3], outputSizes: [10]}
            operations:
            - operationType: convolution
              parameters:
              - {name: size, parameterType: categorical, feasibleSpace: {list: [3, 5]}}
        """
    )
    spec_document = to_katib(nas)[0]["spec"]
    assert "parameters" not in spec_document
    assert spec_document["nasConfig"]["graphConfig"]["inputSizes"] == [32, 32, 3]
    (operation,) = spec_document["nasConfig"]["operations"]
    assert operation["parameters"][0]["feasibleSpace"]["list"] == ["3", "5"]


TEXT, INTEGER, NUMBER, FLAG = (str,), (int,), (int, float), (bool,)
KATIB_TYPES = {
    **dict.fromkeys(("name", "value", "min", "max", "step", "distribution", "reference"), TEXT),
    **dict.fromkeys(("parameterType", "algorithmName", "objectiveMetricName", "type"), TEXT),
    **dict.fromkeys(("parallelTrialCount", "maxTrialCount", "maxFailedTrialCount"), INTEGER),
    **dict.fromkeys(("successCondition", "failureCondition", "resumePolicy", "path"), TEXT),
    "goal": NUMBER,
    "retain": FLAG,
    "numLayers": INTEGER,
    "list": TEXT,
}
"""The Go types of the fields of Katib's API; of a list, those of its entries."""


def of_katibs_types(value: Any, name: str = "") -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in ("trialSpec", "customCollector", "status"):
                of_katibs_types(item, key)
    elif isinstance(value, list):
        for item in value:
            of_katibs_types(item, name)
    elif name in KATIB_TYPES:
        assert type(value) in KATIB_TYPES[name], (name, value)


@pytest.mark.parametrize("path", sorted(CONFORMANCE.rglob("*.yaml")), ids=lambda path: path.stem)
def test_every_field_has_the_type_of_katibs_api(path: Path) -> None:
    try:
        manifest = read_manifest(path)
    except InvalidInput:
        pytest.skip("is no sound manifest")
    document, _ = to_katib(manifest.experiment)
    of_katibs_types(document)


def test_numbers_become_the_texts_that_katib_reads() -> None:
    sloppy = parameter(
        1, parameterType="int", feasibleSpace={"min": 2.0, "max": "5.0", "step": 1.0}
    )
    document, _ = to_katib(experiment(ours(sloppy)))
    space = document["spec"]["parameters"][1]["feasibleSpace"]
    assert space == {"min": "2", "max": "5", "step": "1"}
    of_katibs_types(document)
