"""Values as environment variables, of any object that a trial runs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.experiment.conversion import to_katib
from hpo_lab.experiment.environment import with_variables
from hpo_lab.experiment.manifest import dump, parse_manifest
from hpo_lab.experiment.model import API_VERSION
from hpo_lab.experiment.rendering import render_trial
from hpo_lab.experiment.rules import run_problems
from hpo_lab.problems import InvalidInput
from hpo_lab.workload.container import expand_references
from tests.experiment.manifests import (
    Change,
    as_jax_job,
    container,
    experiment,
    job,
    manifest,
    parameter,
    spec,
    template,
)
from tests.experiment.test_rendering import ASSIGNED, GO_TEMPLATE
from tests.manifest_reading import parse_text

HPO_LR, HPO_LAYERS = {"name": "HPO_LR", "value": "0.05"}, {"name": "HPO_LAYERS", "value": "5"}


def by_variables(*changes: Change) -> Change:
    """An experiment of ours whose trials get their values as variables alone."""

    def change(document: dict[str, Any]) -> None:
        document["apiVersion"] = API_VERSION
        template(environmentPrefix="HPO_")(document)
        document["spec"]["trialTemplate"].pop("trialParameters")
        container(command=["python", "train.py"])(document)
        for each in changes:
            each(document)

    return change


def containers(rendered: dict[str, Any]) -> list[dict[str, Any]]:
    pod = rendered["spec"]["template"]["spec"]
    return [*pod["containers"], *pod.get("initContainers", ())]


def test_every_container_of_a_pod_gets_them_behind_its_own() -> None:
    def init(document: dict[str, Any]) -> None:
        pod = document["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]
        pod["initContainers"] = [{"name": "first", "command": ["true"]}]

    own = {"name": "MODE", "value": "fast"}
    rendered = render_trial(experiment(by_variables(container(env=[own]), init)), "t", ASSIGNED)
    main, first = containers(rendered)
    assert main["env"] == [own, HPO_LR, HPO_LAYERS]
    assert first["env"] == [HPO_LR, HPO_LAYERS]
    annotation = rendered["metadata"]["annotations"]["hpolab.dev/assignment"]
    assert json.loads(annotation)[0] == {"name": "lr", "value": "0.05"}


def test_replicas_of_a_job_of_kubeflow_get_them_too() -> None:
    rendered = render_trial(experiment(by_variables(job(as_jax_job))), "t", ASSIGNED)
    worker = rendered["spec"]["jaxReplicaSpecs"]["Worker"]["template"]["spec"]["containers"][0]
    assert worker["env"] == [HPO_LR, HPO_LAYERS]


def test_placeholders_and_variables_go_together() -> None:
    def both(document: dict[str, Any]) -> None:
        document["apiVersion"] = API_VERSION
        template(environmentPrefix="HPO_")(document)

    rendered = render_trial(experiment(both), "t", ASSIGNED)
    assert "--lr=0.05" in containers(rendered)[0]["command"]
    assert containers(rendered)[0]["env"] == [HPO_LR, HPO_LAYERS]


def test_a_parameter_that_takes_no_part_has_no_variable() -> None:
    conditional = experiment(by_variables(parameter(0, when="layers < 3")))
    rendered = render_trial(conditional, "t", {"layers": 5})
    assert containers(rendered)[0]["env"] == [HPO_LAYERS]


def test_it_is_whole_without_placeholders_and_survives_the_manifest() -> None:
    whole = experiment(by_variables())
    assert run_problems(whole) == []
    assert parse_text(dump(whole)) == whole


@given(st.text() | st.from_regex(r"[$()A-Z]{1,8}", fullmatch=True))
def test_a_value_arrives_as_it_is(text: str) -> None:
    rendered = with_variables({"kind": "TrainJob"}, "P_", {"x": text, "a": ""})
    entry = rendered["spec"]["trainer"]["env"][0]
    assert expand_references(entry["value"], {"A": "other", "": "other"}) == text


@pytest.mark.parametrize(
    ("change", "where", "message"),
    [
        (
            template(environmentPrefix="1_"),
            "environmentPrefix",
            "'1_' begins no name of a variable",
        ),
        (
            template(environmentPrefix="A="),
            "environmentPrefix",
            "'A=' begins no name of a variable",
        ),
        (
            template(trialSpec={"apiVersion": API_VERSION, "kind": "NotebookTrial", "spec": {}}),
            "environmentPrefix",
            "is for objects of a cluster; a trial is a NotebookTrial",
        ),
        (
            container(env=[{"name": "HPO_LR", "value": "1"}]),
            "trialSpec.spec.template.spec.containers[0].env[0].name",
            "'HPO_LR' is the variable of 'lr'",
        ),
    ],
)
def test_what_is_wrong_is_told(change: Change, where: str, message: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        experiment(by_variables(change))
    (problem,) = raised.value.problems
    assert problem.where == f"spec.trialTemplate.{where}"
    assert message in problem.message


def test_katib_ignores_the_field() -> None:
    def of_katib(document: dict[str, Any]) -> None:
        by_variables()(document)
        document["apiVersion"] = "kubeflow.org/v1beta1"

    (warning,) = manifest(of_katib).warnings
    assert warning.where == "spec.trialTemplate.environmentPrefix"
    assert "Katib does not know this field" in warning.message


@pytest.mark.parametrize(
    "change",
    [
        by_variables(),
        by_variables(job(as_jax_job)),
        by_variables(
            spec(
                trialTemplate={
                    "goTemplate": {"rawTemplate": GO_TEMPLATE},
                    "environmentPrefix": "HPO_",
                }
            )
        ),
        by_variables(
            template(trialParameters=[{"name": "rate", "reference": "lr"}]),
            container(command=["train", "--lr=${trialParameters.rate}"]),
        ),
    ],
)
def test_katib_makes_the_same_trials(change: Change) -> None:
    one = experiment(change)
    document, lost = to_katib(one)
    assert lost == []
    there = render_trial(parse_manifest(document).experiment, "t", ASSIGNED)
    here = render_trial(one, "t", ASSIGNED)
    here["metadata"].pop("annotations", None)
    there["metadata"].pop("annotations", None)
    assert there == here
