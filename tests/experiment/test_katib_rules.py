"""Katib's validation rules by their number in its webhook, and the checks it lacks.

`REFUSED` and `WARNED` say for each rule what breaks it, where that is reported, and a part
of what is said. Rules 1, 14, 19, 26 and 34 concern a cluster (labels of a namespace,
contents of a ConfigMap, `katib-config`, volumes) and break nothing here.
"""

from __future__ import annotations

from typing import Any

import pytest

from hpo_lab.experiment.rules import run_problems
from hpo_lab.problems import InvalidInput
from tests.experiment.manifests import (
    Change,
    as_jax_job,
    collector,
    container,
    experiment,
    job,
    manifest,
    parameter,
    pod,
    spec,
    template,
)

TRIAL_PARAMETERS = [
    {"name": "learningRate", "reference": "lr"},
    {"name": "numberLayers", "reference": "layers"},
]


def all_of(*changes: Change) -> Change:
    def change(document: dict[str, Any]) -> None:
        for each in changes:
            each(document)

    return change


def trial_parameter(index: int, **fields: str) -> Change:
    return lambda d: d["spec"]["trialTemplate"]["trialParameters"][index].update(fields)


def file_source(**fields: Any) -> dict[str, Any]:
    return {"fileSystemPath": {"path": "/var/log/katib/metrics.log", **fields}}


def formats(*patterns: str) -> Change:
    source = file_source() | {"filter": {"metricsFormat": list(patterns)}}
    return collector("File", source)


def name(text: str) -> Change:
    return lambda document: document["metadata"].update(name=text)


NAS = {
    "graphConfig": {"numLayers": 3},
    "operations": [{"operationType": "skip_connection"}],
}
TEMPLATE = "spec.trialTemplate"
JOB = f"{TEMPLATE}.trialSpec"
POD = f"{JOB}.spec.template.spec"
SOURCE = "spec.metricsCollectorSpec.source"
FORMAT = f"{SOURCE}.filter.metricsFormat[0]"

