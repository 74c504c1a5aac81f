"""Our early stopping rules pass the checks for rules, and rules with a defect do not."""

from __future__ import annotations

import random
from collections.abc import Callable
from importlib.metadata import entry_points

import pytest

from hpo_lab.search.setting import Setting
from hpo_lab.stopping import rule as registry
from hpo_lab.stopping.rule import ENTRY_POINT_GROUP, EarlyStoppingRule, Progress, Question
from hpo_lab.testing import rules as checks
from hpo_lab.testing.rules import check_early_stopping_rule

NEEDED = {"hyperband": {"r_l": "9"}, "threshold": {"lower": "-5", "upper": "5"}}


@pytest.mark.parametrize("name", sorted(entry_points(group=ENTRY_POINT_GROUP).names))
def test_ours_pass(name: str) -> None:
    check_early_stopping_rule(name, settings=NEEDED.get(name))


class Sound(EarlyStoppingRule):
    """Stops what is worse than the best value that ended, and is the beginning of the rest."""

    name = "sound"

    def __init__(self) -> None:
        self._values: list[float] = []

    def tell(self, ended: Progress) -> None:
        value = ended.curve.best(minimize=ended.minimize)
        self._values += [] if value is None else [value]

    def should_stop(self, question: Question) -> str | None:
        mine = question.curve.best(minimize=question.minimize)
        if mine is None or not self._values:
            return None
        best = min(self._values) if question.minimize else max(self._values)
        return None if best == mine else f"{best:g} is not {mine:g}"


class Drawing(Sound):
    def should_stop(self, question: Question) -> str | None:
        return random.choice([None, "no luck"])


class Last(Sound):
    def should_stop(self, question: Question) -> str | None:
        return f"{self._values[-1]:g} was last" if self._values else None


class FirstOther(Sound):
    def should_stop(self, question: Question) -> str | None:
        return next((f"because of {number}" for number in question.others), None)


class Shared(Sound):
    everything: list[float] = []  # noqa: RUF012

    def __init__(self) -> None:
        self._values = self.everything


class Silent(Sound):
    def should_stop(self, question: Question) -> str | None:
        return "" if super().should_stop(question) else None


class Undescribed(Sound):
    settings = {"rate": Setting(float, " ")}  # noqa: RUF012


def test_a_sound_rule_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    registered(monkeypatch, Sound)
    check_early_stopping_rule("sound")


def registered(monkeypatch: pytest.MonkeyPatch, rule: Callable[[], EarlyStoppingRule]) -> None:
    for module in (registry, checks):
        monkeypatch.setattr(module, "get_rule", lambda name: rule())


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (Drawing, "different answers"),
        (Last, "different answers"),
        (FirstOther, "different answers"),
        (Shared, "different answers"),
        (Silent, "must be a reason in words"),
        (Undescribed, "'rate' of sound has no doc"),
    ],
)
def test_a_defect_is_found(
    rule: Callable[[], EarlyStoppingRule], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(monkeypatch, rule)
    with pytest.raises(AssertionError, match=message):
        check_early_stopping_rule("sound")
