"""The part of Go's template language that trial templates were written in.

Katib before v1beta1 kept the trial object as text such as::

    name: {{.Trial}}
    command:
    {{- with .HyperParameters}}
    {{- range .}}
    - "{{.Name}}={{.Value}}"
    {{- end}}
    {{- end}}

Fields, `with`, `range`, comments and the trimming `{{-` and `-}}` are understood. Follows
https://pkg.go.dev/text/template.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["expand"]

_ACTION = re.compile(r"\{\{(-\s)?\s*(.*?)\s*(\s-)?\}\}", re.DOTALL)
_FIELD = re.compile(r"(?:\.[A-Za-z_]\w*)+|\.")
_BLOCK = re.compile(r"(with|range)\s+(\S+)")
_UNDERSTOOD = "understood are {{.Field}}, {{with .Field}}, {{range .Field}}, {{end}}, {{/* */}}"


def expand(template: str, context: Mapping[str, Any], emit: Callable[[Any], str]) -> str:
    """The text of *template* in *context*.

    Args:
        template: Go template text.
        context: Values by field name; a list of such mappings for `range`.
        emit: What to write for a field's value.

    Raises:
        ValueError: *template* has an action that is not understood, a block that is not
            closed, or a field that does not exist; the message names the line.
    """
    return "".join(_expand(_body(_parse(template), None), context, emit))


@dataclass(frozen=True)
class _Part:
    """Literal text, or the action between braces."""

    text: str
    line: int
    is_action: bool


@dataclass(frozen=True)
class _Block:
    word: str
    field: _Part
    body: list[_Part | _Block]


def _parse(template: str) -> Iterator[_Part]:
    start, trim = 0, False
    for match in [*_ACTION.finditer(template), None]:
        literal = template[start : match.start() if match else len(template)]
        literal = literal.lstrip() if trim else literal
        line = template.count("\n", 0, start) + 1
        if match is None:
            yield _Part(literal, line, is_action=False)
            return
        trim_before, action, trim_after = match.groups()
        yield _Part(literal.rstrip() if trim_before else literal, line, is_action=False)
        line = template.count("\n", 0, match.start()) + 1
        yield _Part(action, line, is_action=True)
        start, trim = match.end(), bool(trim_after)


def _body(parts: Iterator[_Part], opener: _Part | None) -> list[_Part | _Block]:
    body: list[_Part | _Block] = []
    for part in parts:
        block = _BLOCK.fullmatch(part.text) if part.is_action else None
        if not part.is_action:
            body.append(part)
        elif part.text == "end" and opener is not None:
            return body
        elif block:
            field = _Part(block[2], part.line, is_action=True)
            body.append(_Block(block[1], _checked(field), _body(parts, part)))
        elif not (part.text.startswith("/*") and part.text.endswith("*/")):
            body.append(_checked(part))
    if opener is not None:
        raise ValueError(f"line {opener.line}: {{{{{opener.text}}}}} has no {{{{end}}}}")
    return body


def _checked(part: _Part) -> _Part:
    """*part*, an action; ValueError unless it names a field."""
    if not _FIELD.fullmatch(part.text):
        raise ValueError(f"line {part.line}: {{{{{part.text}}}}} is not understood; {_UNDERSTOOD}")
    return part


def _expand(body: list[_Part | _Block], dot: Any, emit: Callable[[Any], str]) -> Iterator[str]:
    for part in body:
        if isinstance(part, _Part):
            yield emit(_value(part, dot)) if part.is_action else part.text
            continue
        value = _value(part.field, dot)
        for inner in value if part.word == "range" else [value] if value else []:
            yield from _expand(part.body, inner, emit)


def _value(part: _Part, dot: Any) -> Any:
    for name in filter(None, part.text.split(".")):
        if not isinstance(dot, Mapping) or name not in dot:
            fields = ", ".join(f".{key}" for key in dot) if isinstance(dot, Mapping) else "none"
            message = f"there is no field .{name} here; known are {fields}"
            raise ValueError(f"line {part.line}: {message}")
        dot = dot[name]
    return dot