REFUSED: list[tuple[str, Change, str, str]] = [
    ("2", name("Upper"), "metadata.name", "lower-case letters"),
    ("2 end", name("ends-with-"), "metadata.name", "not ending with '-'"),
    ("2 length", name("a" * 41), "metadata.name", "at most 40"),
    ("3", spec(maxFailedTrialCount=-1), "spec.maxFailedTrialCount", "not be less than 0"),
    ("3", spec(maxTrialCount=0), "spec.maxTrialCount", "greater than 0"),
    ("3", spec(parallelTrialCount=0), "spec.parallelTrialCount", "greater than 0"),
    ("4", spec(maxFailedTrialCount=13), "spec.maxFailedTrialCount", "spec.maxTrialCount, 12"),
    ("4", spec(parallelTrialCount=13), "spec.parallelTrialCount", "spec.maxTrialCount, 12"),
    ("8", lambda d: d["spec"].pop("objective"), "spec.objective", "is missing"),
    (
        "8 type",
        lambda d: d["spec"]["objective"].update(type="maximise"),
        "spec.objective.type",
        "did you mean 'maximize'",
    ),
    (
        "8 metric",
        lambda d: d["spec"]["objective"].update(objectiveMetricName=""),
        "spec.objective.objectiveMetricName",
        "is empty",
    ),
    (
        "8 additional",
        lambda d: d["spec"]["objective"].update(additionalMetricNames=["accuracy"]),
        "spec.objective.additionalMetricNames",
        "contains the objective",
    ),
    ("9", lambda d: d["spec"].pop("algorithm"), "spec.algorithm", "is missing"),
    (
        "9",
        spec(algorithm={"algorithmName": ""}),
        "spec.algorithm.algorithmName",
        "is empty",
    ),
    (
        "10",
        spec(earlyStopping={"algorithmName": ""}),
        "spec.earlyStopping.algorithmName",
        "is empty",
    ),
    ("11", spec(resumePolicy="Maybe"), "spec.resumePolicy", "allowed are 'Never'"),
    (
        "12 conditions",
        job(lambda job: job.update(apiVersion="example.org/v1", kind="Workflow")),
        TEMPLATE,
        "successCondition and failureCondition are needed for example.org/v1 Workflow",
    ),
    (
        "13 neither",
        lambda d: d["spec"]["trialTemplate"].pop("trialSpec"),
        TEMPLATE,
        "has none of them; exactly one of trialSpec, configMap, goTemplate",
    ),
    (
        "13 both",
        template(
            configMap={
                "configMapName": "a",
                "configMapNamespace": "b",
                "templatePath": "c",
            }
        ),
        TEMPLATE,
        "has trialSpec and configMap",
    ),
    (
        "13 configMap",
        template(configMap={"configMapName": "a", "configMapNamespace": "b"}),
        f"{TEMPLATE}.configMap.templatePath",
        "is missing",
    ),
    (
        "15 name",
        trial_parameter(0, name=""),
        f"{TEMPLATE}.trialParameters[0].name",
        "without braces",
    ),
    (
        "15 braces",
        trial_parameter(0, name="{x}"),
        f"{TEMPLATE}.trialParameters[0].name",
        "without braces",
    ),
    (
        "15 reference",
        trial_parameter(0, reference=""),
        f"{TEMPLATE}.trialParameters[0].reference",
        "is empty",
    ),
    (
        "15 duplicate name",
        trial_parameter(1, name="learningRate"),
        f"{TEMPLATE}.trialParameters",
        "more than one trial parameter",
    ),
    (
        "16",
        trial_parameter(0, reference="learning-rate"),
        f"{TEMPLATE}.trialParameters[0].reference",
        "'learning-rate' is no parameter of this experiment ('lr', 'layers')",
    ),
    (
        "16 meta",
        trial_parameter(0, reference="${trialSpec.Nmae}"),
        f"{TEMPLATE}.trialParameters[0].reference",
        "allowed are ${trialSpec.Name}",
    ),
    (
        "17",
        trial_parameter(0, name="learningrate"),
        f"{TEMPLATE}.trialParameters[0].name",
        "the template has no ${trialParameters.learningrate}; did you mean 'learningRate'",
    ),
    (
        "18",
        container(args=["${trialParameters.learningRat}"]),
        f"{POD}.containers[0].args[0]",
        "did you mean 'learningRate'",
    ),
    ("20", job(lambda job: job.pop("kind")), f"{JOB}.kind", "is missing"),
    ("20", job(lambda job: job.pop("apiVersion")), f"{JOB}.apiVersion", "is missing"),
    (
        "21",
        job(lambda job: job["spec"].update(backoffLimit="three")),
        f"{JOB}.spec.backoffLimit",
        "found 'three'; an integer is needed",
    ),
    ("22 neither", spec(parameters=[]), "spec.parameters", "nothing to search"),
    ("22 both", spec(nasConfig=NAS), "spec", "only one is allowed"),
    (
        "23 type",
        parameter(0, parameterType="float"),
        "spec.parameters[0].parameterType",
        "'double'",
    ),
    (
        "23 unknown",
        parameter(0, parameterType="unknown"),
        "spec.parameters[0].parameterType",
        "allowed are",
    ),
    (
        "23 distribution",
        parameter(0, feasibleSpace={"min": "1", "max": "2", "distribution": "loguniform"}),
        "spec.parameters[0].feasibleSpace.distribution",
        "did you mean 'logUniform'",
    ),
    ("24", parameter(0, feasibleSpace={}), "spec.parameters[0].feasibleSpace.min", "is missing"),
    (
        "25 list",
        parameter(0, feasibleSpace={"min": "1", "max": "2", "list": ["1"]}),
        "spec.parameters[0].feasibleSpace.list",
        "not allowed for a parameter of type double",
    ),
    (
        "25 max",
        parameter(1, feasibleSpace={"min": "1"}),
        "spec.parameters[1].feasibleSpace.max",
        "is missing",
    ),
    (
        "25 step",
        parameter(1, parameterType="categorical", feasibleSpace={"list": ["a"], "step": "1"}),
        "spec.parameters[1].feasibleSpace.step",
        "not allowed for a parameter of type categorical",
    ),
    (
        "28 kind",
        collector("File", file_source(kind="Directory")),
        f"{SOURCE}.fileSystemPath.kind",
        "needs 'File'",
    ),
    (
        "28 path",
        collector("File", {"fileSystemPath": {"path": "metrics.log"}}),
        f"{SOURCE}.fileSystemPath.path",
        "an absolute path is needed",
    ),
    (
        "28 format",
        collector("File", file_source(format="CSV")),
        f"{SOURCE}.fileSystemPath.format",
        "allowed are 'TEXT' or 'JSON'",
    ),
    (
        "28 filter",
        collector("File", file_source(format="JSON") | {"filter": {"metricsFormat": ["(a)(b)"]}}),
        f"{SOURCE}.filter",
        "not allowed for a file in JSON format",
    ),
    (
        "29 kind",
        collector("TensorFlowEvent", file_source(kind="File")),
        f"{SOURCE}.fileSystemPath.kind",
        "needs 'Directory'",
    ),
    (
        "29 format",
        collector("TensorFlowEvent", file_source(kind="Directory", format="TEXT")),
        f"{SOURCE}.fileSystemPath.format",
        "not allowed",
    ),
    (
        "30 port",
        collector("PrometheusMetric", {"httpGet": {"port": "http"}}),
        f"{SOURCE}.httpGet.port",
        "a port from 1 to 65535",
    ),
    (
        "30 path",
        collector("PrometheusMetric", {"httpGet": {"path": "metrics"}}),
        f"{SOURCE}.httpGet.path",
        "must begin with '/'",
    ),
    (
        "31",
        collector("Custom"),
        "spec.metricsCollectorSpec.collector.customCollector",
        "needs a container",
    ),
    (
        "31 path",
        collector("Custom", {"fileSystemPath": {"path": "out"}}, customCollector={"image": "x"}),
        f"{SOURCE}.fileSystemPath.kind",
        "needs 'File' or 'Directory'",
    ),
    (
        "32",
        collector("Stdout"),
        "spec.metricsCollectorSpec.collector.kind",
        "did you mean 'StdOut'",
    ),
    (
        "33 groups",
        formats(r"(\w+)=1"),
        FORMAT,
        "needs two groups, for the metric's name and value; found 1",
    ),
    ("33 syntax", formats("(a)(b"), FORMAT, "is no regular expression"),
    ("33 RE2", formats(r"(\pL+)=(.*)"), FORMAT, r"a Unicode class such as \pL"),
    ("33 RE2", formats(r"([[:alpha:]]+)=(.*)"), FORMAT, "a class such as [[:alpha:]]"),
    # Not checked by Katib, which hangs or crashes later.
    (
        "min above max",
        parameter(0, feasibleSpace={"min": "0.5", "max": "0.1"}),
        "spec.parameters[0].feasibleSpace.min",
        "must not be above max",
    ),
    (
        "log of zero",
        parameter(0, feasibleSpace={"min": "0", "max": "1", "distribution": "logUniform"}),
        "spec.parameters[0].feasibleSpace.min",
        "above 0",
    ),
    (
        "empty list",
        parameter(1, parameterType="categorical", feasibleSpace={"list": []}),
        "spec.parameters[1].feasibleSpace.list",
        "at least one value",
    ),
    (
        "no number",
        parameter(0, feasibleSpace={"min": "small", "max": "1"}),
        "spec.parameters[0].feasibleSpace.min",
        "found 'small'; a number is needed",
    ),
    ("one name twice", parameter(1, name="lr"), "spec.parameters", "more than one parameter"),
    (
        "a value that reaches no trial",
        lambda d: d["spec"]["parameters"].append(
            {
                "name": "momentum",
                "parameterType": "double",
                "feasibleSpace": {"min": "0", "max": "1"},
            }
        ),
        "spec.parameters[2].name",
        "is used nowhere in the trial template",
    ),
    (
        "a condition that is none",
        template(successCondition="status.conditions.#(type==", failureCondition="status"),
        f"{TEMPLATE}.successCondition",
        "is not closed",
    ),
    (
        "StdOut filter",
        collector("StdOut", {"filter": {"metricsFormat": ["(a"]}}),
        FORMAT,
        "is no regular expression",
    ),
    (
        "operations twice",
        all_of(
            lambda d: d["spec"].pop("parameters"),
            spec(nasConfig={"operations": [NAS["operations"][0]] * 2}),
        ),
        "spec.nasConfig.operations",
        "more than one operation",
    ),
    (
        "parameter of an operation",
        all_of(
            lambda d: d["spec"].pop("parameters"),
            spec(
                nasConfig={
                    "graphConfig": {"numLayers": 0},
                    "operations": [
                        {
                            "operationType": "convolution",
                            "parameters": [
                                {
                                    "name": "size",
                                    "parameterType": "int",
                                    "feasibleSpace": {"min": "3", "max": "1"},
                                }
                            ],
                        }
                    ],
                }
            ),
        ),
        "spec.nasConfig.operations[0].parameters[0].feasibleSpace.min",
        "above max",
    ),
    (
        "unknown field",
        template(trialParametres=[]),
        f"{TEMPLATE}.trialParametres",
        "did you mean 'trialParameters'",
    ),
    (
        "unknown field of a collector",
        spec(metricsCollectorSpec={"colector": {}}),
        "spec.metricsCollectorSpec.colector",
        "did you mean 'collector'",
    ),
    (
        "unknown field with nothing near",
        spec(metricsCollectorSpec={"xyz": {}}),
        "spec.metricsCollectorSpec.xyz",
        "allowed are collector, source",
    ),
]

