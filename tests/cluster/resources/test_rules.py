"""The rules in CEL, which a real API server alone evaluates, say what ours say."""

from __future__ import annotations

import copy
import json
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hpo_lab.cluster.resources.definitions import GROUP, KATIB_GROUP, VERSION, definitions
from hpo_lab.cluster.resources.objects import experiment_resource, trial_resource
from hpo_lab.cluster.resources.statuses import applied_status, experiment_resource_status
from hpo_lab.experiment.manifest import parse_manifest
from hpo_lab.experiment.rules import run_problems
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.experiment.yaml_text import read_documents
from hpo_lab.problems import InvalidInput
from tests.cluster.resources.test_definitions import MANIFESTS
from tests.cluster.resources.test_objects import CONDITIONS, best
from tests.conftest import Require
from tests.experiment.manifests import Change, changed, collector, job, parameter, spec, template

Call = Callable[..., dict[str, Any]]


class Refused(Exception):
    """The API server refused a request; the message is its own."""


@pytest.fixture(scope="module")
def call(require: Require, cluster_kubeconfig: str) -> Iterator[Call]:
    """`call(verb, path, document)`: what a real API server with our definitions answers."""
    kubectl = shutil.which("kubectl")
    require("cluster", kubectl, "install kubectl")
    assert kubectl is not None

    def run(*words: str, text: str = "") -> str:
        command = [kubectl, f"--kubeconfig={cluster_kubeconfig}", *words]
        ended = subprocess.run(command, input=text, capture_output=True, text=True)
        if ended.returncode:
            raise Refused(ended.stderr)
        return ended.stdout

    def call(verb: str, address: str, document: dict[str, Any] | None = None) -> dict[str, Any]:
        words = [verb, "--raw", address]
        text = json.dumps(document) if document is not None else ""
        answer: dict[str, Any] = json.loads(run(*words, *(["-f", "-"] if text else []), text=text))
        return answer

    crds = [*definitions(GROUP), *definitions(KATIB_GROUP)]
    listed = {"apiVersion": "v1", "kind": "List", "items": crds}
    run(*["apply", "--server-side", "--force-conflicts", "-f", "-"], text=json.dumps(listed))
    names = [f"crd/{each['metadata']['name']}" for each in crds]
    run("wait", "--for=condition=Established", "--timeout=60s", *names)
    yield call


