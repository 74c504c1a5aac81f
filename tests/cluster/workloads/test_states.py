"""The state of a trial from its objects."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.cluster.workloads.disturbances import Disturbance, creation_trouble, pod_trouble
from hpo_lab.cluster.workloads.states import (
    WorkloadPhase,
    WorkloadState,
    is_owned_by,
    workload_state,
)
from hpo_lab.experiment.template import TrialTemplate
from hpo_lab.problems import InvalidInput

TEMPLATE = TrialTemplate()
START, END = "2026-01-31T09:30:00Z", "2026-01-31T09:31:00Z"


def job(*conditions: dict[str, str], suspend: bool = False, **status: Any) -> dict[str, Any]:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "j", "namespace": "n", "uid": "j-1"},
        "spec": {"suspend": suspend},
        "status": {"conditions": [*conditions], **status},
    }


def condition(type_: str, reason: str = "", message: str = "") -> dict[str, str]:
    said = {"reason": reason, "message": message, "lastTransitionTime": END}
    return {"type": type_, "status": "True", **said}


FAILED = condition("Failed", "BackoffLimitExceeded", "Job has reached its limit")
COMPLETE = condition("Complete", "CompletionsReached", "done")


def pod(phase: str = "Running", /, *states: dict[str, Any], **status: Any) -> dict[str, Any]:
    containers = [{"name": f"c{index}", "state": state} for index, state in enumerate(states)]
    return {
        "metadata": {"name": "p"},
        "status": {"phase": phase, "containerStatuses": containers, **status},
    }


RUNNING = {"running": {"startedAt": START}}


def ended(code: int, reason: str = "Error", at: str = END, message: str = "") -> dict[str, Any]:
    return {
        "terminated": {
            "exitCode": code,
            "reason": reason,
            "startedAt": START,
            "finishedAt": at,
            "message": message,
        }
    }


def waiting(reason: str) -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": f"because of {reason}"}}


def target(reason: str) -> dict[str, Any]:
    said = {"type": "DisruptionTarget", "status": "True", "reason": reason, "message": "moved"}
    return {"conditions": [said]}


def unscheduled(reason: str = "Unschedulable") -> dict[str, Any]:
    said = {"type": "PodScheduled", "status": "False", "reason": reason, "message": "no node"}
    return {"conditions": [said]}


def state(workload: dict[str, Any] | None, *pods: dict[str, Any], **rest: Any) -> WorkloadState:
    return workload_state(workload, TEMPLATE, pods, **rest)


@pytest.mark.parametrize(
    ("workload", "pods", "phase", "reason"),
    [
        (None, [], "Absent", ""),
        (job(), [], "Pending", "Pending"),
        (job(suspend=True), [], "Queued", "Suspended"),
        (job(ready=1), [], "Running", "Running"),
        (job(active=1), [pod("Running", RUNNING)], "Running", "Running"),
        (job(active=1), [pod("Pending", waiting("ContainerCreating"))], "Pending", "Pending"),
        (job(COMPLETE), [pod("Succeeded", ended(0, "Completed"))], "Succeeded", COMPLETE["reason"]),
        (job(FAILED), [pod("Failed", ended(1))], "Failed", FAILED["reason"]),
        (job(FAILED), [], "Failed", FAILED["reason"]),
        (job(active=1), [pod("Pending", **unscheduled())], "Pending", "Unschedulable"),
        (job(), [pod("Pending", **unscheduled("SchedulingGated"))], "Queued", "SchedulingGated"),
        (
            job(active=1),
            [pod("Pending", waiting("ImagePullBackOff"))],
            "Pending",
            "ImageNotPulled",
        ),
        (
            job(active=1),
            [pod("Pending", waiting("CreateContainerConfigError"))],
            "Pending",
            "ContainerNotCreated",
        ),
        # What runs now counts, not what was evicted before.
        (
            job(active=1),
            [pod("Failed", reason="Evicted"), pod("Running", RUNNING)],
            "Running",
            "Running",
        ),
        (
            job(active=1),
            [pod("Failed", ended(75)), pod("Pending", waiting("ContainerCreating"))],
            "Pending",
            "Checkpointed",
        ),
    ],
)
def test_the_phase_of_a_job(
    workload: Any, pods: list[dict[str, Any]], phase: str, reason: str
) -> None:
    seen = state(workload, *pods)
    assert (seen.phase.value, seen.reason) == (phase, reason)
    assert seen.phase.is_final == (phase in ("Succeeded", "Failed"))


@pytest.mark.parametrize(
    ("failed", "disturbance"),
    [
        (pod("Failed", ended(1)), None),
        (pod("Failed", ended(137, "OOMKilled")), None),
        (pod("Failed", ended(137)), None),
        (pod("Failed", ended(75)), Disturbance.CHECKPOINTED),
        (pod("Failed", ended(143), **target("PreemptionByScheduler")), Disturbance.PREEMPTED),
        (pod("Failed", ended(143), **target("EvictionByEvictionAPI")), Disturbance.EVICTED),
        (pod("Failed", ended(143), **target("DeletionByTaintManager")), Disturbance.EVICTED),
        (pod("Failed", ended(137), **target("TerminationByKubelet")), Disturbance.EVICTED),
        (pod("Failed", **target("DeletionByPodGC")), Disturbance.NODE_LOST),
        (pod("Failed", **target("SomethingNew")), Disturbance.EVICTED),
        (
            pod("Failed", reason="Evicted", message="The node was low on resource: memory."),
            Disturbance.EVICTED,
        ),
        (
            pod(
                "Failed",
                reason="Evicted",
                message="Pod ephemeral local storage usage exceeds the total limit of containers.",
            ),
            None,
        ),
        (
            pod(
                "Failed",
                reason="Evicted",
                message='Usage of EmptyDir volume "tmp" exceeds the limit "1Gi".',
            ),
            None,
        ),
        (
            pod(
                "Failed",
                reason="Evicted",
                message="Container c exceeded its local ephemeral storage limit",
            ),
            None,
        ),
        (
            pod("Failed", reason="Terminated", message="imminent node shutdown"),
            Disturbance.EVICTED,
        ),
        (pod("Failed", reason="NodeLost"), Disturbance.NODE_LOST),
        (pod("Unknown"), Disturbance.NODE_LOST),
        (pod("Failed", ended(137, "ContainerStatusUnknown")), Disturbance.NODE_LOST),
        (pod("Failed", reason="OutOfnvidia.com/gpu"), Disturbance.NODE_REFUSED),
        (pod("Failed", reason="Preempting"), Disturbance.PREEMPTED),
    ],
)
def test_a_failure_is_of_the_code_or_of_the_cluster(
    failed: dict[str, Any], disturbance: Disturbance | None
) -> None:
    seen = state(job(FAILED), failed)
    assert (seen.phase, seen.disturbance) == (WorkloadPhase.FAILED, disturbance)
    assert seen.reason == (disturbance.value if disturbance else FAILED["reason"])
    assert seen.disruptions == (disturbance is not None)


def test_a_pod_that_was_deleted_is_not_to_blame() -> None:
    deleted = pod("Failed", ended(143))
    deleted["metadata"]["deletionTimestamp"] = END
    assert state(job(FAILED), deleted).disturbance is Disturbance.EVICTED
    deleted = pod("Failed", ended(137, "OOMKilled"))
    deleted["metadata"]["deletionTimestamp"] = END
    assert state(job(FAILED), deleted).disturbance is None


def test_the_last_pod_of_a_job_decides() -> None:
    first, last = "2026-01-31T09:30:10Z", "2026-01-31T09:30:50Z"
    evicted_first = [
        pod("Failed", ended(143, at=first), **target("EvictionByEvictionAPI")),
        pod("Failed", ended(1, at=last)),
    ]
    seen = state(job(FAILED), *evicted_first)
    assert seen.disturbance is None and seen.disruptions == 1
    failed_first = [
        pod("Failed", ended(143, at=last), **target("EvictionByEvictionAPI")),
        pod("Failed", ended(1, at=first)),
    ]
    assert state(job(FAILED), *failed_first).disturbance is Disturbance.EVICTED


def test_peers_of_a_lost_pod_fail_through_no_fault_of_theirs() -> None:
    distributed = {
        **job(condition("Failed", "PyTorchJobFailed", "a replica failed")),
        "apiVersion": "kubeflow.org/v1",
        "kind": "PyTorchJob",
    }
    peers = [pod("Failed", ended(1)), pod("Failed", reason="NodeLost")]
    assert state(distributed, *peers).disturbance is Disturbance.NODE_LOST


def test_a_time_limit_is_the_trials_own() -> None:
    late = job(condition("Failed", "DeadlineExceeded", "too late"))
    seen = state(late, pod("Failed", ended(143), **target("EvictionByEvictionAPI")))
    assert (seen.reason, seen.disturbance) == ("DeadlineExceeded", None)


def test_a_failure_says_what_the_container_said() -> None:
    said = "Traceback (most recent call last):\nValueError: bad rate\n"
    seen = state(job(FAILED), pod("Failed", ended(3, message=said)))
    assert seen.exit_code == 3
    assert seen.message == "container 'c0' ended with exit code 3: ValueError: bad rate"
    seen = state(job(FAILED), pod("Failed", ended(137, "OOMKilled")))
    assert seen.message == "container 'c0' used more memory than its limit"
    assert state(job(FAILED)).message == FAILED["message"]


def test_times_are_those_of_the_containers() -> None:
    seen = state(job(COMPLETE, startTime=START, completionTime=END), pod("Succeeded", ended(0)))
    assert (seen.started_at, seen.ended_at) == (1769851800.0, 1769851860.0)
    seen = state(job(FAILED), pod("Failed", ended(1)))
    assert (seen.started_at, seen.ended_at) == (1769851800.0, 1769851860.0)
    assert state(job(FAILED)).ended_at == 1769851860.0
    assert state(job(startTime=START)).started_at == 1769851800.0
    assert state(job()).started_at is None


def test_lack_of_quota_is_told_by_an_event_or_by_the_refusal() -> None:
    said = 'pods "p" is forbidden: exceeded quota: hpo, requested: pods=1, used: pods=5'
    event = {"reason": "FailedCreate", "note": said}
    seen = state(job(), events=[{"reason": "Started", "note": said}, event])
    assert (seen.phase, seen.disturbance) == (WorkloadPhase.PENDING, Disturbance.QUOTA_EXCEEDED)
    older = {"reason": "FailedCreate", "message": said}
    assert state(job(), events=[older]).disturbance is Disturbance.QUOTA_EXCEEDED
    assert state(job(), events=[{"reason": "FailedCreate", "note": "no"}]).disturbance is None
    trouble = creation_trouble(said)
    assert trouble is not None and trouble.disturbance is Disturbance.QUOTA_EXCEEDED
    assert creation_trouble("jobs is forbidden: User cannot create") is None


@pytest.mark.parametrize(
    ("version", "kind", "status", "phase"),
    [
        ("ray.io/v1", "RayJob", {"jobStatus": "RUNNING"}, "Running"),
        ("argoproj.io/v1alpha1", "Workflow", {"phase": "Running"}, "Running"),
        ("argoproj.io/v1alpha1", "Workflow", {"phase": "Pending"}, "Pending"),
        (
            "tekton.dev/v1",
            "PipelineRun",
            {"conditions": [{"type": "Succeeded", "status": "Unknown", "reason": "Running"}]},
            "Running",
        ),
        ("kubeflow.org/v1", "PyTorchJob", {"conditions": [condition("Running")]}, "Running"),
        ("kubeflow.org/v1", "TFJob", {"conditions": [condition("Succeeded")]}, "Succeeded"),
        ("kubeflow.org/v1", "XGBoostJob", {"conditions": [condition("Failed")]}, "Failed"),
        ("kubeflow.org/v2beta1", "MPIJob", {"conditions": [condition("Succeeded")]}, "Succeeded"),
        (
            "jobset.x-k8s.io/v1",
            "JobSet",
            {"conditions": [condition("Completed")]},
            "Succeeded",
        ),
        (
            "trainer.kubeflow.org/v1alpha1",
            "TrainJob",
            {"conditions": [condition("Complete")]},
            "Succeeded",
        ),
    ],
)
def test_other_kinds_say_it_in_their_own_way(
    version: str, kind: str, status: dict[str, Any], phase: str
) -> None:
    workload = {"apiVersion": version, "kind": kind, "metadata": {}, "status": status}
    assert state(workload).phase.value == phase


@pytest.mark.parametrize(
    ("version", "kind", "spec"),
    [
        ("kubeflow.org/v1", "PyTorchJob", {"runPolicy": {"suspend": True}}),
        ("trainer.kubeflow.org/v1alpha1", "TrainJob", {"suspend": True}),
        ("ray.io/v1", "RayJob", {"suspend": True}),
    ],
)
def test_a_suspended_workload_is_queued(version: str, kind: str, spec: dict[str, Any]) -> None:
    workload = {"apiVersion": version, "kind": kind, "metadata": {}, "spec": spec}
    assert state(workload).phase is WorkloadPhase.QUEUED


def test_conditions_of_the_template_decide() -> None:
    thing = {"apiVersion": "example.org/v1", "kind": "Thing", "metadata": {}}
    with pytest.raises(InvalidInput, match=r"needed for example\.org/v1 Thing"):
        state(thing)
    template = TrialTemplate(
        success_condition='status.[@this].#(stage=="done")#',
        failure_condition='status.[@this].#(stage=="broken")#',
    )
    for stage, phase in (("done", "Succeeded"), ("broken", "Failed"), ("begun", "Pending")):
        seen = workload_state({**thing, "status": {"stage": stage}}, template)
        assert seen.phase.value == phase


def test_an_object_that_is_deleted_says_so() -> None:
    deleted = job(ready=1)
    deleted["metadata"]["deletionTimestamp"] = END
    assert state(deleted).is_ending and not state(job()).is_ending


def test_an_object_of_another_owner_is_not_ours() -> None:
    owner = {"metadata": {"uid": "t-1"}}
    owned = {"metadata": {"ownerReferences": [{"uid": "t-1", "controller": True}]}}
    assert is_owned_by(owned, owner)
    for references in ([], [{"uid": "t-2", "controller": True}], [{"uid": "t-1"}]):
        assert not is_owned_by({"metadata": {"ownerReferences": references}}, owner)


codes = st.integers()
words = st.sampled_from(
    ["Failed", "Running", "Pending", "Evicted", "True", "False", "PodScheduled", "Unknown", "", END]
)


@given(
    phase=words,
    reason=words,
    message=st.none() | words,
    conditions=st.none() | st.lists(st.fixed_dictionaries({"type": words, "status": words})),
    containers=st.none()
    | st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "state": st.none()
                | st.fixed_dictionaries(
                    {},
                    optional={
                        "terminated": st.fixed_dictionaries({}, optional={"exitCode": codes}),
                        "waiting": st.fixed_dictionaries({}, optional={"reason": words}),
                    },
                )
            },
        )
    ),
)
def test_any_pod_is_read(
    phase: str, reason: str, message: Any, conditions: Any, containers: Any
) -> None:
    status = {
        "phase": phase,
        "reason": reason,
        "message": message,
        "conditions": conditions,
        "containerStatuses": containers,
    }
    trouble = pod_trouble({"metadata": {}, "status": status})
    assert trouble is None or trouble.disturbance in Disturbance
    state(job(FAILED), {"metadata": {}, "status": status})
    state(job(), {"metadata": {}, "status": status})
