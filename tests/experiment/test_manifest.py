"""Manifests in and out, and what is said about those that are wrong."""

from __future__ import annotations

import copy
import json

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from hpo_lab.experiment.manifest import dump
from hpo_lab.experiment.model import (
    AlgorithmSpec,
    Distribution,
    ExperimentDocument,
    ExperimentSpec,
    Metadata,
    MetricStrategyType,
    Objective,
    ObjectiveType,
)
from hpo_lab.experiment.space import choice, contains, loguniform, uniform
from hpo_lab.experiment.space import int as integer
from hpo_lab.experiment.yaml_text import read_documents, write_document
from hpo_lab.problems import InvalidInput
from tests.manifest_reading import parse, parse_text, read

MANIFEST = """
apiVersion: kubeflow.org/v1beta1
kind: Experiment
metadata:
  name: random-example
  namespace: kubeflow
  labels: {controller-tools.k8s.io: "1.0"}
spec:
  objective:
    type: maximize
    goal: 0.99
    objectiveMetricName: accuracy
    additionalMetricNames: [loss]
    metricStrategies: [{name: loss, value: min}]
  algorithm:
    algorithmName: tpe
    algorithmSettings: [{name: n_startup_trials, value: 10}]
  maxTrialCount: 12
  parameters:
    - name: lr
      parameterType: double
      feasibleSpace: {min: "0.01", max: "0.03", distribution: logUniform}
    - name: layers
      parameterType: int
      feasibleSpace: {min: "2", max: "5"}
    - name: batch
      parameterType: discrete
      feasibleSpace: {list: ["16", "32", "64.5"]}
    - name: optimizer
      parameterType: categorical
      feasibleSpace: {list: [sgd, adam, "1"]}
"""


def test_a_katib_manifest_is_read_with_its_types_and_katibs_defaults():
    experiment = parse_text(MANIFEST)
    spec = experiment.spec
    assert (experiment.namespace, experiment.name) == ("kubeflow", "random-example")
    assert spec.parallel_trial_count == 3
    assert spec.max_failed_trial_count is None
    assert spec.resume_policy.value == "Never"
    lr, layers, batch, optimizer = spec.parameters
    assert (lr.feasible_space.min, lr.distribution) == (0.01, Distribution.LOG_UNIFORM)
    assert layers.feasible_space.max == 5 and isinstance(layers.feasible_space.max, int)
    assert layers.distribution is Distribution.UNIFORM
    assert batch.choices == (16, 32, 64.5)
    assert optimizer.choices == ("sgd", "adam", "1")
    assert spec.algorithm.settings == {"n_startup_trials": "10"}
    assert spec.objective.strategy("accuracy") is MetricStrategyType.MAX
    assert spec.objective.strategy("loss") is MetricStrategyType.MIN


def test_the_strategy_defaults_to_the_direction_for_additional_metrics_too():
    objective = Objective(
        type=ObjectiveType.MINIMIZE, objective_metric_name="loss", additional_metric_names=("f1",)
    )
    assert objective.strategy("loss") is MetricStrategyType.MIN
    assert objective.strategy("f1") is MetricStrategyType.MIN


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_what_is_written_reads_back_the_same(form):
    experiment = parse_text(MANIFEST)
    text = dump(experiment, form)
    assert parse_text(text) == experiment
    document = json.loads(text) if form == "json" else yaml.safe_load(text)
    assert document["spec"]["parameters"][0]["feasibleSpace"]["min"] == "0.01"


floats = st.floats(allow_nan=False, allow_infinity=False, width=64)


@given(
    low=floats,
    high=floats,
    choices=st.lists(st.text() | st.booleans() | st.none() | st.integers(), min_size=1),
)
def test_any_space_survives_the_manifest(low, high, choices):
    spec = ExperimentSpec(
        parameters=(uniform(low, high).named("x"), choice(*choices).named("c")),
        objective=Objective(type=ObjectiveType.MINIMIZE, objective_metric_name="loss"),
        algorithm=AlgorithmSpec(algorithm_name="random"),
    )
    experiment = ExperimentDocument(metadata=Metadata(name="e"), spec=spec)
    again = ExperimentDocument.model_validate(json.loads(dump(experiment, "json")))
    assert again == experiment
    assert [type(v) for v in again.spec.parameters[1].choices] == [type(v) for v in choices]


