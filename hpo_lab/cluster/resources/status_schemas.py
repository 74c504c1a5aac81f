"""Structural schemas of the statuses, and of the specifications that the controller writes.

The field names are Katib's where Katib has the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["EXPERIMENT_STATUS", "SUGGESTION_STATUS", "TRIAL_SPEC", "TRIAL_STATUS"]

_COUNTERS = (
    "trials",
    "trialsPending",
    "trialsRunning",
    "trialsSucceeded",
    "trialsFailed",
    "trialsKilled",
    "trialsEarlyStopped",
    "trialMetricsUnavailable",
)


def _text(most: int = 1024) -> dict[str, Any]:
    return {"type": "string", "maxLength": most}


def _list(items: Mapping[str, Any], most: int, key: str = "") -> dict[str, Any]:
    kind = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]}
    atomic = {"x-kubernetes-list-type": "atomic"}
    return {"type": "array", "items": items, "maxItems": most, **(kind if key else atomic)}


def _object(properties: Mapping[str, Any], *required: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": dict(properties)}
    return schema | ({"required": [*required]} if required else {})


_TIME = {"type": "string", "format": "date-time"}
_COUNT = {"type": "integer", "format": "int64", "minimum": 0}
_ASSIGNMENTS = _list(
    _object({"name": _text(), "value": _text(4096)}, "name", "value"), 1000, "name"
)
_CONDITIONS = _list(
    _object(
        {
            "type": _text(64),
            "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
            "reason": _text(128),
            "message": _text(4096),
            "lastUpdateTime": _TIME,
            "lastTransitionTime": _TIME,
        },
        "type",
        "status",
    ),
    16,
    "type",
)
_OBSERVATION = _object(
    {
        "metrics": _list(
            _object(
                {"name": _text(), "min": _text(64), "max": _text(64), "latest": _text(4096)}, "name"
            ),
            300,
            "name",
        )
    }
)
_BEST = {
    "bestTrialName": _text(63),
    "objectiveValue": _text(),
    "parameterAssignments": _ASSIGNMENTS,
    "parametersOmitted": _COUNT,
    "observation": _OBSERVATION,
}
_TIMES = {"startTime": _TIME, "completionTime": _TIME, "conditions": _CONDITIONS}

EXPERIMENT_STATUS: Final = _object(
    {
        "observedGeneration": _COUNT,
        **_TIMES,
        **dict.fromkeys(_COUNTERS, _COUNT),
        "budget": _object({"trialsLeft": _COUNT, "deadline": _TIME}),
        "currentOptimalTrial": _object(_BEST),
        "paretoFront": _list(
            _object({"bestTrialName": _text(63), "objectiveValues": _list(_text(64), 33)}), 10
        ),
    }
)

SUGGESTION_STATUS: Final = _object(
    {"observedGeneration": _COUNT, **_TIMES, "suggestionCount": _COUNT}
)

TRIAL_SPEC: Final = _object(
    {
        "number": _COUNT,
        "parent": _COUNT,
        "parameterAssignments": _ASSIGNMENTS,
        "parametersOmitted": _COUNT,
    },
    "number",
)

TRIAL_STATUS: Final = _object(
    {
        **_TIMES,
        "phase": _text(64),
        "reason": _text(128),
        "message": _text(4096),
        "attempt": _COUNT,
        "disruptions": _COUNT,
        "objectiveValue": _text(),
        "observation": _OBSERVATION,
        "workload": _object(
            {
                "apiVersion": _text(317),
                "kind": _text(63),
                "name": _text(253),
                "uid": _text(64),
            }
        ),
    }
)
