"""From an assignment to the object a trial runs."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpo_lab.experiment.model import ExperimentDocument
from hpo_lab.experiment.rendering import render_trial
from hpo_lab.experiment.yaml_text import read_documents
from hpo_lab.problems import InvalidInput
from tests.experiment.manifests import KATIB, experiment, job, parameter, spec, template

ASSIGNED = {"lr": 0.05, "layers": 5}
CONFIG_MAP = {"configMapName": "templates", "configMapNamespace": "kubeflow", "templatePath": "t"}
TEXT_TEMPLATE = """
apiVersion: kubeflow.org/v1
kind: TFJob
metadata:
  labels: {team: vision}
spec:
  tfReplicaSpecs:
    Worker:
      replicas: ${trialParameters.numberLayers}
      note: "${trialParameters.learningRate}"
      flow: [a, ${trialParameters.learningRate}]
      script: |
        lr = ${trialParameters.learningRate}
"""
GO_TEMPLATE = """
apiVersion: batch/v1
kind: Job
metadata:
  name: {{.Trial}}
  namespace: {{.NameSpace}}
spec:
  template:
    spec:
      containers:
      - name: {{.Trial}}
        command:
        - "python3"
        {{- with .HyperParameters}}
        {{- range .}}
        - "{{.Name}}={{.Value}}"
        {{- end}}
        {{- end}}
      restartPolicy: Never
