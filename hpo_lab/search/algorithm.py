"""What a search algorithm is, and where algorithms are found.

An algorithm is registered under the entry point group `hpo_lab.algorithms` as a class
without arguments; a package that adds one declares it the way this one does::

    [project.entry-points."hpo_lab.algorithms"]
    random = "hpo_lab.search.random:Random"
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol

from hpo_lab.experiment.model import ExperimentSpec, Value
from hpo_lab.experiment.trial import Trial
from hpo_lab.problems import Problem, nearest
from hpo_lab.search.space import Assignment

__all__ = [
    "ENTRY_POINT_GROUP",
    "RANDOM_STATE",
    "Algorithm",
    "Ask",
    "Setting",
    "algorithms",
    "get_algorithm",
    "read_settings",
    "search_problems",
]

ENTRY_POINT_GROUP = "hpo_lab.algorithms"


@dataclass(frozen=True, slots=True)
class Setting:
    """One declared setting of an algorithm.

    Attributes:
        type: `int`, `float`, `bool` or `str`.
        doc: What it does, in one line.
        default: Its value when it is not given.
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


@dataclass(frozen=True, slots=True)
class Ask:
    """The question for one assignment.

    Attributes:
        spec: The experiment.
        number: The number of the trial that asks.
        trials: All trials with lower numbers, sorted; those that run have no result yet.
        seed: Seeds whatever is random in the answer, in [0, 2**32).
        shared_seed: Seeds what all trials of the experiment share, in [0, 2**32).
        settings: A value for every declared setting of the algorithm.
    """

    spec: ExperimentSpec
    number: int
    trials: Sequence[Trial]
    seed: int
    shared_seed: int = 0
    settings: Mapping[str, Value] = field(default_factory=dict)


class Algorithm(Protocol):
    """A search algorithm: stateless, all it knows is in the question.

    It may also have a method `problems(spec) -> list[Problem]`, which says what of an
    otherwise valid experiment it cannot search.
    """

    @property
    def name(self) -> str:
        """The name it is registered under."""

    @property
    def settings(self) -> Mapping[str, Setting]:
        """The settings it knows, by name."""

    @property
    def uses_history(self) -> bool:
        """Whether results of earlier trials influence its answers."""

    def suggest(self, ask: Ask) -> Assignment | None:
        """The assignment of trial `ask.number`; None when there is none left."""


def algorithms() -> list[str]:
    """The names of all registered algorithms, sorted; none of them is loaded."""
    return sorted({entry.name for entry in entry_points(group=ENTRY_POINT_GROUP)})


@lru_cache(maxsize=64)
def get_algorithm(name: str) -> Algorithm:
    """The algorithm registered as *name*.

    Raises:
        LookupError: There is none, or its package cannot load it.
    """
    found = tuple(entry_points(group=ENTRY_POINT_GROUP, name=name))
    if not found:
        known = algorithms()
        raise LookupError(
            f"{name!r} is no search algorithm; there are {', '.join(known) or 'none installed'}"
            + nearest(name, known)
        )
    return _load(found[0])


def _load(entry: EntryPoint) -> Algorithm:
    try:
        algorithm: Algorithm = entry.load()()
    except Exception as error:
        package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "unknown"
        raise LookupError(
            f"{entry.name!r} of the package {package} cannot be loaded: "
            f"{type(error).__name__}: {error}"
        ) from error
    return algorithm


def read_settings(algorithm: Algorithm, given: Mapping[str, str]) -> dict[str, Value]:
    """A value for every declared setting of *algorithm*, the default where not *given*.

    Raises:
        ValueError: A given value is not allowed.
    """
    return {
        name: setting.parse(given[name]) if name in given else setting.default
        for name, setting in algorithm.settings.items()
    }


def search_problems(spec: ExperimentSpec) -> list[Problem]:
    """Everything that keeps *spec* from being searched by the algorithm it names."""
    path = "spec.algorithm"
    try:
        algorithm = get_algorithm(spec.algorithm.algorithm_name)
    except LookupError as error:
        return [Problem(f"{path}.algorithmName", str(error))]
    found = []
    for index, given in enumerate(spec.algorithm.algorithm_settings):
        where = f"{path}.algorithmSettings[{index}]"
        declared = algorithm.settings.get(given.name)
        if declared is None:
            known = sorted(algorithm.settings)
            message = (
                f"{given.name!r} is no setting of {algorithm.name!r}, which has "
                f"{', '.join(known) or 'none'}{nearest(given.name, known)}"
            )
            found.append(Problem(f"{where}.name", message))
            continue
        try:
            declared.parse(given.value)
        except ValueError as error:
            found.append(Problem(f"{where}.value", f"{given.name} {error}"))
    own = getattr(algorithm, "problems", None)
    return [*found, *own(spec)] if own else found
