"""The text of an annotation: a distribution and, after `when`, a condition."""

from __future__ import annotations

import ast
import inspect
import io
import re
import tokenize
from collections.abc import Iterator, Mapping, Sequence

from hpo_lab.experiment.condition import ParameterCondition
from hpo_lab.experiment.model import Parameter
from hpo_lab.experiment.rules import parameter_problems
from hpo_lab.experiment.space import DOMAINS, has_word, space_text
from hpo_lab.problems import InvalidInput, Problem, nearest

__all__ = [
    "ANNOTATION",
    "FORM",
    "SIGNATURES",
    "annotation",
    "read_parameter",
    "split_comment",
    "split_when",
]

ANNOTATION = re.compile(r"(?P<before>#.*?\s)??#+\s*tune\s*:\s*(?P<text>.*)", re.DOTALL)
"""A comment that is an annotation, with its text; before that may be another comment, `# noqa`."""

FORM = "name = literal  # tune: loguniform(1e-4, 1e-1)"
"""How an annotation is written, for messages."""

SIGNATURES = {
    "uniform": "uniform(low, high, step=None)",
    "loguniform": "loguniform(low, high, step=None)",
    "int": "int(low, high, step=None)",
    "logint": "logint(low, high)",
    "choice": "choice(value, value, ...)",
    "normal": "normal(low, high, step=None)",
    "lognormal": "lognormal(low, high, step=None)",
}
"""How each distribution is written."""

_CALLED = {"categorical": "choice", "suggest_float": "uniform", "suggest_int": "int"}
"""By the name that another tool has for it, the distribution here."""


def read_parameter(name: str, text: str) -> Parameter | list[str]:
    """Read `loguniform(1e-4, 1e-1) when opt == "sgd"`, or say what is wrong with it."""
    expression, when = split_when(text)
    if when == "":
        return ["`when` is not followed by a condition"]
    try:
        call = ast.parse(expression, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        problem = f"cannot read `{expression}`" if expression else "no distribution is given"
        return [f"{problem}; write it as `{FORM}`"]
    if not isinstance(call, ast.Call):
        shown = SIGNATURES.get(expression, SIGNATURES["loguniform"])
        return [f"found `{expression}`, not a distribution with its bounds, as {shown}"]
    word = ast.unparse(call.func)
    if word not in DOMAINS:
        names = ", ".join(DOMAINS)
        same = _CALLED.get(word)
        hint = f"; it is called {same} here" if same else nearest(word, list(DOMAINS))
        return [f"unknown distribution {word!r}{hint} (one of {names})"]
    try:
        positional = [ast.literal_eval(argument) for argument in call.args]
        named = {k.arg or "**": ast.literal_eval(k.value) for k in call.keywords}
    except (ValueError, TypeError):
        return [f"the arguments of {word} must be literals, not `{expression}`"]
    if word == "choice" and len(positional) == 1 and isinstance(positional[0], list):
        positional = [*positional[0]]
    problems = list(_argument_problems(word, positional, named))
    if when is not None:
        try:
            ParameterCondition.parse(when)
        except ValueError as error:
            problems.append(f"`when {when}`: {error}")
    if problems:
        return problems
    parameter = DOMAINS[word](*positional, **named).named(name, when)
    rules = parameter_problems(parameter)
    return [f"{expression}: {_argument(field)} {rule}" for field, rule in rules] or parameter


def _argument_problems(
    word: str, positional: Sequence[object], named: Mapping[str, object]
) -> Iterator[str]:
    """What is wrong with the arguments of the distribution *word*."""
    form = f"it is {SIGNATURES[word]}"
    try:
        inspect.signature(DOMAINS[word]).bind(*positional, **named)
    except TypeError as error:
        yield f"{word}: {error}; {form}"
    values = [*positional, *named.values()]
    if word == "choice":
        for value in values:
            if value is not None and not isinstance(value, bool | int | float | str):
                yield f"choice: {value!r} is no number, string, True, False or None"
                return
    else:
        kind, allowed = (int, "whole number") if word.endswith("int") else (int | float, "number")
        for value in values:
            if value is not None and (isinstance(value, bool) or not isinstance(value, kind)):
                yield f"{word}: {value!r} is no {allowed}; {form}"
                return
        if None in positional:
            yield f"{word}: None is no bound; {form}"


def split_comment(text: str) -> tuple[str, str]:
    """Split what stands behind `# tune:` at a further comment: `int(1, 4)  # why`."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                return text[: token.start[1]].strip(), token.string.strip()
    except (tokenize.TokenError, SyntaxError):
        pass
    return text.strip(), ""


def split_when(text: str) -> tuple[str, str | None]:
    """Split a text at the word `when`, unless it stands in a string or in brackets."""
    depth = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            depth += token.string in ("(", "[", "{")
            depth -= token.string in (")", "]", "}")
            if token.type == tokenize.NAME and token.string == "when" and depth == 0:
                column = token.start[1]
                return text[:column].strip(), text[column + len("when") :].strip()
    except (tokenize.TokenError, SyntaxError):
        pass
    return text.strip(), None


def _argument(field: str) -> str:
    """What an annotation calls a field of the feasible space."""
    words = {"min": "low", "max": "high", "list": "the list"}
    name = field.rpartition(".")[2]
    return words.get(name, name)


def annotation(parameter: Parameter) -> str:
    """A parameter's space as it is written in a notebook: `loguniform(0.0001, 0.1)`.

    Raises:
        InvalidInput: No word is for it.
    """
    if not has_word(parameter):
        message = f"an integer cannot be {parameter.distribution.value} in a notebook"
        raise InvalidInput([Problem(parameter.name, message)])
    return space_text(parameter)
