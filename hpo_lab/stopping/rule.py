"""What an early stopping rule is, and where rules are found.

A rule is registered under the entry point group `hpo_lab.early_stopping` as a class without
arguments, like a search algorithm.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from hpo_lab.experiment.model import ExperimentSpec, ObjectiveType, Value
from hpo_lab.experiment.trial import TrialState
from hpo_lab.problems import Problem
from hpo_lab.search.algorithm import (
    Configurable,
    load_registered,
    read_settings,
    setting_problems,
)
from hpo_lab.stopping.curve import Curve

__all__ = [
    "ENTRY_POINT_GROUP",
    "EarlyStoppingRule",
    "Progress",
    "Question",
    "get_rule",
    "settings_of",
    "stopping_problems",
]

ENTRY_POINT_GROUP = "hpo_lab.early_stopping"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a trial is: its state, and what it has reported of the objective."""

    state: TrialState
    curve: Curve


@dataclass(frozen=True, slots=True)
class Question:
    """Whether one trial is to be stopped.

    Attributes:
        spec: The experiment.
        number: The trial, which runs and has reported something.
        trials: The progress of every trial that has reported something, by number.
        settings: A value for every declared setting of the rule.
    """

    spec: ExperimentSpec
    number: int
    trials: Mapping[int, Progress]
    settings: Mapping[str, Value] = field(default_factory=dict)

    @property
    def curve(self) -> Curve:
        """What the trial itself has reported."""
        return self.trials[self.number].curve

    @property
    def minimize(self) -> bool:
        """Whether smaller values of the objective are better."""
        return self.spec.objective.type is ObjectiveType.MINIMIZE

    def succeeded(self) -> Iterator[Curve]:
        """The curves of the trials that have ended successfully."""
        for progress in self.trials.values():
            if progress.state is TrialState.SUCCEEDED:
                yield progress.curve

    def integer(self, setting: str) -> int:
        """The value of an integer setting that is set."""
        value = self.settings[setting]
        assert isinstance(value, int)
        return value

    def number_of(self, setting: str) -> float | None:
        """The value of a number setting, None where it is not set."""
        value = self.settings[setting]
        return None if value is None else float(value)


class EarlyStoppingRule(Configurable, Protocol):
    """An early stopping rule: a pure function of the question.

    It may also have a method `problems(spec) -> list[Problem]`, which says what of an
    otherwise valid experiment it cannot judge.
    """

    def should_stop(self, question: Question) -> str | None:
        """Why trial `question.number` is to be stopped, in words; None when it goes on."""


@lru_cache(maxsize=16)
def get_rule(name: str) -> EarlyStoppingRule:
    """The rule registered as *name*.

    Raises:
        LookupError: There is none, or its package cannot load it.
    """
    rule: EarlyStoppingRule = load_registered(ENTRY_POINT_GROUP, name, "early stopping rule")
    return rule


def settings_of(rule: EarlyStoppingRule, spec: ExperimentSpec) -> dict[str, Value]:
    """A value for every setting of *rule*, as *spec*, free of problems, has it."""
    assert spec.early_stopping is not None
    return read_settings(rule, spec.early_stopping.settings)


def stopping_problems(spec: ExperimentSpec) -> list[Problem]:
    """Everything that keeps trials of *spec* from being judged by the rule it names, if any."""
    given, path = spec.early_stopping, "spec.earlyStopping"
    if given is None or not given.algorithm_name:
        return []
    try:
        rule = get_rule(given.algorithm_name)
    except LookupError as error:
        return [Problem(f"{path}.algorithmName", str(error))]
    found = setting_problems(rule, given, path)
    if spec.objective.additional_objectives:
        message = (
            f"is {given.algorithm_name!r}; trials with several objectives cannot be stopped early, "
            "since each may still be best in one of them"
        )
        found.append(Problem(f"{path}.algorithmName", message))
    own = getattr(rule, "problems", None)
    return [*found, *own(spec)] if own and not found else found
