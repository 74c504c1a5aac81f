"""Our algorithms pass the checks for algorithms, and algorithms with a defect do not."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest

from hpo_lab.experiment.model import FeasibleSpace, Parameter
from hpo_lab.search import algorithm as registry
from hpo_lab.search import ask as asking
from hpo_lab.search.algorithm import Algorithm, Ask, Setting, Suggestion, algorithms
from hpo_lab.search.space import Assignment, Space
from hpo_lab.testing import algorithms as checks
from hpo_lab.testing.algorithms import check_algorithm

EPOCHS = Parameter(name="epochs", parameter_type="int", feasible_space=FeasibleSpace(min=1, max=9))
RUNGS: dict[str, Any] = {"settings": {"resource_name": "epochs"}, "parameters": (EPOCHS,)}
# Settings with which a short history is modelled, and what an algorithm needs.
OPTIONS: dict[str, dict[str, Any]] = {
    "asha": RUNGS,
    "bayesianoptimization": {"settings": {"n_initial_points": "3"}, "examples": 3},
    "bohb": RUNGS,
    "hyperband": RUNGS,
    "multivariate-tpe": {"settings": {"n_startup_trials": "3"}},
    "nsga2": {"settings": {"population_size": "3"}},
    "pbt": {"settings": {"n_population": "5"}, "may_repeat": True},
    "successivehalving": RUNGS,
    "tpe": {"settings": {"n_startup_trials": "3"}},
}
# Architectures have no assignments that could be checked; a service is not here.
WITHOUT_SPACE = {"darts", "katib-service"}
OURS = sorted(set(algorithms()) - WITHOUT_SPACE)


@pytest.mark.parametrize("name", OURS)
def test_ours_pass(name: str) -> None:
    check_algorithm(name, **{"examples": 6, **OPTIONS.get(name, {})})


class Sound(Algorithm):
    """Draws at random, and is the beginning of what follows."""

    name = "sound"
    uses_history = False

    def suggest(self, ask: Ask) -> Assignment | Suggestion | None:
        rng = random.Random(ask.seed)
        return Space.of(ask.spec.parameters).assign(lambda axis: axis.value_at(rng.random()))


class Unseeded(Sound):
    def suggest(self, ask: Ask) -> Assignment | Suggestion | None:
        return Space.of(ask.spec.parameters).assign(lambda axis: axis.value_at(random.random()))


class Counting(Sound):
    _counter = itertools.count()

    def suggest(self, ask: Ask) -> Assignment | Suggestion | None:
        rng = random.Random(next(self._counter))
        return Space.of(ask.spec.parameters).assign(lambda axis: axis.value_at(rng.random()))


class Repeating(Sound):
    def suggest(self, ask: Ask) -> Assignment | Suggestion | None:
        space = Space.of(ask.spec.parameters)
        return Suggestion(space.assign(lambda axis: axis.value_at(0.5)))


class Lazy(Sound):
    def suggest(self, ask: Ask) -> Assignment | Suggestion | None:
        return super().suggest(ask) if ask.number < 1 else None


class Meddling(Sound):
    def suggest(self, ask: Ask) -> Assignment | Suggestion | None:
        for trial in ask.own:
            trial.labels["seen"] = "yes"  # type: ignore[index]
        return super().suggest(ask)


class Orphan(Sound):
    def suggest(self, ask: Ask) -> Assignment | Suggestion | None:
        made = super().suggest(ask)
        assert isinstance(made, dict)
        return Suggestion(made, parent=ask.number)


class Undescribed(Sound):
    settings = {"rate": Setting(float, "", default=0.5)}  # noqa: RUF012


class BadDefault(Sound):
    settings = {"rate": Setting(float, "A rate.", default=2.0, maximum=1)}  # noqa: RUF012


class Misnamed(Sound):
    name = "other"


def registered(monkeypatch: pytest.MonkeyPatch, algorithm: Algorithm) -> None:
    def get(name: str) -> Algorithm:
        return algorithm

    for module in (registry, asking, checks):
        monkeypatch.setattr(module, "get_algorithm", get)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (Unseeded, "asked again for trial"),
        (Counting, "asked again for trial"),
        (Repeating, "gave an assignment twice"),
        (Lazy, "ended after 1 of"),
        (Meddling, "changed the trials"),
        (Orphan, "which is no earlier trial"),
        (Undescribed, "'rate' of sound has no doc"),
        (BadDefault, "the default of 'rate' of sound is '2.0'; must be a number at most 1"),
        (Misnamed, "the class says 'other'"),
    ],
)
def test_a_defect_is_found(
    made: Callable[[], Algorithm], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(monkeypatch, made())
    with pytest.raises(AssertionError, match=message):
        check_algorithm("sound")


ANOTHER = """
import random
from hpo_lab.search.algorithm import Algorithm
from hpo_lab.search.space import Space

class Hashing(Algorithm):
    name = "hashing"
    uses_history = False

    def suggest(self, ask):
        rng = random.Random(hash(f"trial {ask.number} {ask.seed}"))
        return Space.of(ask.spec.parameters).assign(lambda axis: axis.value_at(rng.random()))
"""


def test_an_answer_that_depends_on_the_process_is_found(
    package: Callable[[str, str, str], None],
) -> None:
    package("hpo_lab.algorithms", "hashing = acme:Hashing", ANOTHER)
    with pytest.raises(AssertionError, match="another process answers"):
        check_algorithm("hashing")
