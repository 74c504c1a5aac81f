"""Checks of declared settings, which search algorithms and early stopping rules share."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from hpo_lab.problems import Problem
from hpo_lab.search.setting import Configurable, Setting

__all__ = ["check_settings"]


def check_settings(
    configured: Configurable,
    texts: Mapping[str, str],
    problems_with: Callable[[Mapping[str, str]], list[Problem]],
) -> None:
    """Check that settings are described and that wrong settings are refused.

    Args:
        configured: What has the settings.
        texts: Settings that are allowed.
        problems_with: The problems of an experiment with these settings in place of those.

    Raises:
        AssertionError: A check fails.
    """
    name = configured.name
    problems = problems_with(texts)
    assert not problems, f"{name} refuses the settings {dict(texts)}: {_text(problems)}"
    for key, setting in configured.settings.items():
        assert setting.doc.strip(), f"the setting {key!r} of {name} has no doc"
        default = setting.default
        if default is not None:
            try:
                setting.parse(str(default))
            except ValueError as error:
                raise AssertionError(f"the default of {key!r} of {name} {error}") from None
        for wrong in _wrong(setting):
            problems = problems_with({**texts, key: wrong})
            assert any(key in problem.message for problem in problems), (
                f"{name} does not refuse {key}={wrong}: {_text(problems)}"
            )
    if not configured.accepts_any_setting:
        problems = problems_with({**texts, "no-such-setting": "1"})
        assert any("no-such-setting" in problem.message for problem in problems), (
            f"{name} does not refuse a setting that it does not have: {_text(problems)}"
        )


def _wrong(setting: Setting) -> list[str]:
    """Texts that the declaration of a setting does not allow."""
    if setting.type is str:
        return ["no such choice"] if setting.choices else []
    outside = [setting.minimum - 1, setting.maximum + 1]
    if setting.exclusive:
        outside += [setting.minimum, setting.maximum]
    numbers = [] if setting.type is bool else [bound for bound in outside if math.isfinite(bound)]
    return ["many", "nan", *(f"{number:g}" for number in numbers)]


def _text(problems: list[Problem]) -> str:
    return "; ".join(map(str, problems)) or "no problem is named"
