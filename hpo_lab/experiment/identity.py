"""Whether two experiments of the same name are the same experiment, and how they differ.

Budgets may change while an experiment lives: more trials, another goal, a longer deadline,
and points that a person adds. Any change to the meaning of its trials makes it another
experiment.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from hpo_lab.experiment import function_parts
from hpo_lab.experiment.document import as_number
from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.masking import masked_document

__all__ = ["code_of", "differences", "identity", "is_same_but_code"]

_CHANGEABLE = (
    "enqueuedPoints",
    "parallelTrialCount",
    "maxTrialCount",
    "maxFailedTrialCount",
    "activeDeadlineSeconds",
    "trialActiveDeadlineSeconds",
    "resumePolicy",
)
_OF_FILE = re.compile(r"(?:module )?(.+?\.\w+)(?:\.|: | )(.+)")
"""What has changed in a file: `helper.py.k: 1 is 2 now`, `module helper.py changed`."""
_CALLS = {"keywords": "keywords", "mapping": "one mapping"}
# Where and how a trial runs does not change what it computes.
_PLACES = (
    "workingDirectory",
    "kernelName",
    "path",
    "isolation",
    "memoryLimit",
    "outputLimit",
    "keep",
)


def identity(spec: ExperimentSpec) -> str:
    """A digest that is equal for two specifications of the same search."""
    return hashlib.sha256(_text(_essence(spec)).encode()).hexdigest()


def is_same_but_code(before: ExperimentSpec, now: ExperimentSpec) -> bool:
    """Whether two specifications are of the same search, whatever code their trials run."""
    documents = [_compared(before), _compared(now)]
    for document in documents:
        _trial(document).pop("source", None)
    if _is_of_notebook(documents[0]) and "uses" not in _trial(documents[0]):
        # An earlier version did not record the modules that a notebook imports.
        _trial(documents[1]).pop("uses", None)
    return _text(documents[0]) == _text(documents[1])


def code_of(spec: ExperimentSpec) -> str:
    """The digest of the code that trials run, empty for code that is not ours to read."""
    return str(_trial(spec.to_document()).get("source", ""))


def differences(before: ExperimentSpec, now: ExperimentSpec) -> list[tuple[str, str]]:
    """The fields that make *now* another experiment than *before*, as pairs of path and change."""
    essences = _compared(before), _compared(now)
    is_notebook = _is_of_notebook(essences[0])
    changes = (_changes_of_modules if is_notebook else _changes_of_function)(*map(_trial, essences))
    old, new = (_flat("spec", essence) for essence in essences)
    hidden_old, hidden_new = (_flat("spec", masked_document(essence)) for essence in essences)
    return changes + [
        (path, f"{_shown(hidden_old.get(path))} before, {_shown(hidden_new.get(path))} now")
        for path in dict.fromkeys([*old, *new])
        if repr(old.get(path)) != repr(new.get(path))  # 1, 1.0 and True are other values
    ]


def _essence(spec: ExperimentSpec) -> dict[str, Any]:
    document = spec.to_document()
    for field in _CHANGEABLE:
        document.pop(field, None)
    document["objective"].pop("goal", None)
    if _is_of_notebook(document):
        # The values that stand in a cell are where its search begins, as enqueued points are.
        document.pop("initialPoints", None)
    trial = _trial(document)
    for field in _PLACES:
        trial.pop(field, None)
    return document


def _compared(spec: ExperimentSpec) -> dict[str, Any]:
    """The essence with bounds as numbers: `1e3` is 1000. Recorded digests are of their texts."""
    document = _essence(spec)
    for parameter in document.get("parameters", ()):
        space = parameter["feasibleSpace"]
        for field in ("min", "max", "step"):
            bound = as_number(space.get(field))
            if isinstance(bound, float) and bound.is_integer():
                space[field] = repr(int(bound))
    return document


def _is_of_notebook(document: dict[str, Any]) -> bool:
    kind = document.get("trialTemplate", {}).get("trialSpec", {}).get("kind")
    return bool(kind == "NotebookTrial")


def _trial(document: dict[str, Any]) -> dict[str, Any]:
    """The `spec` of the trial object in *document*; empty where there is none."""
    trial = document.get("trialTemplate", {}).get("trialSpec", {}).get("spec", {})
    return trial if isinstance(trial, dict) else {}


def _text(document: dict[str, Any]) -> str:
    """*document* as text; the order of its parameters has no meaning."""
    parameters = sorted(document.get("parameters", ()), key=lambda each: str(each["name"]))
    return json.dumps({**document, "parameters": parameters}, sort_keys=True, ensure_ascii=False)


def _changes_of_function(before: dict[str, Any], now: dict[str, Any]) -> list[tuple[str, str]]:
    """How the functions of two trials differ, whose parts are taken out."""
    changes = []
    if {before.get("call"), now.get("call")} == {*_CALLS}:
        old_call, new_call = (_CALLS[trial.pop("call")] for trial in (before, now))
        changes = [("function", f"is called with {new_call} now, with {old_call} before")]
    old, new = before.pop("uses", None), now.pop("uses", None)
    if new is None:
        return changes
    if old is None:
        before.pop("source", None)
        return [("function", "was recorded by an earlier version, without what it uses")]
    return changes + [("function", line) for line in function_parts.differences(old, new)]


def _changes_of_modules(before: dict[str, Any], now: dict[str, Any]) -> list[tuple[str, str]]:
    """How the modules differ that the notebooks of two trials import; they are taken out."""
    old, new = before.pop("uses", None), now.pop("uses", {})
    lines = function_parts.differences(old, new) if old is not None else []
    matches = ((line, _OF_FILE.match(line)) for line in lines)
    return [(match[1], match[2]) if match else ("modules", line) for line, match in matches]


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
