"""Options from flags and texts: the line of `%%tune` and the arguments of a command."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hpo_lab.options.objectives import read_objective_words, write_objective_words
from hpo_lab.options.option import Option
from hpo_lab.options.tune_options import OPTIONS, TuneOptions
from hpo_lab.problems import InvalidInput, Problem, nearest

__all__ = [
    "ALONGSIDE",
    "LINE_OPTIONS",
    "Alongside",
    "SplitArguments",
    "parse_line",
    "parse_values",
    "split_arguments",
    "write_line",
]

_BY_FLAG = {option.flag: option for option in OPTIONS}


@dataclass(frozen=True, slots=True)
class Alongside:
    """What stands on the line of `%%tune` and is no part of the experiment.

    Attributes:
        flag: As it is written.
        form: The form of its value; empty where it takes none.
        help: What it means.
    """

    flag: str
    form: str
    help: str


ALONGSIDE: Final = (
    Alongside("-o", "NAME", "assign the running experiment to this variable"),
    Alongside("--store", "LOCATION", "record it there: a SQLite file or a database's URL"),
    Alongside("--fresh", "", "delete what is recorded of it, and start anew"),
    Alongside("--dry-run", "", "show the search space and what a trial runs; start nothing"),
)

LINE_OPTIONS: tuple[Option | Alongside, ...] = (*OPTIONS, *ALONGSIDE)
"""All that may stand on the line of `%%tune` behind the objectives."""


@dataclass(slots=True)
class SplitArguments:
    """Arguments in parts.

    Attributes:
        words: What is no option, in order.
        values: Texts by flag; an empty one for a flag that takes no value.
        unclaimed: What stands behind unknown options and may be their value.
        problems: What is wrong with the options.
    """

    words: list[str] = field(default_factory=list)
    values: dict[str, list[str]] = field(default_factory=dict)
    unclaimed: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def parse_line(
    line: str, *, where: str, needs_objective: bool = True
) -> tuple[TuneOptions, dict[str, str], list[Problem]]:
    """Parse the line of `%%tune`.

    Args:
        line: What stands behind `%%tune`.
        where: The place that problems name, such as `cell 3, line 1`.
        needs_objective: Whether a line without direction and metric is a problem.

    Returns:
        The options, the values of `ALONGSIDE` by flag, and every problem.
    """
    try:
        tokens = shlex.split(line, comments=True)
    except ValueError as error:
        return TuneOptions(), {}, [Problem(where, f"cannot be read: {error}")]
    parts = split_arguments(
        tokens,
        where=where,
        taking=[*_BY_FLAG, *(extra.flag for extra in ALONGSIDE if extra.form)],
        bare=[extra.flag for extra in ALONGSIDE if not extra.form],
    )
    named, problems = TuneOptions(), parts.problems
    if parts.words or needs_objective:
        named, wrong = read_objective_words(parts.words, where)
        problems += wrong
    alongside = {
        extra.flag: parts.values.pop(extra.flag)[-1]
        for extra in ALONGSIDE
        if extra.flag in parts.values
    }
    options, wrong = parse_values(parts.values, where=where)
    return options.over(named), alongside, [*problems, *wrong]


def write_line(options: TuneOptions) -> str:
    """The line that `parse_line` reads as *options*.

    Raises:
        InvalidInput: with each field of the document that a line cannot hold.
    """
    words, problems = [], []
    try:
        words += write_objective_words(options)
    except ValueError as error:
        problems.append(Problem("spec.objective", str(error)))
    for option, value in options.said.items():
        try:
            for text in option.write(value):
                # A text such as `-x` alone would be taken for a flag.
                is_flag = text.startswith("-") and not _is_number(text)
                words += [f"{option.flag}={text}"] if is_flag else [option.flag, text]
        except ValueError as error:
            problems.append(Problem(option.path, str(error)))
    if problems:
        raise InvalidInput(problems)
    return shlex.join(words)


def parse_values(
    texts: Mapping[str, Sequence[str]], *, where: str = ""
) -> tuple[TuneOptions, list[Problem]]:
    """The options from texts by flag (`--trials`), and every problem."""
    values: dict[str, Any] = {}
    problems = []
    for flag, behind in texts.items():
        option = _BY_FLAG[flag]
        if len(behind) > 1 and not option.repeatable:
            problems.append(_of_option(flag, f"is given {len(behind)} times", where))
        values[option.field], messages = option.read(behind)
        problems += [_of_option(flag, message, where) for message in messages]
    return TuneOptions(**values), problems


def split_arguments(
    tokens: Iterable[str], *, taking: Iterable[str], bare: Iterable[str], where: str = ""
) -> SplitArguments:
    """Tell options from words, without stopping at the first problem.

    Args:
        tokens: The arguments.
        taking: Flags that take a value.
        bare: Flags that take none.
        where: The place that problems name; by default the flag itself.
    """
    parsed = SplitArguments()
    taking, bare = list(taking), list(bare)
    rest = list(tokens)
    while rest:
        token = rest.pop(0)
        if not token.startswith("-") or _is_number(token):
            parsed.words.append(token)
            continue
        flag, equals, value = token.partition("=")
        if flag in bare:
            if equals:
                parsed.problems.append(_of_option(flag, "does not take a value", where))
            else:
                parsed.values.setdefault(flag, []).append("")
            continue
        if flag not in taking:
            hint = nearest(flag, [*taking, *bare])
            parsed.problems.append(_of_option(flag, f"unknown option{hint}", where))
            # Its value is no word of the objective.
            if not equals and rest and not rest[0].startswith("-"):
                parsed.unclaimed.append(rest.pop(0))
            continue
        if not equals:
            if not rest or (rest[0].startswith("-") and not _is_number(rest[0])):
                parsed.problems.append(_of_option(flag, "needs a value", where))
                continue
            value = rest.pop(0)
        parsed.values.setdefault(flag, []).append(value)
    return parsed


def _of_option(flag: str, message: str, where: str) -> Problem:
    return Problem(where, f"{flag}: {message}") if where else Problem(flag, message)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
