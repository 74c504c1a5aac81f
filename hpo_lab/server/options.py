"""Answers with all that may be said of a tuning run: for forms, so that they know nothing."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from hpo_lab.experiment.space import DOMAINS
from hpo_lab.notebook.annotation_text import SIGNATURES
from hpo_lab.options import LINE_OPTIONS, Option
from hpo_lab.search.algorithm import every_algorithm
from hpo_lab.search.setting import Configurable, Setting
from hpo_lab.server.request import ApiRequest
from hpo_lab.stopping.rule import every_rule

__all__ = ["listed"]


def listed(request: ApiRequest) -> Mapping[str, Any]:
    """The options of `%%tune`, search algorithms and stopping rules, and the distributions."""
    return _listed()


@lru_cache(maxsize=1)
def _listed() -> Mapping[str, Any]:
    # To load all algorithms takes seconds.
    options = [each for each in LINE_OPTIONS if isinstance(each, Option)]
    algorithms = [
        _configurable(each) | {"severalObjectives": each.several_objectives}
        for each in every_algorithm()
    ]
    return {
        "options": [_option(each) for each in options],
        "alongside": [
            {"flag": each.flag, "form": each.form, "help": each.help}
            for each in LINE_OPTIONS
            if not isinstance(each, Option)
        ],
        "algorithms": algorithms,
        "earlyStopping": [_configurable(each) for each in every_rule()],
        "distributions": [
            {"name": name, "signature": SIGNATURES[name], "help": _first_line(domain)}
            for name, domain in DOMAINS.items()
        ],
    }


def _option(option: Option) -> dict[str, Any]:
    return {
        "flag": option.flag,
        "name": option.argument,
        "form": option.form,
        "help": option.help.partition(" [default: ")[0],
        "default": option.default,
        "choices": [*option.choices],
        "repeatable": option.repeatable,
        "isBudget": option.is_budget,
    }


def _configurable(configurable: Configurable) -> dict[str, Any]:
    return {
        "name": configurable.name,
        "help": _first_line(type(configurable)),
        "settings": [_setting(name, each) for name, each in configurable.settings.items()],
        "acceptsAnySetting": configurable.accepts_any_setting,
    }


def _setting(name: str, setting: Setting) -> dict[str, Any]:
    choices = ("true", "false") if setting.type is bool else setting.choices
    default = setting.default
    shown = str(default).lower() if isinstance(default, bool) else default
    return {
        "name": name,
        "help": setting.doc,
        "default": "" if shown is None else str(shown),
        "allowed": setting.range if setting.type in (int, float) else "",
        "choices": [*choices],
    }


def _first_line(described: object) -> str:
    return (inspect.getdoc(described) or "").partition("\n")[0].replace("`", "").replace("*", "")
