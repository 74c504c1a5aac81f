"""GJSON paths, and how an object tells that it has ended."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.experiment.gjson import MISSING, Path, select
from hpo_lab.experiment.job_status import (
    JobConditions,
    JobOutcome,
    default_conditions,
    job_conditions,
    job_outcome,
)
from hpo_lab.experiment.template import TrialTemplate

# The example of GJSON's own documentation.
DOCUMENT: dict[str, Any] = {
    "name": {"first": "Tom", "last": "Anderson"},
    "age": 37,
    "children": ["Sara", "Alex", "Jack"],
    "fav.movie": "Deer Hunter",
    "friends": [
        {"first": "Dale", "last": "Murphy", "age": 44, "nets": ["ig", "fb", "tw"]},
        {"first": "Roger", "last": "Craig", "age": 68, "nets": ["fb", "tw"]},
        {"first": "Jane", "last": "Murphy", "age": 47, "nets": ["ig", "tw"]},
    ],
    "done": True,
    "error": None,
}
DALE, ROGER, JANE = DOCUMENT["friends"]


@pytest.mark.parametrize(
    ("path", "selected"),
    [
        ("name.last", "Anderson"),
        ("children.1", "Alex"),
        ("children.9", MISSING),
        ("children.first", MISSING),
        ("friends.1.first", "Roger"),
        ("child*.2", "Jack"),
        ("c?ildren.0", "Sara"),
        (r"fav\.movie", "Deer Hunter"),
        ("error", None),
        ("nothing", MISSING),
        ("friends.#", 3),
        ("name.#", MISSING),
        ("friends.#.age", [44, 68, 47]),
        ('friends.#(last=="Murphy").first', "Dale"),
        ('friends.#(last=="Murphy")#.first', ["Dale", "Jane"]),
        ('friends.#(last=="Smith")', MISSING),
        ('friends.#(last=="Smith")#', []),
        ("friends.#(age>45)#.last", ["Craig", "Murphy"]),
        ("friends.#(age>=68).first", "Roger"),
        ("friends.#(age<47)#.first", ["Dale"]),
        ("friends.#(age<=47)#.first", ["Dale", "Jane"]),
        ("friends.#(age!=44)#.first", ["Roger", "Jane"]),
        ('friends.#(age=="44").first', "Dale"),
        ('friends.#(first%"D*").last', "Murphy"),
        ('friends.#(first!%"D*").last', "Craig"),
        ("friends.#(first)#|#", 3),
        ("friends.#(second)#|#", 0),
        ('children.#(!%"*a*")', "Alex"),
        ('children.#(%"*a*")#', ["Sara", "Jack"]),
        ('friends.#(nets.#(=="fb"))#.first', ["Dale", "Roger"]),
        ("friends|0|first", "Dale"),
        ('friends.#(last=="Murphy")#|first', MISSING),
        ('friends.#(last=="Murphy")#.0', []),
        ('friends.#(last=="Murphy")#|0', DALE),
        ('friends.#(last=="Murphy")#.#', []),
        ('friends.#(last=="Murphy")#|#', 2),
        ('friends.#(last=="Murphy")#|#(age>45)#', [JANE]),
        ("children.@reverse.0", "Jack"),
        ("name.@keys", ["first", "last"]),
        ("name.@values|1", "Anderson"),
        ("@this.age", 37),
        ("[name.first,nothing,age]", ["Tom", 37]),
        ('{name.first,age,"n":friends.#}', {"first": "Tom", "age": 37, "n": 3}),
        ("[@this].#(done==true)#.age", [37]),
        ("[@this].#(done==false)#", []),
        ('name.[@this].#(first=="Tom")', DOCUMENT["name"]),
    ],
)
def test_a_path_selects_what_gjson_selects(path: str, selected: Any) -> None:
    assert select(DOCUMENT, path) == selected


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "empty"),
        ("status.#(type==", "not closed"),
        ('status.#(type=="a)', "not closed"),
        ("status.)", "never opened"),
        ("status..a", "no path component"),
        ("status.#()", "no query"),
        ("status.@pretty", "not supported; supported are @this"),
        ('status.!"a"', "no path component that is supported"),
        ("a.#(b==~true)", "not supported"),
        ("[" * 1500 + "]" * 1500, "nested too deeply"),
    ],
)
def test_what_is_no_path_is_refused(path: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Path.parse(path)


@given(st.text('status.#()|[]{}@="\\%!<>*?, a1', max_size=20))
def test_any_text_is_a_path_or_a_value_error(text: str) -> None:
    try:
        path = Path.parse(text)
    except ValueError:
        return
    before = json.dumps(DOCUMENT)
    value = path.of(DOCUMENT)
    assert value is MISSING or json.dumps(value)
    assert json.dumps(DOCUMENT) == before


SUCCEEDED = JobConditions(
    'status.conditions.#(type=="Succeeded")#|#(status=="True")#',
    'status.conditions.#(type=="Failed")#|#(status=="True")#',
)


def tf_job(failed: str, succeeded: str) -> dict[str, Any]:
    said = {"reason": "test-reason", "message": "test-message"}
    return {
        "metadata": {"name": "test-tfjob"},
        "status": {
            "conditions": [
                {"type": "Failed", "status": failed, **said},
                {"type": "Succeeded", "status": succeeded, **said},
            ],
            "replicaStatuses": {"master": {"active": 1}},
        },
    }


SAID = ("test-reason", "test-message")


@pytest.mark.parametrize(
    ("job", "conditions", "outcome"),
    [
        # The cases of Katib's job_util_test.go.
        (tf_job("False", "False"), SUCCEEDED, None),
        (tf_job("False", "True"), SUCCEEDED, JobOutcome(True, *SAID)),
        (tf_job("True", "False"), SUCCEEDED, JobOutcome(False, *SAID)),
        (
            tf_job("False", "True"),
            JobConditions(
                'status.replicaStatuses.master.[@this].#(active=="1")', SUCCEEDED.failure
            ),
            JobOutcome(True),
        ),
        # Failure is asked first.
        (tf_job("True", "True"), SUCCEEDED, JobOutcome(False, *SAID)),
        ({"metadata": {"name": "new"}}, SUCCEEDED, None),
        (
            {"status": {"succeeded": 1}},
            JobConditions("status.[@this].#(succeeded==1)", "status.[@this].#(failed>0)"),
            JobOutcome(True),
        ),
        (
            {"status": {"phase": "Failed", "message": "evicted"}},
            JobConditions(
                'status.[@this].#(phase=="Succeeded")#', 'status.[@this].#(phase=="Failed")#'
            ),
            JobOutcome(False, "", "evicted"),
        ),
        # A text or a number is no condition that holds.
        ({"status": {"phase": "x"}}, JobConditions("status.phase", "status.no"), None),
    ],
)
def test_how_an_object_ended(
    job: dict[str, Any], conditions: JobConditions, outcome: JobOutcome | None
) -> None:
    assert job_outcome(job, conditions) == outcome


@pytest.mark.parametrize(
    ("version", "kind", "type_"),
    [
        ("batch/v1", "Job", "Complete"),
        ("trainer.kubeflow.org/v1alpha1", "TrainJob", "Complete"),
        *(
            ("kubeflow.org/v1", kind, "Succeeded")
            for kind in ("TFJob", "PyTorchJob", "MPIJob", "XGBoostJob", "JAXJob", "PaddleJob")
        ),
    ],
)
def test_the_usual_kinds_need_no_conditions(version: str, kind: str, type_: str) -> None:
    conditions = default_conditions(version, kind)
    assert conditions is not None
    for status, succeeded in (("Failed", False), (type_, True)):
        job = {"status": {"conditions": [{"type": status, "status": "True"}]}}
        assert job_outcome(job, conditions) == JobOutcome(succeeded)


def condition(type_: str, status: str = "True") -> dict[str, str]:
    return {"type": type_, "status": status}


def ray(deployment: str, job: str) -> dict[str, str]:
    return {"jobDeploymentStatus": deployment, "jobStatus": job}


def test_a_template_can_replace_one_condition() -> None:
    template = TrialTemplate(success_condition="status.ok")
    conditions = job_conditions(template, "batch/v1", "Job")
    assert conditions is not None and conditions.success == "status.ok"
    assert conditions.failure == 'status.conditions.#(type=="Failed")#|#(status=="True")#'
    assert job_conditions(template, "example.org/v1", "Workflow") is None


@pytest.mark.parametrize(
    ("version", "kind", "status", "succeeded"),
    [
        ("jobset.x-k8s.io/v1alpha2", "JobSet", {"conditions": [condition("Completed")]}, True),
        ("jobset.x-k8s.io/v1alpha2", "JobSet", {"conditions": [condition("Failed")]}, False),
        ("jobset.x-k8s.io/v1alpha2", "JobSet", {"conditions": [condition("Suspended")]}, None),
        ("ray.io/v1", "RayJob", ray("Complete", "SUCCEEDED"), True),
        ("ray.io/v1", "RayJob", ray("Complete", "STOPPED"), False),
        ("ray.io/v1", "RayJob", ray("Complete", "FAILED"), False),
        ("ray.io/v1", "RayJob", ray("Failed", ""), False),
        ("ray.io/v1", "RayJob", ray("Retrying", "FAILED"), None),
        ("ray.io/v1", "RayJob", ray("Running", "SUCCEEDED"), None),
        ("argoproj.io/v1alpha1", "Workflow", {"phase": "Succeeded"}, True),
        ("argoproj.io/v1alpha1", "Workflow", {"phase": "Failed", "message": "no"}, False),
        ("argoproj.io/v1alpha1", "Workflow", {"phase": "Error"}, False),
        ("argoproj.io/v1alpha1", "Workflow", {"phase": "Running"}, None),
        ("argoproj.io/v1alpha1", "Workflow", {}, None),
        ("tekton.dev/v1", "PipelineRun", {"conditions": [condition("Succeeded")]}, True),
        ("tekton.dev/v1", "PipelineRun", {"conditions": [condition("Succeeded", "False")]}, False),
        ("tekton.dev/v1", "PipelineRun", {"conditions": [condition("Succeeded", "Unknown")]}, None),
    ],
)
def test_kinds_that_katib_does_not_know_need_no_conditions(
    version: str, kind: str, status: dict[str, Any], succeeded: bool | None
) -> None:
    conditions = default_conditions(version, kind)
    assert conditions is not None
    outcome = job_outcome({"status": status}, conditions)
    assert (outcome and outcome.succeeded) == succeeded
    assert job_outcome({}, conditions) is None
    if "message" in status:
        assert outcome is not None and outcome.message == status["message"]
