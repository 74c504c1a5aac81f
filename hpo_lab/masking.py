"""What is secret in what is shown: passwords in addresses, and literals named so.

Everything that a person sees by default is masked by this module: documents, messages and
reports. What trials are given is not, and neither is what trials print.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["MASK", "is_secret", "masked", "masked_document", "masked_places", "masked_source"]

MASK = "•••"
_ADDRESS = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s/:@'\"]*:)[^\s/@'\"]+?(@|…)", re.IGNORECASE)
_SECRET = (
    r"(?:(?<![a-z])pass|pass(?:word|wd|phrase)|(?<![a-z])pwd|secret|token|credentials?"
    r"|(?:api|access|private|auth|secret|account|encryption|signing)_?key)(?:_?\d+)?"
)
_NAME = re.compile(f"{_SECRET}$", re.IGNORECASE)
# As in `--api-key=x`, `--token x`, `PASSWORD=x` and `?password=x`; what refers to a value stays.
_ARGUMENT = re.compile(
    rf"((?:--?[\w-]*?{_SECRET.replace('_?', '[_-]?')}[= ]|\b\w*?{_SECRET}=)\s*)"
    r"(?![$-])(\"[^\"]*\"|'[^']*'|[^\s&;\"']+)",
    re.IGNORECASE,
)
_OPTION = re.compile(rf"--?[\w-]*?{_SECRET.replace('_?', '[_-]?')}", re.IGNORECASE)
_ENTRY = re.compile(
    r"(\bname:[ \t]*[\"']?(?P<name>[\w.-]+)[\"']?[ \t]*(?:\n[ \t]*|,[ \t]*)value:[ \t]*)"
    r"(?![$|>])(\"[^\"\n]*\"|'[^'\n]*'|[^\s,}]+)"
)
_DEEP = ("trialTemplate", "metricsCollectorSpec", "annotations")
"""Fields of a manifest with containers; elsewhere names are those of parameters and metrics."""
_CODE = "notebook"
"""Field with a notebook: code."""


def masked(text: str) -> str:
    """*text* without the passwords of the addresses in it, as in `postgresql://me:•••@host`.

    The text may be HTML, and cut off by an ellipsis within a password.
    """
    return _ADDRESS.sub(rf"\g<1>{MASK}\g<2>", text)


def is_secret(name: str) -> bool:
    """Whether *name* is that of a password or the like."""
    return _NAME.search(name) is not None


def masked_document(document: Any) -> Any:
    """The manifest *document*, plain data, without secrets.

    Masked are the literal values of variables, options and fields that are named like a secret,
    in containers and annotations, and the passwords of addresses everywhere. Whatever refers to
    a value, such as `$(PASSWORD)`, stays.
    """
    match document:
        case str():
            return masked(document)
        case Mapping():
            return {
                key: _in_container(value) if key in _DEEP else masked_document(value)
                for key, value in document.items()
            }
        case list() | tuple():
            return [masked_document(item) for item in document]
    return document


def masked_places(document: Any, path: str = "") -> Iterator[str]:
    """The paths in *document*, plain data, of texts that are masked."""
    match document:
        case str() if MASK in document:
            yield path
        case Mapping():
            for key, value in document.items():
                yield from masked_places(value, f"{path}.{key}" if path else str(key))
        case list() | tuple():
            for index, item in enumerate(document):
                yield from masked_places(item, f"{path}[{index}]")


def _in_container(value: Any, name: str = "") -> Any:
    """*value*, plain data that is called *name*, without secrets."""
    match value:
        case str() | int() | float() if is_secret(name) and not isinstance(value, bool):
            return value if str(value).startswith("$") or not str(value) else MASK
        case str() if value.startswith("{") and (held := _json(value)) is not None:
            # As in `kubectl.kubernetes.io/last-applied-configuration`.
            hidden = masked_document(_in_container(held))
            return value if hidden == held else json.dumps(hidden, ensure_ascii=False)
        case str():
            return masked(_ENTRY.sub(_masked_entry, _ARGUMENT.sub(rf"\g<1>{MASK}", value)))
        case Mapping():
            named = value.get("name") if "value" in value else None
            return {
                key: item
                if key == _CODE
                else _in_container(item, str(named) if named and key == "value" else str(key))
                for key, item in value.items()
            }
        case list() | tuple():
            # The word after an option is its value.
            before = ["", *value]
            return [
                MASK
                if isinstance(word, str)
                and isinstance(option, str)
                and _OPTION.fullmatch(option)
                and not word.startswith(("$", "-"))
                else _in_container(word)
                for option, word in zip(before, value, strict=False)
            ]
    return value


def _masked_entry(match: re.Match[str]) -> str:
    return f'{match[1]}"{MASK}"' if is_secret(match["name"]) else match[0]


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def masked_source(source: str) -> str:
    """The code *source* without passwords: also texts assigned to what is called `..._token`."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # A cell with magics: line by line is better than nothing.
        return masked("".join(map(_masked_line, source.splitlines(keepends=True))))
    lines = [line.encode() for line in source.splitlines(keepends=True)]
    # From the end, so that the places of the others stay right.
    for literal in sorted(_secrets(tree), key=lambda each: (-each.lineno, -each.col_offset)):
        first, last = literal.lineno - 1, (literal.end_lineno or literal.lineno) - 1
        begin, end = lines[first][: literal.col_offset], lines[last][literal.end_col_offset :]
        lines[first : last + 1] = [begin + f'"{MASK}"'.encode() + end]
    return masked(b"".join(lines).decode())


def _masked_line(line: str) -> str:
    name, equals, value = line.partition("=")
    if equals and _NAME.search(name.strip(" \t'\"[]")) and any(mark in value for mark in "'\""):
        return f'{name}= "{MASK}"\n'
    return line


def _secrets(tree: ast.AST) -> Iterator[ast.Constant | ast.JoinedStr]:
    """The texts in *tree* that are given to a name of a secret."""
    for node in ast.walk(tree):
        pairs: list[tuple[str, ast.expr | None]] = []
        match node:
            case ast.Assign(targets, value):
                pairs = [(_name(target), value) for target in targets]
            case ast.AnnAssign(target, _, value) | ast.NamedExpr(target, value):
                pairs = [(_name(target), value)]
            case ast.keyword(str(name), value):
                pairs = [(name, value)]
            case ast.Dict(keys, values):
                names = [_text(key) for key in keys]
                pairs = list(zip(names, values, strict=True))
        for name, value in pairs:
            is_text = isinstance(value, ast.Constant) and isinstance(value.value, str | bytes)
            if (is_text or isinstance(value, ast.JoinedStr)) and _NAME.search(name):
                assert isinstance(value, ast.Constant | ast.JoinedStr)
                yield value


def _name(target: ast.expr) -> str:
    match target:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=key):
            return _text(key)
    return ""


def _text(key: ast.expr | None) -> str:
    return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""