@pytest.fixture(scope="module")
def namespace(call: Call) -> Iterator[str]:
    name = f"rules-{secrets.token_hex(4)}"
    path = "/api/v1/namespaces"
    call("create", path, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    call("delete", f"{path}/{name}")


def address(namespace: str, plural: str = "experiments", rest: str = "", group: str = GROUP) -> str:
    return f"/apis/{group}/{VERSION}/namespaces/{namespace}/{plural}{rest}"


DRY = "?dryRun=All&fieldValidation=Strict"


def own(change: Change, namespace: str) -> dict[str, Any]:
    document = changed(change)
    document["apiVersion"] = f"{GROUP}/{VERSION}"
    document["metadata"]["namespace"] = namespace
    return document


def nothing(_: dict[str, Any]) -> None:
    pass


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_katibs_manifests_are_taken(path: Any, call: Call, namespace: str) -> None:
    documents = read_documents(path.read_text())
    (document,) = (each for each in documents if each["kind"] == "Experiment")
    document["metadata"]["namespace"] = namespace
    described = parse_manifest(document).experiment
    where = address(namespace, rest=DRY, group=KATIB_GROUP)
    if "trialTemplate" in document["spec"]:
        answer = call("create", where, document)
        assert answer["spec"]["resumePolicy"] == "Never"
        call("create", where, experiment_resource(described))
    else:
        assert run_problems(described)
        with pytest.raises(Refused, match=r"trialTemplate: .*is missing; say what a trial runs"):
            call("create", where, document)


REFUSED: list[tuple[str, Change, str]] = [
    ("long name", lambda d: d["metadata"].update(name="a" * 41), "at most 40 characters"),
    ("dots", lambda d: d["metadata"].update(name="a.b"), "consist of lower-case letters"),
    ("digit", lambda d: d["metadata"].update(name="1a"), "start with a letter"),
    ("parallel", spec(parallelTrialCount=13), "parallelTrialCount: .*less than or equal to"),
    ("failed", spec(maxFailedTrialCount=13), "maxFailedTrialCount: .*less than or equal to"),
    ("no space", spec(parameters=[]), "exactly one of parameters and nasConfig"),
    ("both spaces", spec(nasConfig={"operations": []}), "exactly one of parameters and nasConfig"),
    ("bounds", parameter(0, feasibleSpace={"min": "3", "max": "1e-3"}), "min: .*not be above max"),
    ("one bound", parameter(0, feasibleSpace={"min": "3"}), "needs min and max"),
    (
        "log of nothing",
        parameter(0, feasibleSpace={"min": "0", "max": "1", "distribution": "logUniform"}),
        "needs a number above 0",
    ),
    ("step", parameter(0, feasibleSpace={"min": "0", "max": "1", "step": "0"}), "step: .*above 0"),
    ("fraction", parameter(1, feasibleSpace={"min": "0.5", "max": "2"}), "must be an integer"),
    (
        "bounds of choices",
        parameter(0, parameterType="categorical", feasibleSpace={"list": ["a"], "min": "1"}),
        "has a list alone",
    ),
    ("name twice", parameter(1, name="lr"), "Duplicate value"),
    (
        "objective twice",
        spec(
            objective={
                "type": "maximize",
                "objectiveMetricName": "a",
                "additionalMetricNames": ["a"],
            }
        ),
        "contains the objective",
    ),
    (
        "constraint",
        spec(
            objective={
                "type": "maximize",
                "objectiveMetricName": "a",
                "constraints": [{"name": "b", "min": 2, "max": 1}],
            }
        ),
        "not be above max",
    ),
    (
        "no constraint",
        spec(
            objective={
                "type": "maximize",
                "objectiveMetricName": "a",
                "constraints": [{"name": "b"}],
            }
        ),
        "has no bounds",
    ),
    (
        "two sources",
        template(goTemplate={"rawTemplate": "x"}),
        "exactly one of trialSpec, configMap, goTemplate",
    ),
    (
        "unknown kind",
        job(lambda document: document.update(apiVersion="example.org/v1", kind="Thing")),
        "successCondition and failureCondition are needed",
    ),
    ("custom", collector("Custom"), "needs a container"),
]


@pytest.mark.parametrize(
    ("change", "message"), [each[1:] for each in REFUSED], ids=[each[0] for each in REFUSED]
)
def test_what_is_refused_here_is_refused_there(
    change: Change, message: str, call: Call, namespace: str
) -> None:
    document = own(change, namespace)
    with pytest.raises(InvalidInput):
        parse_manifest(document)
    with pytest.raises(Refused, match=message):
        call("create", address(namespace, rest=DRY), document)


@pytest.mark.parametrize(
    "change",
    [
        nothing,
        parameter(1, feasibleSpace={"min": 1, "max": "1e1", "step": 2}),
        parameter(0, parameterType="categorical", feasibleSpace={"list": [True, None, 0.5, "a"]}),
        parameter(0, feasibleSpace={"min": "-.5", "max": "+1E3"}),
        spec(initialPoints=[{"lr": 0.02, "layers": 3}]),
        job(lambda document: document.update(apiVersion="ray.io/v1", kind="RayJob")),
        lambda document: (
            job(lambda each: each.update(apiVersion="example.org/v1", kind="Thing"))(document),
            template(successCondition="a", failureCondition="b")(document),
        ),
    ],
)
def test_what_is_taken_here_is_taken_there_and_kept(
    change: Change, call: Call, namespace: str
) -> None:
    document = own(change, namespace)
    parse_manifest(document)
    kept = call("create", address(namespace, rest=DRY), document)["spec"]
    for name, value in document["spec"].items():
        assert kept[name] == value


ALLOWED: list[Change] = [
    spec(parallelTrialCount=5, maxTrialCount=100, maxFailedTrialCount=None),
    spec(enqueuedPoints=[{"lr": 0.02, "layers": 3}], activeDeadlineSeconds=60),
    spec(
        objective={"type": "maximize", "objectiveMetricName": "accuracy", "goal": 0.99},
        resumePolicy="LongRunning",
    ),
    lambda document: document["metadata"].update(labels={"team": "vision"}),
]
FIXED: list[tuple[str, Change]] = [
    ("parameters", parameter(0, feasibleSpace={"min": "0.01", "max": "0.04"})),
    ("algorithm", spec(algorithm={"algorithmName": "tpe"})),
    ("seed", spec(seed=3)),
    ("earlyStopping", spec(earlyStopping={"algorithmName": "medianstop"})),
    ("objective.type", spec(objective={"type": "minimize", "objectiveMetricName": "accuracy"})),
    ("metricsCollectorSpec", collector("Push")),
    ("trialTemplate", template(retain=True)),
    ("trialTemplate", job(lambda document: document["spec"].update(backoffLimit=3))),
    ("warmStart", spec(warmStart=["other"])),
]


@pytest.fixture(scope="module")
def created(call: Call, namespace: str) -> dict[str, Any]:
    return call("create", address(namespace), own(nothing, namespace))


@pytest.mark.parametrize("change", ALLOWED)
def test_budgets_may_change(change: Change, call: Call, created: dict[str, Any]) -> None:
    namespace, name = created["metadata"]["namespace"], created["metadata"]["name"]
    document = own(change, namespace)
    document["spec"] = {key: value for key, value in document["spec"].items() if value is not None}
    document["metadata"]["resourceVersion"] = created["metadata"]["resourceVersion"]
    call("replace", address(namespace, rest=f"/{name}{DRY}"), document)


@pytest.mark.parametrize(("field", "change"), FIXED)
def test_meaning_may_not(field: str, change: Change, call: Call, created: dict[str, Any]) -> None:
    namespace, name = created["metadata"]["namespace"], created["metadata"]["name"]
    document = own(change, namespace)
    document["metadata"]["resourceVersion"] = created["metadata"]["resourceVersion"]
    with pytest.raises(Refused, match=rf"spec\.{field}: .*cannot be changed; create another"):
        call("replace", address(namespace, rest=f"/{name}{DRY}"), document)


def test_a_trial_and_its_status_are_written_and_the_trial_stays(
    call: Call, created: dict[str, Any]
) -> None:
    namespace = created["metadata"]["namespace"]
    described = parse_manifest(own(nothing, namespace)).experiment
    trial = Trial(0, {"lr": 0.02, "layers": 3}, TrialState.CREATED)
    where = address(namespace, "trials")
    written = call("create", where, trial_resource(described, created, trial))
    changed_trial = copy.deepcopy(written)
    changed_trial["spec"]["parameterAssignments"][0]["value"] = "0.03"
    name = written["metadata"]["name"]
    with pytest.raises(Refused, match="cannot be changed"):
        call("replace", f"{where}/{name}{DRY}", changed_trial)
    status = experiment_resource_status(
        described, CONDITIONS, {TrialState.SUCCEEDED: 1}, [best()], generation=1
    )
    applied = applied_status(created, status)
    whole = {**created, "status": applied["status"]}
    rest = f"/{created['metadata']['name']}/status"
    answer = call("replace", address(namespace, rest=rest), whole)
    assert answer["status"] == status
