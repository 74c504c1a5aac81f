"""What a search algorithm is, and where algorithms are found.

An algorithm is registered under the entry point group `hpo_lab.algorithms` as a class
without arguments; a package that adds one declares it the way this one does::

    [project.entry-points."hpo_lab.algorithms"]
    random = "hpo_lab.search.random:Random"
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import ClassVar, Final, TypeAlias

from hpo_lab.experiment.model import ExperimentSpec, Value
from hpo_lab.experiment.trial import Trial
from hpo_lab.problems import Problem
from hpo_lab.search.history import History
from hpo_lab.search.points import POINT, Points
from hpo_lab.search.registry import all_registered, new_registered, registered_names
from hpo_lab.search.setting import RANDOM_STATE, Configurable, Setting, setting_problems
from hpo_lab.search.space import Assignment

__all__ = [
    "ENTRY_POINT_GROUP",
    "POINT",
    "RANDOM_STATE",
    "WAIT",
    "Algorithm",
    "Answer",
    "Ask",
    "Setting",
    "Suggestion",
    "Wait",
    "algorithms",
    "every_algorithm",
    "get_algorithm",
    "search_problems",
]

ENTRY_POINT_GROUP = "hpo_lab.algorithms"


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
        history: All trials with lower numbers.
        seed: Seeds whatever is random in the answer, in [0, 2**32).
        shared_seed: Seeds what all trials of the experiment share, in [0, 2**32).
        settings: A value for every declared setting of the algorithm.
        point: The next point that a person gave and no trial has yet; only an algorithm
            with `takes_points` sees it, which is then to use it, labels included, for
            the next configuration that it begins.
    """

    spec: ExperimentSpec
    number: int
    history: History
    seed: int
    shared_seed: int = 0
    settings: Mapping[str, Value] = field(default_factory=dict)
    point: Suggestion | None = None

    @property
    def trials(self) -> Sequence[Trial]:
        """The trials of the history by number; those that run have no result yet.

        Negative numbers are trials of the experiments that this experiment learns from.
        """
        return self.history.trials

    @property
    def own(self) -> Sequence[Trial]:
        """Those of the trials that are of this experiment."""
        return self.history.own

    @property
    def index(self) -> int:
        """How many trials the algorithm itself has suggested before."""
        return self.number - self.history.index(Points).count


class Algorithm(Configurable):
    """A search algorithm: stateless, all it knows is in the question.

    An assignment that is not wrapped in a `Suggestion` is kept from being a duplicate.

    Attributes:
        uses_history: Whether results of earlier trials influence its answers.
        takes_points: Whether it works the points that a person gave into its own plan; else
            they become trials without asking it.
        synchronous: Whether it waits by itself for the results that it looks at, so that the
            order in which trials end has no influence.
    """

    uses_history: ClassVar[bool]
    takes_points: ClassVar[bool] = False
    synchronous: ClassVar[bool] = False

    @property
    def several_objectives(self) -> bool:
        """Whether it searches for the Pareto front of several objectives.

        By default an algorithm does that does not use the history.
        """
        return not self.uses_history

    @property
    def uses_prior(self) -> bool:
        """Whether it learns from trials of other experiments; by default as from its own."""
        return self.uses_history

    @abstractmethod
    def suggest(self, ask: Ask) -> Answer:
        """The assignment of trial `ask.number`; None when there is none left."""


def algorithms() -> list[str]:
    """The names of all registered algorithms, sorted; none of them is loaded."""
    return registered_names(ENTRY_POINT_GROUP)


@lru_cache(maxsize=64)
def get_algorithm(name: str) -> Algorithm:
    """The algorithm registered as *name*.

    Raises:
        LookupError: There is none, or its package cannot load it.
    """
    # An abstract class stands for those derived from it.
    return new_registered(ENTRY_POINT_GROUP, name, Algorithm, "search algorithm")  # type: ignore[type-abstract]


def every_algorithm() -> list[Algorithm]:
    """All registered algorithms that can be loaded, by name."""
    return all_registered(ENTRY_POINT_GROUP, Algorithm, "search algorithm")  # type: ignore[type-abstract]


def search_problems(spec: ExperimentSpec) -> list[Problem]:
    """Everything that keeps *spec* from being searched by the algorithm it names."""
    path = "spec.algorithm"
    try:
        algorithm = get_algorithm(spec.algorithm.algorithm_name)
    except LookupError as error:
        return [Problem(f"{path}.algorithmName", str(error))]
    problems = setting_problems(algorithm, spec.algorithm, path)
    if spec.objective.additional_objectives and not algorithm.several_objectives:
        able = [name for name in algorithms() if name != algorithm.name and _is_able(name)]
        message = f"{algorithm.name!r} has one objective; those with several are {', '.join(able)}"
        problems.append(Problem("spec.objective.additionalObjectives", message))
    return [*problems, *algorithm.problems(spec)]


def _is_able(name: str) -> bool:
    try:
        return get_algorithm(name).several_objectives
    except LookupError:
        return False