@given(
    st.text()
    | st.from_regex(r"[-+]?[0-9.:_]{1,6}([eE][-+]?[0-9]+)?", fullmatch=True)
    | st.sampled_from(["yes", "null", "~", "2024-01-01", "0x1f", "1e-5", "08", ".inf", "=", "<<"])
)
@example("\x85")
@example("a\u2028 b")
def test_any_text_is_read_back_from_yaml_as_that_text(text):
    assert read_documents(write_document({text: [text]})) == [{text: [text]}]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("22:30", "22:30"),
        ("2024-01-01", "2024-01-01"),
        ("1e-5", 1e-5),
        ("0777", 511),
        ("0x1f", 31),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.2.3", "1.2.3"),
        ("yes", True),
        ("~", None),
    ],
)
def test_yaml_is_read_as_kubernetes_reads_it(text, value):
    assert read_documents(f"a: {text}") == [{"a": value}]


def test_merge_keys_give_what_is_not_written():
    text = """
    base: &base {command: [train], image: x}
    more: &more {<<: *base, image: y}
    main: {image: z, <<: [*more, *base]}
    again: {<<: *more}
    first: {<<: [*more, *base]}
    """
    (document,) = read_documents(text)
    assert (
        document["more"]
        == document["again"]
        == document["first"]
        == {"command": ["train"], "image": "y"}
    )
    assert document["main"] == {"command": ["train"], "image": "z"}


def test_null_and_empty_text_are_not_given():
    document = yaml.safe_load(MANIFEST)
    bare = parse(copy.deepcopy(document))
    document["spec"]["algorithm"]["algorithmSettings"] = None
    document["spec"] |= {"resumePolicy": "", "earlyStopping": None, "maxFailedTrialCount": None}
    document["spec"]["parameters"][0]["feasibleSpace"] |= {"distribution": "", "list": None}
    document["spec"]["metricsCollectorSpec"] = {"collector": {"kind": ""}, "source": None}
    given = parse(document)
    assert given.spec.algorithm.algorithm_settings == ()
    assert given.spec.resume_policy is bare.spec.resume_policy
    assert given.spec.parameters[0].distribution == "uniform"
    assert given.spec.metrics_collector_spec.kind == "StdOut"
    document["spec"]["objective"]["objectiveMetricName"] = None
    with pytest.raises(InvalidInput, match="objectiveMetricName: is missing"):
        parse(document)


def problems(change) -> dict[str, str]:
    document = yaml.safe_load(MANIFEST)
    change(document)
    with pytest.raises(InvalidInput) as caught:
        parse(document)
    return {problem.where: problem.message for problem in caught.value.problems}


def change_parameter(index, **space):
    def change(document):
        document["spec"]["parameters"][index]["feasibleSpace"] = space

    return change


def change_spec(**fields):
    return lambda document: document["spec"].update(fields)


