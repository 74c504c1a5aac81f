"""What an early stopping rule is, and where rules are found.

A rule is registered under the entry point group `hpo_lab.early_stopping` as a class without
arguments, like a search algorithm. Unlike an algorithm it may remember: each run of an experiment
has a rule of its own, which is told every ended trial once, so that a question costs the same
however many there are.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from hpo_lab.experiment.model import ExperimentSpec, ObjectiveType, Value
from hpo_lab.experiment.trial import TrialState
from hpo_lab.problems import Problem
from hpo_lab.search.registry import all_registered, new_registered
from hpo_lab.search.setting import Configurable, read_settings, setting_problems
from hpo_lab.stopping.curve import Curve

__all__ = [
    "ENTRY_POINT_GROUP",
    "EarlyStoppingRule",
    "Progress",
    "Question",
    "every_rule",
    "get_rule",
    "settings_of",
    "stopping_problems",
]

ENTRY_POINT_GROUP = "hpo_lab.early_stopping"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a trial is that has reported something.

    Attributes:
        spec: The experiment.
        settings: A value for every declared setting of the rule.
        number: The trial.
        state: Its state.
        curve: What it has reported of the objective.
    """

    spec: ExperimentSpec
    settings: Mapping[str, Value]
    number: int
    state: TrialState
    curve: Curve

    @property
    def minimize(self) -> bool:
        """Whether smaller values of the objective are better."""
        return self.spec.objective.type is ObjectiveType.MINIMIZE

    def integer(self, setting: str) -> int:
        """The value of an integer setting that is set."""
        value = self.settings[setting]
        assert isinstance(value, int)
        return value

    def number_of(self, setting: str) -> float | None:
        """The value of a number setting, None where it is not set."""
        value = self.settings[setting]
        return None if value is None else float(value)


@dataclass(frozen=True, slots=True)
class Question(Progress):
    """Whether a running trial is to be stopped.

    Attributes:
        others: What the running trials have reported of the objective, by number; the trial
            itself may be among them.
    """

    others: Mapping[int, Curve] = field(default_factory=dict)


class EarlyStoppingRule(Configurable):
    """An early stopping rule of one run, which answers from the question and what it was told."""

    def tell(self, ended: Progress) -> None:
        """Take in a trial that has ended after reporting something.

        It is called once for every such trial, in whatever order; a rule that compares trials
        remembers here what it needs of them.
        """
        return

    @abstractmethod
    def should_stop(self, question: Question) -> str | None:
        """Why trial `question.number` is to be stopped, in words; None when it goes on."""


def get_rule(name: str) -> EarlyStoppingRule:
    """A new rule of those registered as *name*, which has been told of no trial.

    Raises:
        LookupError: There is none, or its package cannot load it.
    """
    return _registered(name)()


def every_rule() -> list[EarlyStoppingRule]:
    """All registered rules that can be loaded, by name."""
    base = EarlyStoppingRule
    return all_registered(ENTRY_POINT_GROUP, base, "early stopping rule")  # type: ignore[type-abstract]


def settings_of(rule: EarlyStoppingRule, spec: ExperimentSpec) -> dict[str, Value]:
    """A value for every setting of *rule*, as *spec*, free of problems, has it."""
    assert spec.early_stopping is not None
    return read_settings(rule, spec.early_stopping.settings)


def stopping_problems(spec: ExperimentSpec) -> list[Problem]:
    """Everything that keeps trials of *spec* from being judged by the rule it names, if any."""
    early_stopping, path = spec.early_stopping, "spec.earlyStopping"
    if early_stopping is None or not early_stopping.algorithm_name:
        return []
    name = early_stopping.algorithm_name
    try:
        rule = get_rule(name)
    except LookupError as error:
        return [Problem(f"{path}.algorithmName", str(error))]
    problems = setting_problems(rule, early_stopping, path)
    if spec.objective.additional_objectives:
        message = (
            f"is {name!r}; trials with several objectives cannot be stopped early, "
            "since each may still be best in one of them"
        )
        problems.append(Problem(f"{path}.algorithmName", message))
    return problems or rule.problems(spec)


@lru_cache(maxsize=16)
def _registered(name: str) -> type[EarlyStoppingRule]:
    # To look through the installed packages takes milliseconds.
    base = EarlyStoppingRule
    return type(new_registered(ENTRY_POINT_GROUP, name, base, "early stopping rule"))  # type: ignore[type-abstract]
