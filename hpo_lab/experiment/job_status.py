"""Whether the object of a trial has succeeded or failed, according to its status.

Success and failure conditions are GJSON queries on the object. As in Katib
(`pkg/controller.v1beta1/trial/util/job_util.go`), a condition holds when it selects an
object or an array that is not empty, the failure condition comes first, and reason and
message are those of the first element.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hpo_lab.experiment import gjson

if TYPE_CHECKING:
    # Trials import this module; pydantic, which the model needs, would double their start-up.
    from hpo_lab.experiment.template import TrialTemplate

__all__ = [
    "KINDS_WITH_CONDITIONS",
    "JobConditions",
    "JobOutcome",
    "default_conditions",
    "job_conditions",
    "job_outcome",
]


@dataclass(frozen=True, slots=True)
class JobConditions:
    """The GJSON queries that decide how an object ended."""

    success: str
    failure: str


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """How an object ended, with the reason and message of its status."""

    succeeded: bool
    reason: str = ""
    message: str = ""


def _when_true(success: str) -> JobConditions:
    def query(kind: str) -> str:
        return f'status.conditions.#(type=="{kind}")#|#(status=="True")#'

    return JobConditions(query(success), query("Failed"))


def _of_status(field: str, value: str) -> str:
    return f'status.[@this].#({field}=="{value}")'


_COMPLETE, _SUCCEEDED = _when_true("Complete"), _when_true("Succeeded")
_DEFAULTS = {
    ("batch", "Job"): _COMPLETE,
    ("jobset.x-k8s.io", "JobSet"): _when_true("Completed"),
    ("trainer.kubeflow.org", "TrainJob"): _COMPLETE,
    # A job that Ray runs again has the `jobStatus` of its last attempt meanwhile.
    ("ray.io", "RayJob"): JobConditions(
        f'{_of_status("jobDeploymentStatus", "Complete")}#|#(jobStatus=="SUCCEEDED")#',
        f"[{_of_status('jobDeploymentStatus', 'Failed')},"
        f'{_of_status("jobDeploymentStatus", "Complete")}#|#(jobStatus!="SUCCEEDED")]',
    ),
    ("argoproj.io", "Workflow"): JobConditions(
        f"{_of_status('phase', 'Succeeded')}#",
        f"[{_of_status('phase', 'Failed')},{_of_status('phase', 'Error')}]",
    ),
    ("tekton.dev", "PipelineRun"): JobConditions(
        _SUCCEEDED.success,
        'status.conditions.#(type=="Succeeded")#|#(status=="False")#',
    ),
    **{
        ("kubeflow.org", kind): _SUCCEEDED
        for kind in (
            "JAXJob",
            "MPIJob",
            "PaddleJob",
            "PyTorchJob",
            "TFJob",
            "XGBoostJob",
        )
    },
}


KINDS_WITH_CONDITIONS: Final = tuple(_DEFAULTS)
"""API group and kind of the objects whose end is recognised without conditions in the template."""


def default_conditions(api_version: str, kind: str) -> JobConditions | None:
    """The conditions of a kind that hpo_lab knows, in any version; None for other kinds.

    Katib has defaults for Job, TrainJob, TFJob, PyTorchJob, MPIJob and XGBoostJob alone.
    """
    return _DEFAULTS.get((api_version.partition("/")[0], kind))


def job_conditions(template: TrialTemplate, api_version: str, kind: str) -> JobConditions | None:
    """The conditions of *template* for an object of *kind*; None where either is lacking."""
    default = default_conditions(api_version, kind)
    success = template.success_condition or (default and default.success)
    failure = template.failure_condition or (default and default.failure)
    return JobConditions(success, failure) if success and failure else None


def job_outcome(job: Mapping[str, Any], conditions: JobConditions) -> JobOutcome | None:
    """How *job*, a Kubernetes object, ended; None while neither condition holds.

    Raises:
        ValueError: A condition is no GJSON path, or its syntax is not supported.
    """
    for succeeded, query in ((False, conditions.failure), (True, conditions.success)):
        selected = gjson.select(job, query)
        if isinstance(selected, list):
            selected = selected[0] if selected else gjson.MISSING
        elif not isinstance(selected, Mapping):
            selected = gjson.MISSING
        if selected is not gjson.MISSING:
            condition = selected if isinstance(selected, Mapping) else {}
            texts = (str(condition.get(key) or "") for key in ("reason", "message"))
            return JobOutcome(succeeded, *texts)
    return None
