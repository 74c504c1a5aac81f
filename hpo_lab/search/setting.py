"""Declared settings: what a user may set of an algorithm or of an early stopping rule."""

from __future__ import annotations

import difflib
import inspect
import math
from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from hpo_lab.experiment.model import AlgorithmSpec, ExperimentSpec, Value
from hpo_lab.problems import Problem, nearest

__all__ = [
    "RANDOM_STATE",
    "Configurable",
    "Setting",
    "missing_names",
    "read_settings",
    "setting_problems",
]

_ALIKE = 0.8
"""Similarity from which a public name is taken for a misspelling of an inherited name."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A declared setting of an algorithm or an early stopping rule.

    Attributes:
        type: `int`, `float`, `bool` or `str`.
        doc: What it does, in one line.
        default: Its value when the user sets none.
        minimum, maximum: The allowed range of a number.
        exclusive: Whether the range leaves out its ends.
        choices: The allowed values of a text; any when empty.
    """

    type: type[int] | type[float] | type[bool] | type[str]
    doc: str
    default: Value = None
    minimum: float = -math.inf
    maximum: float = math.inf
    exclusive: bool = False
    choices: tuple[str, ...] = ()

    def parse(self, text: str) -> Value:
        """The typed value that *text* stands for.

        Raises:
            ValueError: *text* is not of the type or not allowed.
        """
        if self.type is bool:
            if text.lower() not in ("true", "false"):
                raise ValueError(f"is {text!r}; must be true or false")
            return text.lower() == "true"
        if self.type is str:
            if self.choices and text not in self.choices:
                raise ValueError(
                    f"is {text!r}; must be one of {', '.join(self.choices)}"
                    + nearest(text, self.choices)
                )
            return text
        try:
            value = int(text) if self.type is int else float(text)
        except ValueError:
            raise ValueError(f"is {text!r}; must be {self.range}") from None
        inside = self.minimum <= value <= self.maximum and math.isfinite(value)
        if not inside or (self.exclusive and value in (self.minimum, self.maximum)):
            raise ValueError(f"is {text!r}; must be {self.range}")
        return value

    @property
    def range(self) -> str:
        """The allowed numbers in words."""
        parts = ["an integer" if self.type is int else "a number"]
        if math.isfinite(self.minimum):
            parts.append(f"{'above' if self.exclusive else 'of at least'} {self.minimum:g}")
        if math.isfinite(self.maximum):
            parts.append(f"{'below' if self.exclusive else 'at most'} {self.maximum:g}")
        return parts[0] + " " * (len(parts) > 1) + " and ".join(parts[1:])


RANDOM_STATE = Setting(
    int, "Seeds the search, unless the experiment has a `seed`.", default=None, minimum=0
)
"""The setting `random_state`, which Katib's algorithms share."""


class Configurable(ABC):
    """A class with a name and declared settings, which packages may derive from.

    A public attribute of a derived class that is nearly called like an attribute of the
    classes above it, such as `take_points`, would be without effect. It is refused when the
    class is made.

    Attributes:
        name: The name it is registered under.
        settings: The settings it has, by name.
        accepts_any_setting: Whether settings that it does not declare are passed over, for it
            to find in the experiment.
    """

    name: ClassVar[str]
    settings: ClassVar[Mapping[str, Setting]] = MappingProxyType({})
    accepts_any_setting: ClassVar[bool] = False

    def problems(self, spec: ExperimentSpec) -> list[Problem]:
        """What of an otherwise valid experiment it cannot work on; nothing by default."""
        return []

    def __init_subclass__(cls) -> None:
        """Refuse a class with a misspelt attribute.

        Raises:
            TypeError: An attribute is nearly called like one of the classes above.
        """
        super().__init_subclass__()
        declared = _declared(cls)
        for name in vars(cls):
            if name.startswith("_") or name in declared:
                continue
            alike = difflib.get_close_matches(name, list(declared), n=1, cutoff=_ALIKE)
            if alike:
                raise TypeError(
                    f"{cls.__qualname__}.{name} is no attribute of {declared[alike[0]].__name__}; "
                    f"did you mean {alike[0]!r}? Other names that are so alike begin with _"
                )


def missing_names(cls: type[Configurable]) -> list[str]:
    """The attributes that a class derived from `Configurable` has to have and does not."""
    return [name for name in _declared(cls) if not hasattr(cls, name)]


def _declared(cls: type[Configurable]) -> dict[str, type]:
    """The public attributes of the classes above *cls*, each with the class that has it."""
    return {
        name: base
        for base in cls.__mro__[1:]
        if issubclass(base, Configurable)
        for name in (*vars(base), *inspect.get_annotations(base))
        if not name.startswith("_")
    }


def read_settings(configured: Configurable, texts: Mapping[str, str]) -> dict[str, Value]:
    """A value for every declared setting, the default where *texts* has none.

    Raises:
        ValueError: A text is not allowed.
    """
    return {
        name: setting.parse(texts[name]) if name in texts else setting.default
        for name, setting in configured.settings.items()
    }


def setting_problems(configured: Configurable, spec: AlgorithmSpec, path: str) -> list[Problem]:
    """What is wrong with the settings in *spec*, the part of the document under *path*."""
    problems = []
    for index, entry in enumerate(spec.algorithm_settings):
        where = f"{path}.algorithmSettings[{index}]"
        setting = configured.settings.get(entry.name)
        if setting is not None:
            try:
                setting.parse(entry.value)
            except ValueError as error:
                problems.append(Problem(f"{where}.value", f"{entry.name} {error}"))
        elif not configured.accepts_any_setting:
            names = sorted(configured.settings)
            message = (
                f"{entry.name!r} is no setting of {configured.name!r}, which has "
                f"{', '.join(names) or 'none'}{nearest(entry.name, names)}"
            )
            problems.append(Problem(f"{where}.name", message))
    return problems
