r"""Metrics in lines of text, such as `2026-01-01T00:00:00Z step=3 loss=0.25, accuracy=0.9`.

Follows Katib's collector (`pkg/metricscollector/v1beta1/file-metricscollector`): each filter
is a regular expression whose groups are a name and a value, searched in every line that
mentions a metric of the experiment; a first word that is an RFC 3339 time is the time of the
line. Unlike Katib's, this parser never takes the beginning of a longer text as a value
(`loss=nan` is not empty, `1,234` is not 1), and `step=` or `epoch=` gives the step.

The expressions are those of RE2, as in Katib. RE2 takes time linear in the line, so that no
expression and no line can stall a trial.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hpo_lab.collectors.numeric_text import observation_of
from hpo_lab.observation import Observation, is_time
from hpo_lab.problems import InvalidInput, Problem

__all__ = ["LineParser", "format_problems", "parse_time", "text_parser"]

LineParser = Callable[[bytes, float], list[Observation]]
"""Takes a line and the time of its arrival; returns the observations in it."""

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_STEP = re.compile(
    r"(?:^|[^\w.-])(?:global_step|step|epoch)\s*[=:]\s*(\d{1,18})(?![\d.])",
    re.ASCII | re.IGNORECASE,
)
_GOES_ON = re.compile(rb"[\w+\-\x80-\xff]|\.\w|,\d")
_ESCAPE = re.compile(rb"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\^_])")
_TOKEN = re.compile(rb"\S*")


def format_problems(formats: Sequence[str]) -> list[str]:
    """The problems of the filters *formats*, each as a sentence."""
    problems = []
    for form in formats:
        try:
            groups = _compile(form).groups
        except ValueError as error:
            problems.append(f"{form!r} is no RE2 expression: {error}")
        else:
            if groups < 2:
                problems.append(f"{form!r} has {groups} groups; a name and a value are needed")
    return problems


def text_parser(metrics: Sequence[str], formats: Sequence[str]) -> LineParser:
    """A parser of text lines.

    Args:
        metrics: The names of the metrics to read; others are left out.
        formats: RE2 expressions with two groups, a name and a value.

    Raises:
        InvalidInput: A format is no RE2 expression with two groups.
    """
    where = "spec.metricsCollectorSpec.source.filter.metricsFormat"
    if problems := format_problems(formats):
        raise InvalidInput(Problem(where, problem) for problem in problems)
    patterns = [_compile(form) for form in formats]
    names = frozenset(metrics)
    mentions = [name.encode() for name in metrics]

    def parse(line: bytes, arrived: float) -> list[Observation]:
        if b"\x1b" in line:
            # Colours of a terminal stand between the name and the value.
            line = _ESCAPE.sub(b"", line)
        # Most lines of a log mention no metric, so this search is their only cost.
        if not any(name in line for name in mentions):
            return []
        pairs = [
            (name, value)
            for pattern in patterns
            for name, value in _values(pattern, line)
            if name in names
        ]
        if not pairs:
            return []
        text = line.decode(errors="replace")
        time = parse_time(text.split(maxsplit=1)[0])
        step = _STEP.search(text)
        at = arrived if time is None else time
        number = int(step[1]) if step else None
        return [observation_of(name, value, at, number) for name, value in pairs]

    return parse


def parse_time(word: str) -> float | None:
    """Seconds since the epoch of an RFC 3339 time; None when *word* is no such time."""
    if not _TIME.fullmatch(word):
        return None
    try:
        time = datetime.datetime.fromisoformat(word).timestamp()
    except ValueError:
        return None
    return time if is_time(time) else None


def _values(pattern: Any, line: bytes) -> Iterator[tuple[str, str]]:
    for match in pattern.finditer(line):
        name, value = match.group(1, 2)
        if name is None or value is None:
            continue
        start, end = match.span(2)
        # A value at the end of the match may be the beginning of a longer word.
        if end == match.end() and (not value or value in b"+-" or _GOES_ON.match(line, end)):
            value = _token(line, start)
        yield name.decode(errors="replace").strip(), value.decode(errors="replace").strip()


def _token(line: bytes, start: int) -> bytes:
    match = _TOKEN.match(line, start)
    assert match is not None
    token = match[0].rstrip(b"\"'`,;:")
    if b"=" in token:
        return b""  # The token is the next pair, so the value is missing.
    return token if set(token) & set(b"([{") else token.rstrip(b")]}")


def _compile(form: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        # The pattern is compiled for bytes: RE2 would encode a text again for every match.
        return re2.compile(form.encode(), options)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        message = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(message) from None
