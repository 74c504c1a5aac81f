"""The values of a choice: plain ones as they are, everything else by a name."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Any

from hpo_lab.experiment.document import Value
from hpo_lab.problems import InvalidInput, Problem

__all__ = ["plain_value", "read_choice", "read_choices"]


def plain_value(value: Any) -> Any:
    """*value*, a scalar of NumPy or torch as that of Python."""
    if isinstance(value, enum.Enum):
        return value
    for kind in (bool, int, float, str):
        # NumPy's float64 and str_ are such, too.
        if isinstance(value, kind):
            return kind(value)
    is_scalar = getattr(value, "ndim", None) == 0 and hasattr(value, "item")
    return value.item() if is_scalar else value


def read_choice(value: Any) -> Value:
    """*value* where it can be recorded, else the name that stands for it, or its text."""
    value = plain_value(value)
    if _is_plain(value):
        plain: Value = value
        return plain
    try:
        return _name(value)
    except ValueError:
        return repr(value)


def read_choices(values: Sequence[Any]) -> tuple[tuple[Value, ...], dict[str, Any]]:
    """The values that are recorded for *values*, and by name the objects that these stand for.

    Raises:
        InvalidInput: with every object that has no name.
    """
    if len(values) == 1 and hasattr(values[0], "tolist") and getattr(values[0], "ndim", None):
        values = values[0].tolist()
    elif len(values) == 1 and isinstance(values[0], list | tuple | range):
        values = values[0]
    elif len(values) == 1 and isinstance(values[0], Mapping):
        return tuple(map(str, values[0])), {str(name): each for name, each in values[0].items()}
    items: list[Value] = []
    objects: dict[str, Any] = {}
    problems = []
    for value in map(plain_value, values):
        if _is_plain(value):
            items.append(value)
            continue
        try:
            name = _name(value)
        except ValueError as error:
            problems.append(Problem("choice()", str(error)))
        else:
            items.append(name)
            objects[name] = value
    if problems:
        raise InvalidInput(problems)
    return tuple(items), objects


def _is_plain(value: Any) -> bool:
    scalar = isinstance(value, bool | int | float | str) and not isinstance(value, enum.Enum)
    return value is None or scalar


def _name(value: Any) -> str:
    """What a person calls an object: `(64, 64)`, `ReLU`."""
    value = plain_value(value)
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    # Their own text would show the items as NumPy writes them, or with an address.
    if type(value) in (list, tuple):
        items = ", ".join(map(_name, value))
        if isinstance(value, list):
            return f"[{items}]"
        return f"({items},)" if len(value) == 1 else f"({items})"
    if type(value) is dict:
        return "{" + ", ".join(f"{_name(key)}: {_name(value[key])}" for key in value) + "}"
    name = getattr(value, "__name__", None)
    if isinstance(name, str) and "<" not in name:
        return name
    text = repr(value)
    if name is not None or " at 0x" in text or "\n" in text:
        raise ValueError(
            f"{text[:60]} has no name of its own; give it one: choice({{'name': object, ...}})"
        )
    return text
