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
from enum import Enum
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any, Final, Protocol, TypeAlias

from hpo_lab.experiment.model import AlgorithmSpec as GivenAlgorithm
from hpo_lab.experiment.model import ExperimentSpec, Value
from hpo_lab.experiment.trial import Trial
from hpo_lab.problems import Problem, nearest
from hpo_lab.search.space import Assignment

__all__ = [
    "ENTRY_POINT_GROUP",
    "POINT",
    "RANDOM_STATE",
    "WAIT",
    "Algorithm",
    "Answer",
    "Ask",
    "Configurable",
    "Setting",
    "Suggestion",
    "Wait",
    "algorithms",
    "get_algorithm",
    "load_registered",
    "read_settings",
    "search_problems",
    "setting_problems",
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

POINT: Final = "point"
"""The label of a trial whose assignment a person gave; its value says which one."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An assignment, and what goes with it.

    Attributes:
        assignments: Values by parameter name.
        parent: The number of the trial whose checkpoint the new one continues from.
        labels: What the algorithm wants to find on the trial when it is asked again, such
            as its rung or generation; names and values are shown to people.
    """

    assignments: Assignment
    parent: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


class Wait(Enum):
    """The answer that nothing can be suggested before one of the unfinished trials ends."""

    WAIT = "wait"


WAIT: Final = Wait.WAIT

Answer: TypeAlias = Assignment | Suggestion | Wait | None


@dataclass(frozen=True, slots=True)
class Ask:
    """The question for one assignment.

    Attributes:
        spec: The experiment.
        number: The number of the trial that asks.
        trials: All trials with lower numbers, sorted; those that run have no result yet.
            Negative numbers are trials of the experiments that this one learns from.
        seed: Seeds whatever is random in the answer, in [0, 2**32).
        shared_seed: Seeds what all trials of the experiment share, in [0, 2**32).
        settings: A value for every declared setting of the algorithm.
        point: The next point that a person gave and no trial has yet; only an algorithm
            with `takes_points` sees one, which is then to use it, labels included, for
            the next configuration that it begins.
    """

    spec: ExperimentSpec
    number: int
    trials: Sequence[Trial]
    seed: int
    shared_seed: int = 0
    settings: Mapping[str, Value] = field(default_factory=dict)
    point: Suggestion | None = None

    @property
    def index(self) -> int:
        """How many trials the algorithm itself has suggested before."""
        if not self.spec.initial_points and not self.spec.enqueued_points:
            return self.number
        return self.number - sum(POINT in t.labels for t in self.own)

    @property
    def own(self) -> Sequence[Trial]:
        """Those of the trials that are of this experiment."""
        if not self.trials or self.trials[0].number >= 0:
            return self.trials
        return [trial for trial in self.trials if trial.number >= 0]


class Configurable(Protocol):
    """Something with a name and declared settings.

    It may also have the attribute `accepts_any_setting`: settings that it does not declare are
    then not looked at, and found in the experiment.
    """

    @property
    def name(self) -> str:
        """The name it is registered under."""

    @property
    def settings(self) -> Mapping[str, Setting]:
        """The settings it knows, by name."""


class Algorithm(Configurable, Protocol):
    """A search algorithm: stateless, all it knows is in the question.

    It may also have a method `problems(spec) -> list[Problem]`, which says what of an
    otherwise valid experiment it cannot search, and attributes that are False where absent:

    - `takes_points`: it works the points that a person gave into its own plan, where
      otherwise they become trials without asking it;
    - `synchronous`: it waits by itself for the results that it looks at, so that the order
      in which trials end has no influence;
    - `several_objectives`: it searches for the Pareto front of several objectives, which one
      that does not use the history does anyway.

    Where `uses_prior` is absent, an algorithm that uses the history uses the trials of other
    experiments in it, too. An assignment that is not wrapped in a `Suggestion` is kept from
    being a duplicate.
    """

    @property
    def uses_history(self) -> bool:
        """Whether results of earlier trials influence its answers."""

    def suggest(self, ask: Ask) -> Answer:
        """The assignment of trial `ask.number`; None when there is none left."""


def algorithms() -> list[str]:
    """The names of all registered algorithms, sorted; none of them is loaded."""
    return _names(ENTRY_POINT_GROUP)


@lru_cache(maxsize=64)
def get_algorithm(name: str) -> Algorithm:
    """The algorithm registered as *name*.

    Raises:
        LookupError: There is none, or its package cannot load it.
    """
    algorithm: Algorithm = load_registered(ENTRY_POINT_GROUP, name, "search algorithm")
    return algorithm


def load_registered(group: str, name: str, kind: str) -> Any:
    """A new object of the class that is registered as *name* in a *group* of entry points.

    Args:
        group: The group.
        name: The name.
        kind: What the group holds, for messages.

    Raises:
        LookupError: There is none, or its package cannot load it.
    """
    found = tuple(entry_points(group=group, name=name))
    if not found:
        known = _names(group)
        raise LookupError(
            f"{name!r} is no {kind}; there are {', '.join(known) or 'none installed'}"
            + nearest(name, known)
        )
    entry = found[0]
    try:
        return entry.load()()
    except Exception as error:
        package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "unknown"
        raise LookupError(
            f"{entry.name!r} of the package {package} cannot be loaded: "
            f"{type(error).__name__}: {error}"
        ) from error


def _names(group: str) -> list[str]:
    return sorted({entry.name for entry in entry_points(group=group)})


def read_settings(algorithm: Configurable, given: Mapping[str, str]) -> dict[str, Value]:
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
    found = setting_problems(algorithm, spec.algorithm, path)
    if spec.objective.additional_objectives and not _takes_several(algorithm):
        able = [name for name in algorithms() if name != algorithm.name and _is_able(name)]
        message = f"{algorithm.name!r} has one objective; those with several are {', '.join(able)}"
        found.append(Problem("spec.objective.additionalObjectives", message))
    own = getattr(algorithm, "problems", None)
    return [*found, *own(spec)] if own else found


def _takes_several(algorithm: Algorithm) -> bool:
    return bool(getattr(algorithm, "several_objectives", not algorithm.uses_history))


def _is_able(name: str) -> bool:
    try:
        return _takes_several(get_algorithm(name))
    except LookupError:
        return False


def setting_problems(configured: Configurable, given: GivenAlgorithm, path: str) -> list[Problem]:
    """What is wrong with the settings *given* to an algorithm, under the field *path*."""
    found = []
    for index, one in enumerate(given.algorithm_settings):
        where = f"{path}.algorithmSettings[{index}]"
        declared = configured.settings.get(one.name)
        if declared is None and getattr(configured, "accepts_any_setting", False):
            continue
        if declared is None:
            known = sorted(configured.settings)
            message = (
                f"{one.name!r} is no setting of {configured.name!r}, which has "
                f"{', '.join(known) or 'none'}{nearest(one.name, known)}"
            )
            found.append(Problem(f"{where}.name", message))
            continue
        try:
            declared.parse(one.value)
        except ValueError as error:
            found.append(Problem(f"{where}.value", f"{one.name} {error}"))
    return found
