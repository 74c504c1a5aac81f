"""The CustomResourceDefinitions of experiments, suggestions and trials."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hpo_lab.cluster.resources.refinements import NAME_RULES, TRIAL_SPEC_RULES, CelRule
from hpo_lab.cluster.resources.schema import schema_of, with_rules
from hpo_lab.cluster.resources.status_schemas import (
    EXPERIMENT_STATUS,
    SUGGESTION_STATUS,
    TRIAL_SPEC,
    TRIAL_STATUS,
)
from hpo_lab.experiment.model import (
    API_VERSION,
    KATIB_API_VERSION,
    AlgorithmSpec,
    EarlyStopping,
    ExperimentSpec,
    ResumePolicy,
)

__all__ = ["GROUP", "KATIB_GROUP", "PLURALS", "VERSION", "definitions"]

GROUP: Final = API_VERSION.partition("/")[0]
KATIB_GROUP: Final = KATIB_API_VERSION.partition("/")[0]
VERSION: Final = API_VERSION.partition("/")[2]

PLURALS: Final[Mapping[str, str]] = {
    "Experiment": "experiments",
    "Suggestion": "suggestions",
    "Trial": "trials",
}
"""The names of the resources by kind."""

_CONDITION = ".status.conditions[-1:]"
_AGE = ("Age", "date", ".metadata.creationTimestamp", 0)
_STATE = (
    ("Type", "string", f"{_CONDITION}.type", 0),
    ("Status", "string", f"{_CONDITION}.status", 0),
)


@dataclass(frozen=True, slots=True)
class _Resource:
    """A kind: the schemas of its parts, and its columns as name, type, path and priority."""

    kind: str
    short_name: str
    description: str
    spec: Mapping[str, Any]
    status: Mapping[str, Any]
    columns: Sequence[tuple[str, str, str, int]]
    rules: tuple[CelRule, ...] = ()


def _suggestion_spec() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "algorithm": schema_of(AlgorithmSpec),
            "earlyStopping": schema_of(EarlyStopping),
            "requests": {"type": "integer", "format": "int64", "minimum": 0},
            "resumePolicy": {"type": "string", "enum": [each.value for each in ResumePolicy]},
        },
    }


def _resources() -> list[_Resource]:
    return [
        _Resource(
            "Experiment",
            "exp",
            "A search for the best values of parameters, each tried by a trial.",
            schema_of(ExperimentSpec),
            EXPERIMENT_STATUS,
            (
                *_STATE,
                ("Best", "string", ".status.currentOptimalTrial.objectiveValue", 0),
                ("Running", "integer", ".status.trialsRunning", 0),
                ("Succeeded", "integer", ".status.trialsSucceeded", 0),
                ("Failed", "integer", ".status.trialsFailed", 0),
                _AGE,
                ("Best Trial", "string", ".status.currentOptimalTrial.bestTrialName", 1),
                ("Algorithm", "string", ".spec.algorithm.algorithmName", 1),
                ("Objective", "string", ".spec.objective.objectiveMetricName", 1),
                ("Trials", "integer", ".spec.maxTrialCount", 1),
            ),
            NAME_RULES,
        ),
        _Resource(
            "Suggestion",
            "sug",
            "What the search of an experiment was asked; each trial holds its own answer.",
            _suggestion_spec(),
            SUGGESTION_STATUS,
            (
                *_STATE,
                ("Requested", "integer", ".spec.requests", 0),
                ("Assigned", "integer", ".status.suggestionCount", 0),
                _AGE,
                ("Algorithm", "string", ".spec.algorithm.algorithmName", 1),
            ),
        ),
        _Resource(
            "Trial",
            "tri",
            "A trial of an experiment; its metrics and its log are in the database.",
            with_rules(TRIAL_SPEC, TRIAL_SPEC_RULES),
            TRIAL_STATUS,
            (
                ("Phase", "string", ".status.phase", 0),
                ("Value", "string", ".status.objectiveValue", 0),
                ("Attempt", "integer", ".status.attempt", 0),
                _AGE,
                ("Workload", "string", ".status.workload.kind", 1),
                ("Reason", "string", ".status.reason", 1),
            ),
        ),
    ]


def definitions(group: str = GROUP) -> list[dict[str, Any]]:
    """The CustomResourceDefinitions of experiments, suggestions and trials.

    Args:
        group: `GROUP`, or `KATIB_GROUP` in a cluster whose Katib is gone.
    """
    documents = [_definition(resource, group) for resource in _resources()]
    # No part twice in memory: YAML would write an alias, and a change would be of both.
    return [json.loads(json.dumps(document)) for document in documents]


def _definition(resource: _Resource, group: str) -> dict[str, Any]:
    plural = PLURALS[resource.kind]
    categories = ["hpo-lab", *(("kubeflow", "katib") if group == KATIB_GROUP else ())]
    if resource.kind != "Trial":  # There may be thousands.
        categories.append("all")
    schema = {
        "description": resource.description,
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": dict(resource.spec),
            "status": dict(resource.status),
        },
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            "labels": {"app.kubernetes.io/name": "hpo-lab", "app.kubernetes.io/component": "crd"},
        },
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {
                "plural": plural,
                "singular": resource.kind.lower(),
                "kind": resource.kind,
                "listKind": f"{resource.kind}List",
                "shortNames": [resource.short_name],
                "categories": categories,
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [_column(*column) for column in resource.columns],
                    "schema": {"openAPIV3Schema": with_rules(schema, resource.rules)},
                }
            ],
        },
    }


def _column(name: str, kind: str, path: str, priority: int) -> dict[str, Any]:
    column: dict[str, Any] = {"name": name, "type": kind, "jsonPath": path}
    return column | ({"priority": priority} if priority else {})
