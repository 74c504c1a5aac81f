"""An OptimizationJob of Kubeflow Trainer as another form of the document."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.experiment.conversion import to_katib
from hpo_lab.experiment.manifest import dump, parse_manifest
from hpo_lab.experiment.model import (
    API_VERSION,
    Distribution,
    ExperimentDocument,
    MetricStrategyType,
    ObjectiveType,
    ParameterType,
)
from hpo_lab.experiment.optimization_writing import optimization_job_of
from hpo_lab.experiment.rendering import render_trial
from hpo_lab.problems import InvalidInput
from tests.experiment.manifests import experiment
from tests.experiment.optimization_jobs import (
    Change,
    changed_job,
    of_job,
    of_parameter,
    of_space,
    of_template,
    of_train_job,
    of_trainer,
    optimization_job,
)
from tests.manifest_reading import parse, parse_text

ASSIGNED = {"learning_rate": 0.01, "layers": 2, "batch": "16"}
VARIABLES = [
    {"name": "EPOCHS", "value": "3"},
    {"name": "KUBEFLOW_TRAINER_OPT_LEARNING_RATE", "value": "0.01"},
    {"name": "KUBEFLOW_TRAINER_OPT_LAYERS", "value": "2"},
    {"name": "KUBEFLOW_TRAINER_OPT_BATCH", "value": "16"},
]


def problems(document: Any) -> dict[str, str]:
    """What is said about *document*, by place."""
    with pytest.raises(InvalidInput) as raised:
        parse_manifest(document)
    return {problem.where: problem.message for problem in raised.value.problems}


def test_it_is_an_experiment_with_a_train_job() -> None:
    tuning = optimization_job()
    spec = tuning.spec
    assert (tuning.api_version, tuning.namespace, tuning.name) == (API_VERSION, "team", "tuning")
    assert (spec.objective.type, spec.objective.goal) == (ObjectiveType.MINIMIZE, None)
    # Trainer keeps the latest value of a metric and no other.
    assert spec.objective.strategy("val_loss") is MetricStrategyType.LATEST
    assert (spec.algorithm.algorithm_name, spec.seed) == ("random", 42)
    assert (spec.max_trial_count, spec.parallel_trial_count) == (20, 4)
    assert spec.trial_active_deadline_seconds == 600
    rate, layers, batch = spec.parameters
    assert (rate.parameter_type, rate.distribution) == (
        ParameterType.DOUBLE,
        Distribution.LOG_UNIFORM,
    )
    assert (layers.parameter_type, layers.feasible_space.max) == (ParameterType.INT, 8)
    assert batch.choices == ("16", "32")
    assert parse_manifest(changed_job()).warnings == ()


def test_values_reach_a_trial_as_variables_and_nothing_is_substituted() -> None:
    text = "--text=${trialParameters.learning_rate} ${trial.x}"
    job = render_trial(optimization_job(of_trainer(args=[text])), "tuning-0", ASSIGNED)
    assert job["spec"]["trainer"]["env"] == VARIABLES
    assert job["spec"]["trainer"]["args"] == [text]
    assert (job["kind"], job["metadata"]["name"]) == ("TrainJob", "tuning-0")
    assert json.loads(job["metadata"]["annotations"]["hpolab.dev/assignment"]) == [
        {"name": "learning_rate", "value": "0.01"},
        {"name": "layers", "value": "2"},
        {"name": "batch", "value": "16"},
    ]


def test_defaults_are_those_of_the_type() -> None:
    short = parse_text(
        """
        apiVersion: trainer.kubeflow.org/v1alpha1
        kind: OptimizationJob
        metadata: {name: short}
        spec:
          objectives: [{metric: loss}]
          parameters:
          - name: x
            searchSpace: {uniform: {min: "0", max: "1"}}
          trainJobTemplate: {spec: {runtimeRef: {name: torch-distributed}}}
        """
    )
    assert optimization_job_of(short)["spec"] == {
        "objectives": [{"metric": "loss", "direction": "Minimize"}],
        "searchAlgorithm": {"random": {}},
        "parameters": [
            {"name": "x", "searchSpace": {"uniform": {"min": "0", "max": "1", "type": "Float"}}}
        ],
        "numTrials": 1,
        "parallelTrials": 1,
        "trainJobTemplate": {"spec": {"runtimeRef": {"name": "torch-distributed"}}},
    }


UNIFORM = "spec.parameters[0].searchSpace.uniform"
LOG = "spec.parameters[0].searchSpace.logUniform"
RATE = {"name": "rate", "searchSpace": {"logUniform": {"min": "0.1", "max": "1"}}}
BATCH = {"name": "batch", "searchSpace": {"categorical": {"choices": ["1"]}}}
TRAIN_JOB = "spec.trainJobTemplate.spec"


@pytest.mark.parametrize(
    ("change", "where", "message"),
    [
        (lambda d: d.update(apiVersion="v2"), "apiVersion", "found 'v2'; allowed are 'trainer."),
        (lambda d: d["metadata"].clear(), "metadata.name", "is missing"),
        (of_job(objectives=[]), "spec.objectives", "has 0 entries; exactly 1 is allowed"),
        (
            of_job(objectives=[{"metric": "a"}, {"metric": "b"}]),
            "spec.objectives",
            "has 2 entries; exactly 1 is allowed",
        ),
        (
            of_job(objectives=[{"metric": "a" * 65}]),
            "spec.objectives[0].metric",
            "has 65 characters; allowed are 1 to 64",
        ),
        (
            of_job(objectives=[{"metric": "a", "direction": "minimize"}]),
            "spec.objectives[0].direction",
            "found 'minimize'; allowed are 'Maximize' or 'Minimize'; did you mean 'Minimize'?",
        ),
        (
            of_job(objectives=[{"metric": "a", "goal": 1}]),
            "spec.objectives[0].goal",
            "unknown field; allowed are metric, direction",
        ),
        (
            of_job(searchAlgorithm={}),
            "spec.searchAlgorithm",
            "has none of them; exactly one of random, grid is needed",
        ),
        (
            of_job(searchAlgorithm={"random": {}, "grid": {}}, parameters=[BATCH]),
            "spec.searchAlgorithm",
            "has random and grid; exactly one of random, grid is needed",
        ),
        (
            of_job(searchAlgorithm={"random": {"randomState": 42}}),
            "spec.searchAlgorithm.random.randomState",
            "unknown field; allowed are seed",
        ),
        (
            of_job(searchAlgorithm={"random": {"seed": -1}}),
            "spec.searchAlgorithm.random.seed",
            "found -1; allowed are 0 to 9223372036854775807",
        ),
        (
            of_job(searchAlgorithm={"grid": {}}, parameters=[RATE]),
            LOG,
            "is not allowed with searchAlgorithm.grid, which needs categorical",
        ),
        (of_job(parameters=[]), "spec.parameters", "has 0 entries; allowed are 1 to 100"),
        (of_parameter(0, name=""), "spec.parameters[0].name", "has 0 characters"),
        (of_parameter(0, name="n layers"), "spec.parameters[0].name", "'n layers' is given as a"),
        (
            of_parameter(0, name="LAYERS"),
            "spec.parameters[1].name",
            "'layers' has the variable of 'LAYERS', KUBEFLOW_TRAINER_OPT_LAYERS",
        ),
        (
            of_parameter(0, name="batch"),
            "spec.parameters",
            "'batch' is the name of more than one parameter",
        ),
        (
            of_space(0),
            "spec.parameters[0].searchSpace",
            "has none of them; exactly one of uniform, logUniform, categorical is needed",
        ),
        (
            of_space(0, uniform={"min": "0", "max": "1"}, categorical={"choices": ["a"]}),
            "spec.parameters[0].searchSpace",
            "has uniform and categorical; exactly one of",
        ),
        (
            of_space(0, uniform={"min": "0", "max": "1"}, normal={}),
            "spec.parameters[0].searchSpace.normal",
            "unknown field; did you mean 'uniform'?",
        ),
        (
            of_space(0, uniform={"min": 0.1, "max": "1"}),
            f"{UNIFORM}.min",
            'found 0.1; text is needed: write "0.1"',
        ),
        (
            of_space(0, uniform={"min": ".1", "max": "1"}),
            f"{UNIFORM}.min",
            'found \'.1\'; a number is needed, such as "0.5", "-3" or "1e-4", of at most 64 char',
        ),
        (of_space(0, uniform={"min": "0", "max": "1e999"}), f"{UNIFORM}.max", "found '1e999'; a"),
        (of_space(0, uniform={"min": "0" * 65, "max": "1"}), f"{UNIFORM}.min", "a number is"),
        (
            of_space(0, uniform={"min": "1", "max": "1"}),
            f"{UNIFORM}.max",
            "found '1'; must be above min, '1'",
        ),
        (of_space(0, uniform={"min": "1"}), f"{UNIFORM}.max", "is missing"),
        (
            of_space(0, uniform={"min": "0.5", "max": "3", "type": "Int"}),
            f"{UNIFORM}.min",
            "found '0.5'; a whole number is needed with type Int",
        ),
        (
            of_space(0, uniform={"min": "0", "max": "1", "type": "float"}),
            f"{UNIFORM}.type",
            "found 'float'; allowed are 'Int' or 'Float'; did you mean 'Float'?",
        ),
        (
            of_space(0, logUniform={"min": "0", "max": "1"}),
            f"{LOG}.min",
            "found '0'; must be above 0",
        ),
        (
            of_space(2, categorical={"choices": [16, "32"]}),
            "spec.parameters[2].searchSpace.categorical.choices[0]",
            'found 16; text is needed: write "16"',
        ),
        (
            of_space(2, categorical={"choices": []}),
            "spec.parameters[2].searchSpace.categorical.choices",
            "has 0 entries; allowed are 1 to 100",
        ),
        (
            of_space(2, categorical={"choices": ["a", "a"]}),
            "spec.parameters[2].searchSpace.categorical.choices",
            "contains 'a' more than once",
        ),
        (
            of_space(2, categorical={"choices": ["a" * 65]}),
            "spec.parameters[2].searchSpace.categorical.choices",
            "contains a text of 65 characters; allowed are 64",
        ),
        (of_job(numTrials=101), "spec.numTrials", "found 101; allowed are 1 to 100"),
        (of_job(numTrials="20"), "spec.numTrials", "found '20'; a number is needed"),
        (of_job(parallelTrials=0), "spec.parallelTrials", "found 0; allowed are 1 to 100"),
        (
            of_job(parallelTrials=21),
            "spec.parallelTrials",
            "found 21; must be at most numTrials, 20",
        ),
        (
            of_template(metadata={"name": "fixed"}),
            "spec.trainJobTemplate.metadata.name",
            "is not allowed in a template; every trial has its own",
        ),
        (
            of_train_job(runtimeRef={"name": 1}),
            f"{TRAIN_JOB}.runtimeRef.name",
            'found 1; text is needed: write "1"',
        ),
        (of_space(0, unifrom={}), "spec.parameters[0].searchSpace.unifrom", "mean 'uniform'?"),
        (of_train_job(runtimeRef={}), f"{TRAIN_JOB}.runtimeRef.name", "is missing; a TrainJob"),
        (
            of_trainer(command="python train.py"),
            f"{TRAIN_JOB}.trainer.command",
            'found \'python train.py\'; a list is needed: write ["python", "train.py"]',
        ),
        (of_trainer(numNodes=-1), f"{TRAIN_JOB}.trainer.numNodes", "found -1; must be at least 0"),
        (
            of_train_job(activeDeadlineSeconds=0),
            f"{TRAIN_JOB}.activeDeadlineSeconds",
            "found 0; must be at least 1",
        ),
        (
            of_trainer(env=[{"name": "KUBEFLOW_TRAINER_OPT_BATCH", "value": "1"}]),
            f"{TRAIN_JOB}.trainer.env[0].name",
            "'KUBEFLOW_TRAINER_OPT_BATCH' is the variable of 'batch'",
        ),
        (lambda d: d["metadata"].update(name="Tuning"), "metadata.name", "is no valid name"),
    ],
)
def test_every_rule_is_told_in_its_words(change: Change, where: str, message: str) -> None:
    told = problems(changed_job(change))
    assert message in told[where]
    assert len(told) == 1


def test_everything_wrong_is_told_at_once() -> None:
    def break_it(document: dict[str, Any]) -> None:
        of_job(numTrials=1000, searchAlgorithm={"grid": {}, "random": {}})(document)
        of_space(0, uniform={"min": "2", "max": "1"})(document)
        of_trainer(comand=["python"], env={"a": 1})(document)

    assert list(problems(changed_job(break_it))) == [
        f"{UNIFORM}.max",
        "spec.numTrials",
        "spec.searchAlgorithm",
        UNIFORM,
        "spec.parameters[1].searchSpace.uniform",
        f"{TRAIN_JOB}.trainer.env",
    ]


def test_fields_that_kubernetes_does_not_know_are_warned_of() -> None:
    (warning,) = parse_manifest(changed_job(of_trainer(comand=["python"]))).warnings
    assert str(warning) == (
        "spec.trainJobTemplate.spec.trainer.comand: Kubernetes knows no such field; "
        "did you mean 'command'?"
    )


names = st.from_regex(r"[a-z][a-z0-9_.-]{0,63}", fullmatch=True)
texts = st.text(max_size=64).filter(lambda text: "\x00" not in text)
floats = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def bounds(draw: st.DrawFn, numbers: st.SearchStrategy[Any], kind: str) -> dict[str, str]:
    low, high = sorted(draw(st.lists(numbers, min_size=2, max_size=2, unique=True)))
    return {"min": repr(low), "max": repr(high), "type": kind}


@st.composite
def spaces(draw: st.DrawFn) -> dict[str, Any]:
    ints, positive = st.integers(-(2**70), 2**70), st.integers(1, 2**70)
    return draw(
        st.one_of(
            bounds(ints, "Int").map(lambda each: {"uniform": each}),
            bounds(floats, "Float").map(lambda each: {"uniform": each}),
            bounds(positive, "Int").map(lambda each: {"logUniform": each}),
            bounds(floats.filter(lambda x: x > 0), "Float").map(lambda each: {"logUniform": each}),
            st.lists(texts, min_size=1, max_size=5, unique=True).map(
                lambda choices: {"categorical": {"choices": choices}}
            ),
        )
    )


@st.composite
def optimization_jobs(draw: st.DrawFn) -> dict[str, Any]:
    """An OptimizationJob with its defaults written out."""
    seeds = st.integers(0, 2**63 - 1).map(lambda seed: {"seed": seed})
    is_grid = draw(st.booleans())
    space = spaces().filter(lambda each: "categorical" in each) if is_grid else spaces()
    most = draw(st.integers(1, 100))
    train_job: dict[str, Any] = {"runtimeRef": {"name": "torch-distributed"}}
    if draw(st.booleans()):
        train_job["trainer"] = {"command": draw(st.lists(texts)), "numNodes": 2}
    if draw(st.booleans()):
        train_job["activeDeadlineSeconds"] = draw(st.integers(1, 2**31))
    metadata = {"metadata": {"labels": {"a": "b"}}} if draw(st.booleans()) else {}
    parameters = draw(st.lists(names, min_size=1, max_size=5, unique=True))
    return {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "OptimizationJob",
        "metadata": {"name": "tuning", "namespace": draw(st.sampled_from(["default", "team"]))},
        "spec": {
            "objectives": [
                {
                    "metric": draw(names),
                    "direction": draw(st.sampled_from(["Minimize", "Maximize"])),
                }
            ],
            "searchAlgorithm": {"grid": {}} if is_grid else {"random": draw(st.just({}) | seeds)},
            "parameters": [{"name": name, "searchSpace": draw(space)} for name in parameters],
            "numTrials": most,
            "parallelTrials": draw(st.integers(1, most)),
            "trainJobTemplate": {**metadata, "spec": train_job},
        },
    }


@given(optimization_jobs())
def test_there_and_back_it_is_the_same(document: dict[str, Any]) -> None:
    tuning = parse(document)
    again = optimization_job_of(tuning)
    assert again == document
    # And the document, too, also where it was written as one of ours in between.
    assert parse(again) == tuning
    assert parse(json.loads(dump(tuning, "json"))) == tuning


def test_numbers_may_be_spelt_in_another_way_after_that() -> None:
    tuning = optimization_job(of_space(0, logUniform={"min": "1E-4", "max": "0.10"}))
    space = optimization_job_of(tuning)["spec"]["parameters"][0]["searchSpace"]
    assert space == {"logUniform": {"min": "0.0001", "max": "0.1", "type": "Float"}}


def test_why_an_experiment_of_katib_is_none() -> None:
    def extend(document: dict[str, Any]) -> None:
        spec = document["spec"]
        spec["objective"].update(goal=0.9, additionalMetricNames=["loss"])
        spec["algorithm"] = {"algorithmName": "tpe"}
        spec.update(maxTrialCount=1000, parallelTrialCount=3, resumePolicy="LongRunning")
        spec["parameters"][0]["feasibleSpace"]["step"] = "0.01"
        spec["parameters"][1].update(parameterType="discrete", feasibleSpace={"list": ["2", "5"]})

    with pytest.raises(InvalidInput) as raised:
        optimization_job_of(experiment(extend))
    assert [str(problem) for problem in raised.value.problems] == [
        "spec.maxFailedTrialCount: is given; an OptimizationJob has no such field",
        "spec.resumePolicy: is given; an OptimizationJob has no such field",
        "spec.objective.goal: is given; an OptimizationJob has no such field",
        "spec.objective.additionalMetricNames: is given; an OptimizationJob has no such field",
        "spec.objective.metricStrategies: must say that the latest value of 'accuracy' counts, "
        "as in an OptimizationJob",
        "spec.algorithm.algorithmName: is 'tpe'; an OptimizationJob has random and grid",
        "spec.maxTrialCount: is 1000; an OptimizationJob has at most 100",
        "spec.parameters[0].feasibleSpace.step: is given; an OptimizationJob has no such field",
        "spec.parameters[1].parameterType: is discrete; an OptimizationJob has double, int and "
        "categorical",
        "spec.metricsCollectorSpec.collector.kind: must be Push alone: the trials of an "
        "OptimizationJob report their metrics themselves",
        "spec.trialTemplate.trialParameters: is given; an OptimizationJob has no such field",
        "spec.trialTemplate.primaryContainerName: is given; an OptimizationJob has no such field",
        "spec.trialTemplate.environmentPrefix: must be KUBEFLOW_TRAINER_OPT_: the values of an "
        "OptimizationJob reach its trials as variables",
        "spec.trialTemplate.trialSpec.kind: is Job of batch/v1; a trial of an OptimizationJob is "
        "a TrainJob of trainer.kubeflow.org/v1alpha1",
    ]


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"maxTrialCount": None}, "spec.maxTrialCount"),
        ({"seed": 2**63}, "spec.seed"),
        ({"algorithm": {"algorithmName": "grid"}, "seed": 1}, "spec.seed"),
        ({"trialActiveDeadlineSeconds": 0.5}, "spec.trialActiveDeadlineSeconds"),
        ({"earlyStopping": {"algorithmName": "medianstop"}}, "spec.earlyStopping"),
        ({"trialTemplate": None}, "spec.trialTemplate"),
        ({"initialPoints": [{"layers": 2}]}, "spec.initialPoints"),
    ],
)
def test_what_an_optimization_job_cannot_say(fields: dict[str, Any], where: str) -> None:
    document = optimization_job().to_document()
    document["spec"] = {**document["spec"], **fields}
    with pytest.raises(InvalidInput) as raised:
        optimization_job_of(ExperimentDocument.model_validate(document))
    assert where in [problem.where for problem in raised.value.problems]


def test_choices_become_texts_which_stay_apart() -> None:
    document = optimization_job().to_document()
    space = document["spec"]["parameters"][2]["feasibleSpace"]
    space["list"] = [16, True]
    written = optimization_job_of(parse(document))["spec"]["parameters"][2]
    assert written["searchSpace"] == {"categorical": {"choices": ["16", "true"]}}
    space["list"] = [16, "16"]
    with pytest.raises(InvalidInput, match="contains '16' more than once, as text"):
        optimization_job_of(parse(document))


def test_katib_gets_variables_with_placeholders() -> None:
    tuning = optimization_job()
    document, lost = to_katib(tuning)
    assert [warning.where for warning in lost] == ["spec.seed", "spec.trialActiveDeadlineSeconds"]
    template = document["spec"]["trialTemplate"]
    assert "environmentPrefix" not in template
    assert template["primaryContainerName"] == "node"
    assert template["trialParameters"][0] == {"name": "learning_rate", "reference": "learning_rate"}
    assert template["trialSpec"]["spec"]["trainer"]["env"][1] == {
        "name": "KUBEFLOW_TRAINER_OPT_LEARNING_RATE",
        "value": "${trialParameters.learning_rate}",
    }
    again = parse_manifest(document)
    assert again.warnings == ()
    here, there = (render_trial(each, "t", ASSIGNED) for each in (tuning, again.experiment))
    del here["metadata"]["annotations"]
    assert here == there
