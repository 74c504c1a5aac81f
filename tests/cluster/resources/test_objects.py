"""The objects of an experiment: small, whole and valid whatever the experiment holds."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpo_lab.cluster.resources.fitting import MOST_BYTES, cut, fitting, size_of
from hpo_lab.cluster.resources.names import (
    object_labels,
    shortened,
    trial_object_name,
    trial_object_number,
)
from hpo_lab.cluster.resources.objects import (
    suggestion_resource,
    trial_resource,
    trial_resource_status,
)
from hpo_lab.cluster.resources.phase_events import experiment_event, trial_event
from hpo_lab.cluster.resources.statuses import (
    applied_status,
    experiment_resource_status,
    invalid_experiment_status,
    suggestion_resource_status,
)
from hpo_lab.experiment.model import ExperimentDocument
from hpo_lab.experiment.status import ExperimentState, conditions_of
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.problems import InvalidInput, Problem
from tests.cluster.resources.structural import errors
from tests.experiment.manifests import KATIB, experiment, spec
from tests.manifest_reading import parse

HISTORY = [
    (ExperimentState.CREATED, "ExperimentCreated", "Experiment is created", 1000.0),
    (ExperimentState.RUNNING, "ExperimentRunning", "Experiment is running", 1010.0),
]
CONDITIONS = conditions_of(HISTORY)
OWNER = {
    "apiVersion": "kubeflow.org/v1beta1",
    "kind": "Experiment",
    "metadata": {"name": "random-example", "namespace": "kubeflow", "uid": "e-1"},
}


def of_own_group(document: dict[str, Any]) -> None:
    document["apiVersion"] = "hpolab.dev/v1beta1"


def best() -> Trial:
    return Trial(
        4,
        {"lr": 0.02, "layers": 3},
        TrialState.SUCCEEDED,
        {"accuracy": Metric.of([0.5, 0.9])},
        started_at=1010.0,
        completed_at=1050.0,
    )


def in_object(status: dict[str, Any], kind: str = "Experiment") -> dict[str, Any]:
    document = copy.deepcopy(KATIB) | {"status": status}
    if kind == "Trial":
        document["spec"] = {"number": 0}
    if kind == "Suggestion":
        document["spec"] = {}
    return document


def test_a_status_has_counts_the_best_trial_and_the_budget() -> None:
    tally = {TrialState.RUNNING: 3, TrialState.SUCCEEDED: 5, TrialState.FAILED: 1}
    status = experiment_resource_status(
        experiment(), CONDITIONS, tally, [best()], generation=2, deadline=5000.0
    )
    assert [each["type"] for each in status.pop("conditions")] == ["Created", "Running"]
    assert status == {
        "observedGeneration": 2,
        "startTime": "1970-01-01T00:16:40Z",
        "trials": 9,
        "trialsPending": 0,
        "trialsRunning": 3,
        "trialsSucceeded": 5,
        "trialsFailed": 1,
        "trialsKilled": 0,
        "trialsEarlyStopped": 0,
        "trialMetricsUnavailable": 0,
        "budget": {"trialsLeft": 3, "deadline": "1970-01-01T01:23:20Z"},
        "currentOptimalTrial": {
            "bestTrialName": "random-example-t00004",
            "objectiveValue": "0.9",
            "observation": {
                "metrics": [{"name": "accuracy", "min": "0.5", "max": "0.9", "latest": "0.9"}]
            },
            "parameterAssignments": [
                {"name": "lr", "value": "0.02"},
                {"name": "layers", "value": "3"},
            ],
        },
    }


def test_an_experiment_that_cannot_run_says_every_problem() -> None:
    problems = [Problem(f"spec.parameters[{index}].name", "is empty") for index in range(1000)]
    status = invalid_experiment_status(InvalidInput(problems), time=1000.0, generation=3)
    (condition,) = status["conditions"]
    assert (condition["type"], condition["reason"]) == ("Failed", "ExperimentInvalid")
    assert condition["message"].startswith("spec.parameters[0].name: is empty\nspec.parameters[1]")
    assert size_of(status) <= MOST_BYTES
    assert errors("Experiment", in_object(status)) == []


def test_a_front_has_ten_trials_at_most() -> None:
    further = [{"type": "minimize", "objectiveMetricName": "loss"}]
    described = experiment(
        spec(
            objective={
                "type": "maximize",
                "objectiveMetricName": "accuracy",
                "additionalObjectives": further,
            }
        )
    )
    front = [
        Trial(
            number,
            {"lr": 0.02, "layers": 3},
            TrialState.SUCCEEDED,
            {"accuracy": Metric.of([0.9]), "loss": Metric.of([0.1])},
        )
        for number in range(30)
    ]
    status = experiment_resource_status(described, CONDITIONS, {}, front, generation=1)
    assert [each["bestTrialName"][-2:] for each in status["paretoFront"]] == [
        f"{number:02}" for number in range(10)
    ]
    assert status["paretoFront"][0]["objectiveValues"] == ["0.9", "0.1"]
    assert errors("Experiment", in_object(status)) == []
    assert size_of(status) <= MOST_BYTES


texts = st.text(max_size=2000)


def wide(names: Sequence[str], metrics: Sequence[str]) -> ExperimentDocument:
    document = copy.deepcopy(KATIB)
    document["apiVersion"] = "hpolab.dev/v1beta1"
    document["metadata"]["name"] = "a" * 40
    document["spec"]["parameters"] = [
        {"name": name, "parameterType": "categorical", "feasibleSpace": {"list": ["x"]}}
        for name in names
    ]
    document["spec"]["objective"] = {
        "type": "maximize",
        "objectiveMetricName": metrics[0],
        "additionalObjectives": [
            {"type": "minimize", "objectiveMetricName": name} for name in metrics[1:]
        ],
    }
    del document["spec"]["trialTemplate"]
    return parse(document)


@settings(max_examples=40)
@given(
    message=texts,
    count=st.integers(1, 300),
    value=texts,
    length=st.integers(1, 250),
    metrics=st.integers(1, 20),
)
def test_objects_stay_small_with_100_000_trials_and_long_names(
    message: str, count: int, value: str, length: int, metrics: int
) -> None:
    described = wide(
        [f"{index}" + 'ä"\\'[index % 3] * length for index in range(count)],
        [f"{index}" + "é\n"[index % 2] * length for index in range(metrics)],
    )
    tally = dict.fromkeys(TrialState, 100_000)
    names = [parameter.name for parameter in described.spec.parameters]
    found = [
        Trial(
            number,
            dict.fromkeys(names, value),
            TrialState.SUCCEEDED,
            {name: Metric.of([1e-300]) for name in described.spec.objective.metric_names},
            started_at=1.0,
            completed_at=2.0,
            message=message,
        )
        for number in range(99_990, 100_003)
    ]
    history = [
        (state, "Reason" * 40, message, float(index))
        for index, state in enumerate(
            (
                ExperimentState.CREATED,
                ExperimentState.RUNNING,
                ExperimentState.STOPPED,
                ExperimentState.RESTARTING,
                ExperimentState.RUNNING,
                ExperimentState.FAILED,
            )
        )
    ]
    conditions = conditions_of(history)
    status = experiment_resource_status(
        described, conditions, tally, found, generation=2**40, deadline=1e9
    )
    assert size_of(status) < 4096
    assert status["currentOptimalTrial"]["bestTrialName"].endswith("-t99990")
    assert errors("Experiment", in_object(status)) == []
    trial = trial_resource(described, OWNER, found[-1])
    assert size_of(trial["spec"]) < 4096 and size_of(trial) < 5000
    assert errors("Trial", trial) == []
    trial_status = trial_resource_status(described, found[-1], message=message)
    assert size_of(trial_status) < 4096
    assert errors("Trial", in_object(trial_status, "Trial")) == []
    suggestion = suggestion_resource_status(conditions, 100_003, generation=1)
    assert size_of(suggestion) < 4096
    assert errors("Suggestion", in_object(suggestion, "Suggestion")) == []


@given(texts, st.integers(16, 400))
def test_a_cut_text_has_the_size_that_it_may_have(text: str, most: int) -> None:
    assert size_of(cut(text, most)) - 2 <= most
    if text.isprintable() and size_of(text) - 2 <= most:
        assert cut(text, most) == text


@given(st.lists(texts), st.integers(0, 3000))
def test_what_fits_is_the_beginning(entries: list[str], room: int) -> None:
    kept = fitting(entries, room)
    assert kept == entries[: len(kept)]
    assert not kept or size_of(kept) <= room


def test_a_trial_of_ten_parameters_takes_a_kilobyte() -> None:
    described = wide([f"parameter_{index}" for index in range(10)], ["accuracy"])
    values = {parameter.name: "0.0123456789" for parameter in described.spec.parameters}
    metrics = {"accuracy": Metric.of([0.123456789, 0.987654321])}
    trial = Trial(42, values, TrialState.SUCCEEDED, metrics, started_at=1.0, completed_at=2.0)
    workload = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": trial_object_name(described.name, 42), "uid": "0" * 36},
    }
    resource = trial_resource(described, OWNER, trial)
    resource["status"] = trial_resource_status(described, trial, workload=workload)
    assert 1000 < size_of(resource) < 2000
    assert errors("Trial", resource) == []


def test_a_trial_names_its_experiment_as_owner_and_label() -> None:
    described = experiment(
        lambda d: (of_own_group(d), d["metadata"].update(labels={"team": "vision"}))
    )
    resource = trial_resource(described, OWNER, Trial(7, {"lr": 0.05, "layers": 5}, parent=3))
    assert resource["metadata"] == {
        "name": "random-example-t00007",
        "namespace": "kubeflow",
        "labels": {
            "team": "vision",
            "hpolab.dev/experiment": "random-example",
            "app.kubernetes.io/managed-by": "hpo-lab",
        },
        "ownerReferences": [
            {
                "apiVersion": "kubeflow.org/v1beta1",
                "kind": "Experiment",
                "name": "random-example",
                "uid": "e-1",
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    }
    assert resource["spec"] == {
        "number": 7,
        "parent": 3,
        "parameterAssignments": [{"name": "lr", "value": "0.05"}, {"name": "layers", "value": "5"}],
    }


def test_katibs_labels_are_for_katibs_group_alone() -> None:
    name = "random-example-t00001"
    assert object_labels(experiment(), name)["katib.kubeflow.org/trial"] == name
    assert not any("katib" in key for key in object_labels(experiment(of_own_group), name))


def test_the_phase_of_a_trial_is_that_of_its_workload_until_it_has_ended() -> None:
    running = Trial(0, {}, TrialState.RUNNING, started_at=1.0)
    status = trial_resource_status(
        experiment(), running, phase="Queued", reason="Suspended", disruptions=2
    )
    assert (status["phase"], status["reason"], status["disruptions"]) == ("Queued", "Suspended", 2)
    ended = trial_resource_status(experiment(), best(), phase="Running")
    assert (ended["phase"], ended["objectiveValue"], ended["attempt"]) == ("Succeeded", "0.9", 1)


def test_a_suggestion_counts_and_lists_nothing() -> None:
    resource = suggestion_resource(experiment(), OWNER, 12)
    assert resource["spec"]["requests"] == 12
    assert resource["spec"]["algorithm"]["algorithmName"] == "random"
    resource["status"] = suggestion_resource_status(CONDITIONS, 12, generation=1)
    assert resource["status"]["suggestionCount"] == 12
    assert errors("Suggestion", resource) == []


def test_a_status_is_applied_to_the_object_that_was_read() -> None:
    read = {**OWNER, "metadata": {**OWNER["metadata"], "resourceVersion": "7"}}
    applied = applied_status(read, {"trials": 1})
    name = {"name": "random-example", "namespace": "kubeflow"}
    assert applied["metadata"] == {**name, "resourceVersion": "7"}
    assert applied["status"] == {"trials": 1}


names = st.from_regex(r"[a-z]([-a-z0-9.]{0,80}[a-z0-9])?", fullmatch=True)


@given(names, st.integers(0, 2**31))
def test_names_are_labels_and_lead_back_to_the_number(name: str, number: int) -> None:
    trial = trial_object_name(name, number)
    assert len(trial) <= 63
    assert trial_object_number(name, trial) == number
    assert len(shortened(name)) <= 63 and shortened(name)[-1].isalnum()


@given(names, names)
def test_other_experiments_have_other_names(first: str, second: str) -> None:
    same = trial_object_name(first, 1) == trial_object_name(second, 1)
    assert same == (first == second)


@pytest.mark.parametrize("name", ["random-example", "random-example-t1", "other-t00001", "-t", ""])
def test_other_names_have_no_number(name: str) -> None:
    assert trial_object_number("random-example", name) is None


def test_an_event_is_the_same_when_it_is_said_again() -> None:
    def said(message: str, time: float = 1.5) -> dict[str, Any]:
        state = ExperimentState.FAILED
        return experiment_event(
            OWNER, state, "ExperimentFailed", message, time=time, instance="controller-0"
        )

    event = said("too many failures")
    assert event == said("too many failures")
    assert event["metadata"]["name"] != said("too many failures", 2.5)["metadata"]["name"]
    assert (event["type"], event["reason"]) == ("Warning", "ExperimentFailed")
    assert event["eventTime"] == "1970-01-01T00:00:01.500000Z"
    assert event["regarding"]["uid"] == "e-1"
    assert len(said("x" * 5000)["note"].encode()) <= 1024


def test_an_event_has_the_fields_that_kubernetes_knows() -> None:
    from kube_models.apis_events_k8s_io_v1.io.k8s.api.events.v1 import Event

    event = trial_event(OWNER, best(), time=1.0, instance="controller-0", related=OWNER)
    assert event.keys() <= {"apiVersion", "kind", *(each.name for each in fields(Event))}


def test_the_event_of_a_trial_names_its_workload() -> None:
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "j", "namespace": "kubeflow", "uid": "j-1"},
    }
    event = trial_event(OWNER, best(), time=1.0, instance="controller-0", related=job)
    assert (event["type"], event["reason"]) == ("Normal", "TrialSucceeded")
    assert event["note"] == "Trial has ended: Succeeded"
    assert event["related"]["kind"] == "Job"
    json.dumps(event)
