"""Names that other tools give to what a handle has, answered with the name meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Never

__all__ = ["OtherNames"]

_OPTUNA = {
    "best_value": "best.value",
    "best_params": "best.parameters",
    "best_trial": "best",
    "best_trials": "pareto_front",
    "study_name": "name",
    "trials_dataframe": "dataframe()",
    "enqueue_trial": "enqueue(...)",
}


class OtherNames:
    """Answers an attribute of Optuna's `Study` by the name that it has here."""

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Never:
            kind = type(self).__name__
            meant = f"; it is .{_OPTUNA[name]} here" if name in _OPTUNA else ""
            message = f"{kind!r} object has no attribute {name!r}{meant}"
            # Python itself adds the nearest name where it is told the object.
            raise AttributeError(message, name=name, obj=None if meant else self)