RULES = [
    (lambda d: d["metadata"].update(name="Bad_Name"), "metadata.name", "lower-case"),
    (lambda d: d["metadata"].update(name="a" * 41), "metadata.name", "at most 40"),
    (change_spec(parallelTrialCount=0), "spec.parallelTrialCount", "greater than 0"),
    (change_spec(maxTrialCount=0), "spec.maxTrialCount", "greater than 0"),
    (change_spec(maxFailedTrialCount=-1), "spec.maxFailedTrialCount", "less than 0"),
    (change_spec(parallelTrialCount=13), "spec.parallelTrialCount", "spec.maxTrialCount, 12"),
    (change_spec(maxFailedTrialCount=13), "spec.maxFailedTrialCount", "spec.maxTrialCount, 12"),
    (change_spec(resumePolicy="Sometimes"), "spec.resumePolicy", "'Never', 'LongRunning'"),
    (change_spec(parameters=[]), "spec.parameters", "nothing to search"),
    (change_spec(algorithm={"algorithmName": ""}), "spec.algorithm.algorithmName", "empty"),
    (change_spec(maxTrials=3), "spec.maxTrials", "did you mean 'maxTrialCount'"),
    (change_spec(seed=-1), "spec.seed", "less than 0"),
    (change_spec(activeDeadlineSeconds=0), "spec.activeDeadlineSeconds", "above 0"),
    (change_spec(objective={"type": "maximize"}), "spec.objective.objectiveMetricName", "missing"),
    (
        change_spec(objective={"type": "maximise", "objectiveMetricName": "a"}),
        "spec.objective.type",
        "did you mean 'maximize'",
    ),
    (
        change_spec(
            objective={
                "type": "maximize",
                "objectiveMetricName": "a",
                "additionalMetricNames": ["a"],
            }
        ),
        "spec.objective.additionalMetricNames",
        "contains the objective",
    ),
    (change_parameter(0, min="3", max="1"), "spec.parameters[0].feasibleSpace.min", "above max"),
    (
        change_parameter(0, min="0", max="1", distribution="logUniform"),
        "spec.parameters[0].feasibleSpace.min",
        "above 0",
    ),
    (change_parameter(0, max="1"), "spec.parameters[0].feasibleSpace.min", "is missing"),
    (change_parameter(0, min="a", max="1"), "spec.parameters[0].feasibleSpace.min", "number"),
    (change_parameter(0, min="nan", max="1"), "spec.parameters[0].feasibleSpace.min", "finite"),
    (
        change_parameter(0, min="0", max="1", step="-1"),
        "spec.parameters[0].feasibleSpace.step",
        "above 0",
    ),
    (
        change_parameter(0, min="0", max="1", list=["1"]),
        "spec.parameters[0].feasibleSpace.list",
        "not allowed",
    ),
    (change_parameter(1, min="0.5", max="2"), "spec.parameters[1].feasibleSpace.min", "integer"),
    (change_parameter(2, list=[]), "spec.parameters[2].feasibleSpace.list", "at least one"),
    (change_parameter(2, list=["a"]), "spec.parameters[2].feasibleSpace.list", "numbers"),
    (
        change_parameter(3, list=["a"], min="1"),
        "spec.parameters[3].feasibleSpace.min",
        "not allowed",
    ),
    (
        change_parameter(3, list=["a", "a"]),
        "spec.parameters[3].feasibleSpace.list",
        "more than once",
    ),
    (
        change_parameter(0, min="0", max="1", distribution="loguniform"),
        "spec.parameters[0].feasibleSpace.distribution",
        "did you mean 'logUniform'",
    ),
    (
        lambda d: d["spec"]["parameters"][1].update(name="lr"),
        "spec.parameters",
        "more than one parameter",
    ),
    (
        lambda d: d["spec"]["parameters"][0].update(when="layres > 1"),
        "spec.parameters[0].when",
        "did you mean 'layers'",
    ),
    (
        lambda d: d["spec"]["parameters"][0].update(when="import os"),
        "spec.parameters[0].when",
        "",
    ),
]


@pytest.mark.parametrize(("change", "path", "message"), RULES)
def test_each_rule_names_its_field(change, path, message):
    found = problems(change)
    assert path in found, found
    assert message in found[path]


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        (
            lambda d: d["spec"]["parameters"][0].update(step="1"),
            "spec.parameters[0].step",
            "belongs inside feasibleSpace; indent it",
        ),
        (
            lambda d: d["spec"].update(algorithmName="random"),
            "spec.algorithmName",
            "belongs inside algorithm; indent it",
        ),
        (
            lambda d: d["spec"]["objective"].update(maxTrialCount=3),
            "spec.objective.maxTrialCount",
            "belongs to spec, further left",
        ),
        (change_spec(parameters={"lr": 1}), "spec.parameters", "found a mapping; a list is needed"),
        (change_spec(objective="loss"), "spec.objective", "found 'loss'; a mapping is needed"),
        (change_spec(algorithm=[1]), "spec.algorithm", "found a list; a mapping is needed"),
        (change_spec(seed="x"), "spec.seed", "found 'x'; a number is needed"),
        (
            lambda d: d["spec"]["objective"].update(objectiveMetricName=1),
            "spec.objective.objectiveMetricName",
            'found 1; text is needed: write "1"',
        ),
        (change_spec(maxTrialCount=2**40), "spec.maxTrialCount", "must be at most 2147483647"),
        (lambda d: d["metadata"].update(namespace="-a"), "metadata.namespace", "63 lower-case"),
    ],
)
def test_structure_is_explained_in_words_of_the_manifest(change, path, message):
    assert message in problems(change)[path]