WARNED: list[tuple[str, Change, str, str]] = [
    (
        "12 container",
        lambda d: d["spec"]["trialTemplate"].pop("primaryContainerName"),
        f"{TEMPLATE}.primaryContainerName",
        "the first container, 'training', is taken",
    ),
    (
        "12 conditions",
        job(as_jax_job),
        TEMPLATE,
        "those of the usual kinds are known here",
    ),
    (
        "12 conditions of a Workflow",
        job(lambda job: job.update(apiVersion="argoproj.io/v1alpha1", kind="Workflow")),
        TEMPLATE,
        "those of the usual kinds are known here",
    ),
    (
        "13 trialParameters",
        all_of(
            lambda d: d["spec"]["trialTemplate"].pop("trialParameters"),
            container(command=["${trialParameters.lr}", "${trialParameters.layers}"]),
        ),
        f"{TEMPLATE}.trialParameters",
        "taken for the parameter NAME",
    ),
    (
        "15 duplicate reference",
        all_of(
            template(trialParameters=[*TRIAL_PARAMETERS, {"name": "again", "reference": "lr"}]),
            container(args=["${trialParameters.again}"]),
        ),
        f"{TEMPLATE}.trialParameters",
        "Katib refuses 'lr' as the reference of more than one",
    ),
    (
        "20",
        job(lambda job: job.update(metadata={"name": "fixed"})),
        f"{JOB}.metadata.name",
        "the trial's own takes its place",
    ),
    (
        "21 unknown",
        container(imagePulPolicy="Always"),
        f"{POD}.containers[0].imagePulPolicy",
        "did you mean 'imagePullPolicy'",
    ),
    ("21 unknown", pod(restartpolicy="Never"), f"{POD}.restartpolicy", "'restartPolicy'"),
    (
        "21 integer",
        job(lambda job: job["spec"].update(parallelism="${trialParameters.numberLayers}")),
        f"{JOB}.spec.parallelism",
        "which Katib cannot do",
    ),
    (
        "25 list",
        parameter(1, feasibleSpace={"list": ["16", "32"]}),
        "spec.parameters[1].feasibleSpace.list",
        "taken as type discrete",
    ),
    (
        "28 format",
        collector("File", file_source(format="text")),
        f"{SOURCE}.fileSystemPath.format",
        "taken as 'TEXT'",
    ),
    (
        "32 Prometheus",
        collector("Prometheus"),
        "spec.metricsCollectorSpec.collector.kind",
        "taken as 'PrometheusMetric'",
    ),
    (
        "32 None",
        collector("None"),
        "spec.metricsCollectorSpec.collector.kind",
        "taken as 'Push'",
    ),
    (
        "33",
        formats(r"(\w+)=(?=\d)(.*)"),
        FORMAT,
        "a look-ahead or look-behind, which Katib refuses",
    ),
    (
        "numbers that are no text",
        parameter(0, feasibleSpace={"min": 0.01, "max": "1"}),
        "spec.parameters[0].feasibleSpace",
        "without quotation marks",
    ),
    (
        "operation without parameters",
        all_of(lambda d: d["spec"].pop("parameters"), spec(nasConfig=NAS)),
        "spec.nasConfig.operations[0].parameters",
        "Katib's darts refuses",
    ),
    ("extension", spec(seed=1), "spec.seed", "ignores it"),
    (
        "conditional parameter",
        parameter(0, when="layers > 2"),
        "spec.parameters[0].when",
        "ignores it",
    ),
    (
        "no restart policy",
        job(lambda job: job["spec"]["template"]["spec"].pop("restartPolicy")),
        f"{POD}.restartPolicy",
        "'Never' is taken",
    ),
]