"""


def with_trial_spec(trial_spec: dict[str, Any], *parameters: tuple[str, str]) -> ExperimentDocument:
    named = [{"name": name, "reference": reference} for name, reference in parameters]
    return experiment(template(trialSpec=trial_spec, trialParameters=named))


def with_config_map(config_map: dict[str, str] = CONFIG_MAP) -> ExperimentDocument:
    def change(document: dict[str, Any]) -> None:
        document["spec"]["trialTemplate"].pop("trialSpec")
        document["spec"]["trialTemplate"]["configMap"] = config_map

    return experiment(change)


def with_go_template(text: str = GO_TEMPLATE) -> ExperimentDocument:
    return experiment(spec(trialTemplate={"goTemplate": {"rawTemplate": text}}))


def test_a_trial_is_its_template_with_the_values_in_place() -> None:
    expected = copy.deepcopy(KATIB["spec"]["trialTemplate"]["trialSpec"])
    expected["metadata"] = {"name": "random-example-0", "namespace": "kubeflow"}
    container = expected["spec"]["template"]["spec"]["containers"][0]
    container["command"] = ["python3", "mnist.py", "--lr=0.05", "--layers=5"]
    assert render_trial(experiment(), "random-example-0", ASSIGNED) == expected


def test_rendering_leaves_the_template_as_it_is() -> None:
    one = experiment()
    before = copy.deepcopy(one)
    rendered = render_trial(one, "t", ASSIGNED)
    rendered["spec"]["template"]["spec"]["containers"].clear()
    assert one == before


values = st.one_of(
    st.text(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        [
            '"',
            "a\\n",
            "'; rm",
            "\n- x: 1",
            "${trialParameters.numberLayers}",
            "{{.Trial}}",
            "\ue0000\ue001",
        ]
    ),
)


@settings(max_examples=50)
@given(lr=values, layers=values)
def test_any_value_arrives_as_it_is(lr: Any, layers: Any) -> None:
    rendered = render_trial(experiment(), "t", {"lr": lr, "layers": layers})
    # As the API server reads it.
    pod = json.loads(json.dumps(rendered))["spec"]["template"]["spec"]
    assert pod["containers"][0]["command"][2:] == [f"--lr={lr}", f"--layers={layers}"]


@settings(max_examples=50)
@given(lr=values)
def test_any_value_arrives_through_a_text_template(lr: Any) -> None:
    worker = render_trial(
        with_config_map(), "t", {"lr": lr, "layers": 3}, config_map={"t": TEXT_TEMPLATE}
    )["spec"]["tfReplicaSpecs"]["Worker"]
    assert worker["note"] == str(lr)
    assert worker["script"] == f"lr = {lr}\n"
    assert worker["replicas"] == 3


@settings(max_examples=50)
@given(lr=values, layers=values)
def test_any_value_arrives_through_a_go_template(lr: Any, layers: Any) -> None:
    rendered = render_trial(with_go_template(), "t", {"lr": lr, "layers": layers})
    container = rendered["spec"]["template"]["spec"]["containers"][0]
    assert container["command"] == ["python3", f"lr={lr}", f"layers={layers}"]
    assert container["name"] == rendered["metadata"]["name"] == "t"


# What pasting leaves valid and unchanged: no quotes, backslashes or syntax.
plain = st.one_of(
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text("abcXYZ019._/+", min_size=1),
)


@settings(max_examples=50)
@given(lr=plain, layers=plain)
def test_a_trial_spec_gives_what_pasting_gives(lr: Any, layers: Any) -> None:
    text = json.dumps(KATIB["spec"]["trialTemplate"]["trialSpec"])
    text = text.replace("${trialParameters.learningRate}", str(lr))
    pasted = json.loads(text.replace("${trialParameters.numberLayers}", str(layers)))
    rendered = render_trial(experiment(), "t", {"lr": lr, "layers": layers})
    rendered.pop("metadata")
    assert rendered == pasted


@settings(max_examples=50)
@given(lr=plain, layers=plain)
def test_a_text_template_gives_what_pasting_gives(lr: Any, layers: Any) -> None:
    pasted = TEXT_TEMPLATE.replace("${trialParameters.learningRate}", str(lr))
    (expected,) = read_documents(pasted.replace("${trialParameters.numberLayers}", str(layers)))
    rendered = render_trial(
        with_config_map(), "t", {"lr": lr, "layers": layers}, config_map={"t": TEXT_TEMPLATE}
    )
    assert rendered["spec"] == expected["spec"]


def test_what_is_no_text_in_a_text_template_keeps_its_type() -> None:
    worker = render_trial(with_config_map(), "t", ASSIGNED, config_map={"t": TEXT_TEMPLATE})[
        "spec"
    ]["tfReplicaSpecs"]["Worker"]
    assert worker == {
        "replicas": 5,
        "note": "0.05",
        "flow": ["a", 0.05],
        "script": "lr = 0.05\n",
    }


def test_an_integer_field_gets_the_number_and_free_names_get_text() -> None:
    def change(job: dict[str, Any]) -> None:
        job["spec"]["parallelism"] = "${trialParameters.numberLayers}"
        job["spec"]["template"]["metadata"] = {
            "labels": {"replicas": "${trialParameters.numberLayers}"}
        }

    rendered = render_trial(experiment(job(change)), "t", ASSIGNED)
    assert rendered["spec"]["parallelism"] == 5
    assert rendered["spec"]["template"]["metadata"]["labels"] == {"replicas": "5"}


def test_a_trial_of_our_own_gets_typed_values() -> None:
    trial = with_trial_spec(
        {
            "apiVersion": "hpolab.dev/v1beta1",
            "kind": "FunctionTrial",
            "spec": {"lr": "${trialParameters.a}", "both": "${trialParameters.a}!"},
        },
        ("a", "lr"),
    )
    assert render_trial(trial, "t", ASSIGNED)["spec"] == {"lr": 0.05, "both": "0.05!"}


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ("${trialSpec.Name}", "random-example-7"),
        ("${trialSpec.Namespace}", "kubeflow"),
        ("${trialSpec.Kind}", "Pod"),
        ("${trialSpec.APIVersion}", "v1"),
        ("${trialSpec.Labels[team]}", "vision"),
        ("${trialSpec.Annotations[a.b/c]}", "d"),
    ],
)
def test_a_template_can_refer_to_the_trial_itself(reference: str, value: str) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"labels": {"team": "vision"}, "annotations": {"a.b/c": "d"}},
        "spec": {"args": ["${trialParameters.it}", "${trialParameters.x}${trialParameters.y}"]},
    }

    def change(document: dict[str, Any]) -> None:
        document["spec"]["trialTemplate"].update(
            trialSpec=pod,
            successCondition='status.[@this].#(phase=="Succeeded")#',
            failureCondition='status.[@this].#(phase=="Failed")#',
            trialParameters=[
                {"name": "it", "reference": reference},
                {"name": "x", "reference": "lr"},
                {"name": "y", "reference": "layers"},
            ],
        )

    rendered = render_trial(experiment(change), "random-example-7", ASSIGNED)
    assert rendered["spec"]["args"] == [value, "0.055"]


def test_a_label_that_the_template_lacks_is_a_problem() -> None:
    parameters = [
        {"name": "learningRate", "reference": "lr"},
        {"name": "numberLayers", "reference": "${trialSpec.Labels[team]}"},
    ]
    broken = experiment(
        lambda d: (
            d["spec"]["parameters"].pop(),
            d["spec"]["trialTemplate"].update(trialParameters=parameters),
        )
    )
    with pytest.raises(InvalidInput, match=r"the template has no trialSpec.Labels\[team\]"):
        render_trial(broken, "t", {"lr": 1})


def test_what_does_not_fit_the_assignment_is_named() -> None:
    with pytest.raises(InvalidInput) as refused:
        render_trial(experiment(), "t", {"lr": 0.1, "layer": 3, "momentum": 0.9})
    assert [str(problem) for problem in refused.value.problems] == [
        "spec.trialTemplate.trialParameters[1].reference: 'layers' is not assigned "
        "('lr', 'layer', 'momentum' is); did you mean 'layer'?",
        "spec.trialTemplate.trialParameters: none refers to 'layer', assigned",
        "spec.trialTemplate.trialParameters: none refers to 'momentum', assigned",
    ]


def test_without_a_template_there_is_nothing_to_render() -> None:
    with pytest.raises(InvalidInput, match=r"spec\.trialTemplate: is missing"):
        render_trial(experiment(lambda d: d["spec"].pop("trialTemplate")), "t", ASSIGNED)


def test_a_placeholder_in_a_comment_is_none() -> None:
    text = f"# {{trialParameters.x}} ${{trialParameters.x}}\n{TEXT_TEMPLATE}"
    job = render_trial(with_config_map(), "t", ASSIGNED, config_map={"t": text})
    assert job["kind"] == "TFJob"


def test_a_config_map_without_the_entry_is_named() -> None:
    with pytest.raises(InvalidInput, match="has no entry 't'; did you mean 'T'"):
        render_trial(with_config_map(), "t", ASSIGNED, config_map={"T": TEXT_TEMPLATE})


@pytest.mark.parametrize("text", ["- a", "a: 1\n---\nb: 2", "a: [", ""])
def test_a_config_map_that_holds_no_object_is_named(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"spec.trialTemplate.configMap"):
        render_trial(with_config_map(), "t", ASSIGNED, config_map={"t": text})


def test_an_argument_of_an_inactive_parameter_is_left_out() -> None:
    conditional = experiment(parameter(0, when="layers > 3"))
    command = render_trial(conditional, "t", {"layers": 2})["spec"]["template"]["spec"][
        "containers"
    ][0]["command"]
    assert command == ["python3", "mnist.py", "--layers=2"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: {{.Trail}}", "line 1: there is no field .Trail here; known are .Experiment"),
        ("a: 1\nname: {{if .Trial}}x{{end}}", "line 2: {{if .Trial}} is not understood"),
        ("{{range .HyperParameters}}", "line 1: {{range .HyperParameters}} has no {{end}}"),
        ("a: {{end}}", "{{end}} is not understood"),
        ("a: {{.Trial}}\nb: [", "not valid YAML"),
        ("kind: Job", "describes an object without apiVersion"),
    ],
)
def test_a_go_template_that_cannot_be_rendered_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        with_go_template(text)
    assert any(
        problem.where == "spec.trialTemplate.goTemplate.rawTemplate" and message in problem.message
        for problem in refused.value.problems
    ), str(refused.value)


def test_the_white_space_around_trimming_actions_goes() -> None:
    text = "apiVersion: v1\nkind: A\nx: [ {{- /* none */ -}}\n  1 ]\n"
    text += "y: {{ .Trial }} {{.Experiment}}\n"
    rendered = render_trial(with_go_template(text), "t", ASSIGNED)
    assert (rendered["x"], rendered["y"]) == ([1], "t random-example")


DISCRETE: dict[str, Any] = {
    "parameterType": "discrete",
    "feasibleSpace": {"list": ["0.50", "1.00", "1e-3"]},
}


@pytest.mark.parametrize(("number", "written"), [(0.5, "0.50"), (1.0, "1.00"), (0.001, "1e-3")])
def test_a_listed_number_is_rendered_as_its_list_writes_it(number: float, written: str) -> None:
    configs = {"t": TEXT_TEMPLATE}
    for change in (
        lambda document: None,
        template(trialSpec=None, configMap=CONFIG_MAP),
        spec(trialTemplate={"goTemplate": {"rawTemplate": GO_TEMPLATE}}),
    ):
        listed = experiment(lambda d, c=change: (parameter(0, **DISCRETE)(d), c(d)))
        assert [choice for choice in listed.spec.parameters[0].choices if choice == number]
        again = ExperimentDocument.model_validate(listed.to_document())
        text = str(render_trial(again, "t", {"lr": number, "layers": 3}, config_map=configs))
        assert f"={written}'" in text or f"lr = {written}\\n" in text, text
