"""What is secret in a text that is given away: passwords in addresses, and literals named so."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

__all__ = ["MASK", "masked", "masked_source"]

MASK = "•••"
_ADDRESS = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s/:@'\"]*:)[^\s/@'\"]+?(@|…)", re.IGNORECASE)
_NAME = re.compile(
    r"(?i)(pass(word|wd|phrase)?|secret|token|credentials?|(api|access|private|auth)_?key)$"
)


def masked(text: str) -> str:
    """*text* without the passwords of the addresses in it, as in `postgresql://me:•••@host`.

    The text may be HTML, and cut off by an ellipsis within a password.
    """
    return _ADDRESS.sub(rf"\g<1>{MASK}\g<2>", text)


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
