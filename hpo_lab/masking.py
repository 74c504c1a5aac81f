"""What is secret in what is shown: passwords in addresses, and literals named so.

Everything that a person sees by default is masked by this module: documents, messages and
reports. What trials are given is not, and neither is what trials print.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from hpo_lab.source_edits import Edit, SourceLines, edited

__all__ = [
    "MASK",
    "is_secret",
    "masked",
    "masked_document",
    "masked_message",
    "masked_places",
    "masked_source",
]

MASK = "•••"
# A password may have an `@`, or a slash where what follows the host is no port.
_ADDRESS = re.compile(
    r"(\b[a-z][a-z0-9+.-]*://[^\s/:'\"<>[]*:)(?!\d+[/?#])"
    r"(?:[^\s/'\"<>]+@|[^\s@'\"<>]+@(?:[^\s/'\"<>]*@)?|[^\s/'\"<>]+?…)",
    re.IGNORECASE,
)
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
_IN_TEXT = re.compile(
    rf"((?:[?&]|&amp;)[\w.-]*?{_SECRET.replace('_?', '[_-]?')}=)[^\s&;\"'<>]+"
    rf"|((?<![\w-])--?[\w-]*?{_SECRET.replace('_?', '[_-]?')}=)"
    r"(?![$-])(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s&;\"'<>])+",
    re.IGNORECASE,
)
"""What is an argument in any text; `_ARGUMENT` is for commands."""
_OPTION = re.compile(rf"--?[\w-]*?{_SECRET.replace('_?', '[_-]?')}", re.IGNORECASE)
_ENTRY = re.compile(
    r"(\bname:[ \t]*[\"']?(?P<name>[\w.-]+)[\"']?[ \t]*(?:\n[ \t]*|,[ \t]*)value:[ \t]*)"
    r"(?![$|>])(\"[^\"\n]*\"|'[^'\n]*'|[^\s,}]+)"
)
_ENV = re.compile(
    rf"(%(?:set_)?env[ \t]+\S*?{_SECRET}[ \t]*[ \t=][ \t]*)(?!\$)[^\r\n]+", re.IGNORECASE
)
_ASSIGNED = re.compile(
    rf"(\b\w*?{_SECRET}[\"'\])]*[ \t]*(?:(?::[^=\r\n\"']*)?=|:|(?<=[\"']),)[ \t]*)"
    r"([bfru]*(?:\"{3}.*?\"{3}|'{3}.*?'{3})|[^\r\n]*[\"'][^\r\n]*)",
    re.IGNORECASE | re.DOTALL,
)
"""In code that is no Python: to the end of the line."""
_MAGIC = re.compile(r"[ \t]*(?:[\w.,\[\]'\" \t]+=[ \t]*)?[%!]")
_SHELL = re.compile(r"\s*%%(?:!|bash|cmd|file|script|sh|sx|system|writefile)\b|\s*%%!|\s*!!")
_TAKES = re.compile("add|get|pop|put|set", re.IGNORECASE)
"""Functions that have a value behind a name, such as `getenv` and `setdefault`."""
_ASKS = re.compile("ask|get|input|load|open|path|pop|prompt|read", re.IGNORECASE)
"""Functions whose first argument says where a secret is."""
_QUOTED = re.compile("`([^`]+)`")
_DEEP = ("trialTemplate", "metricsCollectorSpec", "annotations")
"""Fields of a manifest with containers; elsewhere names are those of parameters and metrics."""
_CODE = "notebook"
"""Field with a notebook: code."""


def masked(text: str) -> str:
    """*text* without the passwords of the addresses in it, as in `postgresql://me:•••@host`.

    Masked are also arguments such as `?password=x` and `--token=x`. The text may be HTML, and cut
    off by an ellipsis within a password.
    """
    text = _IN_TEXT.sub(lambda match: f"{match[1] or match[2]}{MASK}", text)
    return _ADDRESS.sub(lambda match: f"{match[1]}{MASK}{match[0][-1]}", text)


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


def masked_message(message: str) -> str:
    """*message* without secrets, also in the code that it has between backquotes."""
    return masked(_QUOTED.sub(lambda match: f"`{masked_source(match[1])}`", message))


def masked_source(source: str) -> str:
    """The code *source* without secrets, as many lines as it has.

    Masked are the texts that are given to what is called `..._token` or the like: assigned,
    as arguments, as defaults, in the environment; and the arguments of commands.
    """
    tree = None if _SHELL.match(source) else _tree(source)
    if tree is None:
        lines = [*SourceLines(source)]
        python, is_magic = [], False
        for at, line in enumerate(lines):
            is_continued = is_magic and lines[at - 1].rstrip().endswith("\\")
            is_magic = is_continued or _MAGIC.match(line) is not None
            if is_magic:
                lines[at] = _masked_command(line)
                line = "\n" if is_continued else f"{line[: -len(line.lstrip())]}pass\n"
            python.append(line)
        tree = None if _SHELL.match(source) else _tree("".join(python))
        if tree is None:
            return masked(_masked_command(source))
        source = "".join(lines)
    places = SourceLines(source)
    edits = set()
    for text in _secrets(tree):
        last, column = text.end_lineno or text.lineno, text.end_col_offset or text.col_offset
        start = places.place(text.lineno, text.col_offset)
        breaks = "\n" * (last - text.lineno)
        mask = f'"""{MASK}{breaks}"""' if breaks else f'"{MASK}"'
        edits.add(Edit(start, places.place(last, column), mask))
    return masked(edited(source, edits))


def _tree(source: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a warning about the user's code is not ours to give
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _masked_command(text: str) -> str:
    """*text*, a command or code that cannot be read, without what looks like a secret."""
    text = _ARGUMENT.sub(rf"\g<1>{MASK}", _ENV.sub(rf"\g<1>{MASK}", text))
    return _ASSIGNED.sub(lambda match: f'{match[1]}"{MASK}"' + "\n" * match[2].count("\n"), text)


_Text = ast.Constant | ast.JoinedStr


def _secrets(tree: ast.AST) -> Iterator[_Text]:
    """The texts in *tree* that are given to a name of a secret; some of them repeatedly."""
    for name, value in _given(tree):
        if value is not None and _NAME.search(name):
            yield from _texts(value)
    for child in ast.iter_child_nodes(tree):
        if not isinstance(child, ast.JoinedStr):
            yield from _secrets(child)
        # Python 3.11 does not say where in the text an expression is.
        elif any(True for part in child.values for _ in _secrets(part)):
            yield child


def _given(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    """The values that *node* itself gives to names."""
    match node:
        case ast.Assign(targets, value):
            for target in targets:
                yield from _assigned(target, value)
        case ast.AnnAssign(target, _, ast.expr() as value) | ast.AugAssign(target, _, value):
            yield from _assigned(target, value)
        case ast.NamedExpr(target, value):
            yield from _assigned(target, value)
        case ast.keyword(str(name), value):
            yield name, value
        case ast.Dict(keys, values):
            yield from zip(map(_text, keys), values, strict=True)
        case ast.arguments():
            names = [each.arg for each in [*node.posonlyargs, *node.args]]
            yield from zip(reversed(names), reversed(node.defaults), strict=False)
            for argument, default in zip(node.kwonlyargs, node.kw_defaults, strict=True):
                yield argument.arg, default
        case ast.Call(function, arguments, keywords):
            if _TAKES.match(_name(function)):
                yield from ((_text(name), value) for name, value in pairwise(arguments))
            for keyword in keywords:
                if keyword.arg == "default":
                    yield from ((_text(flag), keyword.value) for flag in arguments)
        case ast.List(words) | ast.Tuple(words):
            # As in a command: the word after an option is its value.
            for option, value in pairwise(words):
                if _OPTION.fullmatch(_text(option)):
                    yield _text(option), value


def _assigned(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    match target, value:
        case ast.Starred(inner), _:
            yield from _assigned(inner, value)
        case ((ast.Tuple(targets) | ast.List(targets)), (ast.Tuple(values) | ast.List(values))) if (
            len(targets) == len(values)
            and not any(isinstance(each, ast.Starred) for each in [*targets, *values])
        ):
            for each, part in zip(targets, values, strict=True):
                yield from _assigned(each, part)
        case ((ast.Tuple(targets) | ast.List(targets)), _):
            for each in targets:
                yield from _assigned(each, value)
        case _:
            yield _name(target), value


def _texts(value: ast.AST) -> Iterator[_Text]:
    """The texts of which *value* may be made, but not those that say where it is."""
    match value:
        case ast.Constant(str() | bytes() as text):
            if text:
                yield value
        case ast.JoinedStr():
            yield value
        case ast.Compare():
            pass
        case ast.Subscript(value=held):
            yield from _texts(held)
        case ast.IfExp(_, body, other):
            yield from [*_texts(body), *_texts(other)]
        case ast.Dict(values=values):
            for each in values:
                yield from _texts(each)
        case ast.Call(function, arguments, keywords):
            asks = _ASKS.match(_name(function)) is not None
            for part in [function, *arguments[asks:], *keywords]:
                yield from _texts(part)
        case _:
            for part in ast.iter_child_nodes(value):
                yield from _texts(part)


def _name(target: ast.expr) -> str:
    match target:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=key):
            return _text(key)
    return ""


def _text(key: ast.expr | None) -> str:
    return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""
