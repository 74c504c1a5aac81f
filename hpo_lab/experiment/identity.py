"""Whether two experiments of one name are the same, and how they differ when not.

Budgets may change while an experiment lives: more trials, another goal, a longer deadline.
Whatever changes the meaning of its trials makes it another experiment.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from hpo_lab.experiment.model import ExperimentSpec

__all__ = ["differences", "identity"]

_BUDGETS = (
    "parallelTrialCount",
    "maxTrialCount",
    "maxFailedTrialCount",
    "activeDeadlineSeconds",
    "trialActiveDeadlineSeconds",
    "resumePolicy",
)
# Where a trial runs does not change what it computes.
_PLACES = ("workingDirectory", "kernelName", "path")


def identity(spec: ExperimentSpec) -> str:
    """A digest that is equal for two specifications that search the same thing."""
    text = json.dumps(_essence(spec), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def differences(before: ExperimentSpec, now: ExperimentSpec) -> list[tuple[str, str]]:
    """What makes *now* another experiment than *before*: pairs of field path and change."""
    old, new = _flat("spec", _essence(before)), _flat("spec", _essence(now))
    return [
        (path, f"{_shown(old.get(path))} before, {_shown(new.get(path))} now")
        for path in dict.fromkeys([*old, *new])
        if old.get(path) != new.get(path)
    ]


def _essence(spec: ExperimentSpec) -> dict[str, Any]:
    document = spec.to_document()
    for field in _BUDGETS:
        document.pop(field, None)
    document["objective"].pop("goal", None)
    trial = document.get("trialTemplate", {}).get("trialSpec", {}).get("spec", {})
    if isinstance(trial, dict):
        for field in _PLACES:
            trial.pop(field, None)
    return document


def _flat(path: str, value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        parts = [_flat(f"{path}.{key}", item) for key, item in value.items()]
    elif isinstance(value, list):
        parts = [_flat(f"{path}[{index}]", item) for index, item in enumerate(value)]
    else:
        return {path: value}
    return {name: leaf for part in parts for name, leaf in part.items()}


def _shown(value: Any) -> str:
    text = "not set" if value is None else repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
