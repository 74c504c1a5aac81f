"""What the names of a notebook stand for, written down so that two runs can be compared."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import sys
import types
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hpo_lab.trial.folder import TRIAL_FOLDER

__all__ = ["FINGERPRINT", "source_of_fingerprint", "write_fingerprint"]

FINGERPRINT = "fingerprint.json"
_CODE = (types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.ModuleType, type)


def write_fingerprint(namespace: Mapping[str, Any], names: Iterable[str]) -> None:
    """Write a digest of the values of *names* to the trial's folder.

    Code has none; a value that cannot be pickled has an empty one.
    """
    digests = {
        name: _digest(namespace[name])
        for name in names
        if name in namespace and not isinstance(namespace[name], _CODE)
    }
    path = Path(os.environ[TRIAL_FOLDER], FINGERPRINT)
    path.write_text(json.dumps(digests), encoding="utf-8")


def source_of_fingerprint(names: Iterable[str]) -> str:
    """The cell that calls `write_fingerprint`."""
    return (
        "from hpo_lab.trial.fingerprint import write_fingerprint as _write\n"
        f"_write(globals(), {json.dumps(sorted(names))})"
    )


def _digest(value: object) -> str:
    file = io.BytesIO()
    try:
        _Pickler(file, 4).dump(value)
    except Exception:  # whatever an object's own code raises
        return ""
    return hashlib.sha256(file.getbuffer()).hexdigest()


class _Pickler(pickle.Pickler):
    """Pickles the same for the same values, whatever their addresses in memory."""

    def reducer_override(self, value: object) -> Any:
        torch, sklearn = sys.modules.get("torch"), sys.modules.get("sklearn.model_selection")
        storage = getattr(value, "_untyped_storage", value)  # in torch's pickle, by its address
        if torch is not None and isinstance(storage, torch.UntypedStorage):
            numbers = torch.empty(0, dtype=torch.uint8, device=storage.device).set_(storage)
            kind = str(getattr(value, "dtype", "")).encode()
            return bytes, (kind + numbers.cpu().numpy().tobytes(),)
        if sklearn is not None and isinstance(
            value, sklearn.GridSearchCV | sklearn.RandomizedSearchCV
        ):
            return type, (type(value),), _without_times(vars(value))
        return NotImplemented


def _without_times(state: Mapping[str, Any]) -> dict[str, Any]:
    """What a search of scikit-learn has learned, but for how long it took."""
    kept = {name: value for name, value in state.items() if not name.endswith("_time_")}
    results = state.get("cv_results_", {})
    kept["cv_results_"] = {n: value for n, value in results.items() if not n.endswith("_time")}
    return kept
