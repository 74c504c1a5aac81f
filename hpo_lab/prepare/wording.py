"""What rules find wrong, told where a person wrote it instead of by the document's fields."""

from __future__ import annotations

import json
import math
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from hpo_lab.experiment.model import Document
from hpo_lab.options import OPTIONS, Option
from hpo_lab.problems import Problem

__all__ = ["Dialect", "Wording", "worded"]

# A problem of an algorithm as a whole is that of its name.
_PATHS = {option.path.removesuffix(".algorithmName"): option for option in OPTIONS}
_FIELD = re.compile(
    "|".join(rf"{re.escape(path)}\b" for path in sorted(_PATHS, key=len, reverse=True))
)
_PARAMETER = re.compile(r"spec\.parameters\[(\d+)\]\.?(.*)")


class Dialect(Enum):
    """The way in which options are written."""

    LINE = "line"
    """In a command or on the line of `%%tune`: `--max-failed 3`."""
    ARGUMENT = "argument"
    """As arguments of `hpo_lab.tune`: `max_failed=3`."""
    FIELD = "field"
    """In a manifest: `spec.maxFailedTrialCount: 3`."""

    def option(self, option: Option) -> str:
        """The name of *option*: `--max-failed`."""
        names = {self.LINE: option.flag, self.ARGUMENT: option.argument, self.FIELD: option.path}
        return names[self]

    def text(self, option: Option, value: Any) -> str:
        """A *value* of *option*, as it is in `TuneOptions`; empty where it says nothing.

        Raises:
            ValueError: It cannot be written.
        """
        texts = option.write(value)
        if not texts:
            return ""
        if self is self.LINE:
            return " ".join(map(shlex.quote, texts))
        if self is self.FIELD:
            return _in_yaml(option.kind.parts(value) if option.repeatable else value)
        if not option.repeatable:
            return texts[0] if isinstance(value, int | float) else _in_python(texts[0])
        if isinstance(value[0], tuple):
            pairs = (f"{_in_python(name)}: {_in_python(text)}" for name, text in value)
            return f"{{{', '.join(pairs)}}}"
        literals = list(map(_in_python, texts))
        return literals[0] if len(literals) == 1 else f"[{', '.join(literals)}]"

    def said(self, option: Option, value: Any) -> str:
        """How a person says that *option* has *value*: `--warm-start svm`; else as `text`."""
        name = self.option(option)
        if self is self.LINE:
            return " ".join(f"{name} {shlex.quote(text)}" for text in option.write(value))
        return f"{name}{'=' if self is self.ARGUMENT else ': '}{self.text(option, value)}"


@dataclass(frozen=True, slots=True)
class Wording:
    """How the author of an experiment writes what it is made of.

    Attributes:
        dialect: How options are written.
        fresh: How it is said that the experiment takes the place of the recorded one.
        whole: Where the objectives and the parameters as a whole are.
        places: Where each parameter is, by name.
        spaces: The space of each parameter as it is written, by name, where that is known.
    """

    dialect: Dialect
    fresh: str = "--fresh"
    whole: str = ""
    places: Mapping[str, str] = field(default_factory=dict)
    spaces: Mapping[str, str] = field(default_factory=dict)

    def place(self, parameter: str) -> str:
        """Where *parameter* is, or, where it is gone, where it was: `space['lr']`, `In [3]`."""
        gone = self.whole or "spec.parameters"
        if self.dialect is Dialect.ARGUMENT and not self.whole:
            gone = f"space[{parameter!r}]"
        return self.places.get(parameter, gone)


def worded(problem: Problem, dialect: Dialect, parameters: Sequence[str], rest: str) -> Problem:
    """*problem* of a document that was made from options and parameters.

    Args:
        problem: What a rule found.
        dialect: How an option is written.
        parameters: Where each parameter is.
        rest: Where the objectives and the parameters as a whole are.
    """
    message = _FIELD.sub(lambda match: dialect.option(_PATHS[match[0]]), problem.message)
    if parameter := _PARAMETER.fullmatch(problem.where):
        field = parameter[2].removeprefix("feasibleSpace").lstrip(".")
        place = parameters[int(parameter[1])]
        return Problem(place, f"{field} {message}" if field else message)
    if option := _FIELD.match(problem.where):
        return Problem(dialect.option(_PATHS[option[0]]), message)
    if problem.where == "spec.parameters":
        return Problem(rest, f"parameters: {message}")
    if problem.where.startswith("spec.objective."):
        return Problem(rest, message)
    return Problem(problem.where, message)


def _in_python(text: str) -> str:
    """*text* as a literal with the quotes that a formatter would take."""
    return json.dumps(text, ensure_ascii=False)


def _in_yaml(part: Any) -> str:
    """A *part* of a document on one line."""
    import yaml

    parts = part if isinstance(part, list | tuple) else [part]
    plain = [each.to_document() if isinstance(each, Document) else each for each in parts]
    document = plain if parts is part else plain[0]
    text = yaml.safe_dump(document, default_flow_style=True, width=math.inf, allow_unicode=True)
    return text.removesuffix("\n...\n").rstrip("\n")
