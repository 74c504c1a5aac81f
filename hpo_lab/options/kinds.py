"""What the texts of options stand for; each function raises ValueError, with what is allowed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from hpo_lab.experiment.model import (
    AlgorithmSetting,
    EarlyStopping,
    MetricConstraint,
    MetricStrategyType,
)
from hpo_lab.problems import nearest

__all__ = [
    "amount_of_memory",
    "constraint",
    "count",
    "early_stopping",
    "experiment_name",
    "number",
    "one_of",
    "pair",
    "seconds",
    "strategy",
]


def count(least: int) -> Callable[[str], int]:
    """Reads a whole number of at least *least*."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise ValueError(f"{text!r} is no whole number; allowed are {least} and up") from None
        if value < least:
            raise ValueError(f"{value} is too small; allowed are {least} and up")
        return value

    return parse


def number(text: str) -> float:
    """A finite number."""
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number") from None
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not finite; a finite number is needed")
    return value


_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(text: str) -> float:
    """A time span in seconds: `90`, `90s`, `10m`, `2h`, `1d`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", text)
    if match is None or float(match[1]) == 0:
        raise ValueError(f"{text!r} is no time; allowed are seconds above 0, or 90s, 10m, 2h, 1d")
    return float(match[1]) * _UNITS[match[2]]


_BYTES = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def amount_of_memory(text: str) -> int:
    """Bytes: `512M`, `2G`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", text.casefold())
    if match is None or float(match[1]) == 0:
        raise ValueError(f"{text!r} is no amount of memory; allowed are bytes above 0, or 512M, 2G")
    return int(float(match[1]) * _BYTES[match[2]])


def one_of(*allowed: str) -> Callable[[str], str]:
    """Reads one of the *allowed* words."""

    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError(
                f"{text!r} is not allowed; allowed are {', '.join(allowed)}{nearest(text, allowed)}"
            )
        return text

    return parse


def pair(text: str) -> tuple[str, str]:
    """Name and value of `name=value`."""
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise ValueError(f"{text!r} is no setting; write it as name=value")
    return name, value


def early_stopping(text: str) -> EarlyStopping:
    """A rule: `medianstop`, `medianstop:start_step=3,...`."""
    name, colon, given = text.partition(":")
    if not name or (colon and not given):
        raise ValueError(f"{text!r} is no rule; write it as NAME or NAME:setting=value,...")
    pairs = [pair(part) for part in given.split(",")] if given else []
    settings = tuple(AlgorithmSetting(name=name, value=value) for name, value in pairs)
    return EarlyStopping(algorithm_name=name, algorithm_settings=settings)


_CONSTRAINT = re.compile(r"\s*([^<>=\s]+)\s*(<=|>=)\s*(\S+)\s*")


def constraint(text: str) -> MetricConstraint:
    """A bound of a metric: `memory<=8`, `recall>=0.5`."""
    match = _CONSTRAINT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no constraint; write it as METRIC<=VALUE or METRIC>=VALUE")
    bound = number(match[3])
    if match[2] == "<=":
        return MetricConstraint(name=match[1], max=bound)
    return MetricConstraint(name=match[1], min=bound)


def strategy(text: str) -> tuple[str, str]:
    """A metric and which of its values counts: `loss=latest`."""
    name, value = pair(text)
    allowed = [kind.value for kind in MetricStrategyType]
    if value not in allowed:
        raise ValueError(
            f"{value!r} is no strategy; allowed are {', '.join(allowed)}{nearest(value, allowed)}"
        )
    return name, value


_EXPERIMENT_NAME = re.compile(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?")


def experiment_name(text: str) -> str:
    """The name of an experiment."""
    if not _EXPERIMENT_NAME.fullmatch(text):
        raise ValueError(
            f"{text!r} is no valid name; allowed are at most 40 lower-case letters, digits and "
            "'-', starting with a letter and not ending with '-'"
        )
    return text