def test_a_manifest_that_katib_accepts_has_no_problems_and_no_warnings() -> None:
    assert manifest().warnings == ()
    assert run_problems(manifest().experiment) == []


@pytest.mark.parametrize(
    ("rule", "change", "where", "said"), REFUSED, ids=[f"{row[0]}-{row[2]}" for row in REFUSED]
)
def test_what_breaks_a_rule_is_refused(rule: str, change: Change, where: str, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        manifest(change)
    found = [problem.message for problem in refused.value.problems if problem.where == where]
    assert any(said in message for message in found), str(refused.value)


@pytest.mark.parametrize(
    ("rule", "change", "where", "said"), WARNED, ids=[f"{row[0]}-{row[2]}" for row in WARNED]
)
def test_what_is_harmless_here_is_accepted_with_a_warning(
    rule: str, change: Change, where: str, said: str
) -> None:
    warnings = manifest(change).warnings
    found = [warning.message for warning in warnings if warning.where == where]
    assert any(said in message for message in found), warnings


def test_every_broken_rule_is_reported_at_once() -> None:
    with pytest.raises(InvalidInput) as refused:
        manifest(
            all_of(
                name("Upper"),
                spec(maxTrialCount=0, earlyStopping={"algorithmName": ""}),
                trial_parameter(0, reference="rl"),
                parameter(1, feasibleSpace={"min": "5", "max": "2"}),
                collector("Custom"),
            )
        )
    assert [problem.where for problem in refused.value.problems] == [
        "metadata.name",
        "spec.maxTrialCount",
        "spec.earlyStopping.algorithmName",
        "spec.parameters[1].feasibleSpace.min",
        f"{TEMPLATE}.trialParameters[0].reference",
        "spec.parameters[0].name",
        "spec.metricsCollectorSpec.collector.customCollector",
    ]


def test_without_a_template_an_experiment_is_sound_and_cannot_be_run() -> None:
    found = experiment(lambda d: d["spec"].pop("trialTemplate"))
    (problem,) = run_problems(found)
    assert problem.where == TEMPLATE and "is missing" in problem.message


def test_a_placeholder_that_names_nothing_keeps_an_experiment_from_running() -> None:
    found = experiment(
        all_of(
            lambda d: d["spec"]["trialTemplate"].pop("trialParameters"),
            container(command=["${trialParameters.layrs}", "${trialParameters.lr}"]),
        )
    )
    dangling, unused = run_problems(found)
    assert dangling.where == f"{POD}.containers[0].command[0]"
    assert "${trialParameters.layrs} names nothing" in dangling.message
    assert "did you mean 'layers'" in dangling.message
    assert unused.where == "spec.parameters[1].name"