def test_all_problems_come_together_those_of_structure_and_those_of_values():
    def change(document):
        document["spec"]["maxTrials"] = 3
        document["spec"]["parameters"][0]["feasibleSpace"]["min"] = "5"
        document["spec"]["parameters"][1]["feasibleSpace"]["maximum"] = "5"

    assert set(problems(change)) == {
        "spec.maxTrials",
        "spec.parameters[0].feasibleSpace.min",
        "spec.parameters[1].feasibleSpace.maximum",
    }


LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "\n".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, 10)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("spec: [", "line 1, column 8"),
        ("a: 1\na: 2", "given twice"),
        ("", "found nothing"),
        ("a: 1\n---\nb: 2", "2 documents"),
        ("- a", "a manifest is a mapping"),
        ("a: &a [*a]", "more than 200000 values"),
        (LAUGHS, "more than 200000 values"),
        ("[" * 100_000, "nested too deeply"),
        ("1: 2", "key 1 is not text"),
        ("[a]: 2", "key of several values is not text"),
        ("a: 1e400", "line 1, column 4: not valid YAML: a number is too large"),
        ("a: 0x" + "f" * 5000, "a number is too large; in quotation marks it is text"),
        ("a: " + "9" * 5000, "not valid YAML"),
        ("a: {<<: 3}", "line 1, column 9: not valid YAML: a merge key needs a mapping"),
        ("a: &a {<<: *a}", "nested too deeply"),
        ("a: " + "x" * 2_000_000, "is 2000003 characters long; YAML may have at most 1572864"),
        ("a: \0", "not valid YAML"),
        ("a: !!python/object/apply:os.system [x]", "not valid YAML"),
        ("kind: Job\nspec: 3", "kind: found 'Job'; a manifest describes an Experiment"),
        ("kind: [Job]", "kind: found a list"),
        ("apiVersion: kubeflow.org/v1alpha2", "did you mean 'kubeflow.org/v1beta1'"),
        ("kind: Experiment", "metadata: is missing"),
        ("spec: 3", "spec: found 3"),
    ],
)
def test_text_that_is_no_manifest(text, message):
    with pytest.raises(InvalidInput, match=message):
        parse_text(text)


def test_files_that_cannot_be_read(tmp_path):
    for name, content, message in [
        ("latin.yaml", "name: \xe9".encode("latin-1"), "not UTF-8"),
        ("big.yaml", b"#" * (11 * 1024 * 1024), "bytes large"),
    ]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InvalidInput, match=message):
            read(tmp_path / name)
    with pytest.raises(InvalidInput, match="No such file"):
        read(tmp_path / "none.yaml")


def test_contains_knows_types_bounds_and_grids():
    lr = loguniform(1e-4, 1e-1).named("lr")
    assert contains(lr, 1e-4) and contains(lr, 1e-1) and not contains(lr, 0.2)
    stepped = uniform(0.5, 0.99, step=0.01).named("m")
    assert contains(stepped, 0.9) and not contains(stepped, 0.905)
    layers = integer(1, 4).named("layers")
    assert contains(layers, 2) and not contains(layers, 2.0) and not contains(layers, True)
    flag = choice(True, False).named("flag")
    assert contains(flag, True) and not contains(flag, 1)
