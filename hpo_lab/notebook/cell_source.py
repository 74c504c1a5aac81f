"""The source of a notebook cell as plain Python, with every line where it was."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass
from typing import Any

__all__ = [
    "CellMagic",
    "cell_magic",
    "is_own_magic",
    "magic_call",
    "parse_cell",
    "to_python",
    "without_own_magics",
]

# A single line that starts with one of these runs as a magic although it has no `%`.
_AUTOMAGIC = frozenset({"cd", "conda", "ls", "mkdir", "pip", "pwd", "run", "time", "timeit", "who"})
_MAGIC_CALLS = frozenset({"getoutput", "run_cell_magic", "run_line_magic", "system"})
_OWN_MAGICS = frozenset({"hpo", "hpo_lab", "tune"})
_CELL_MAGIC = re.compile(r"(?:[ \t]*(?:#.*)?\n)*[ \t]*%%(\w[\w.-]*!?|!)[ \t]*(.*)(?:\n|\Z)")


@dataclass(frozen=True, slots=True)
class CellMagic:
    """A cell that starts with `%%name arguments`.

    Attributes:
        name: The magic, without `%%`.
        arguments: The rest of its line.
        body: The lines below it.
        first_line: The line of the cell, counted from 1, on which the body starts.
    """

    name: str
    arguments: str
    body: str
    first_line: int


def cell_magic(source: str) -> CellMagic | None:
    """The cell magic that *source* starts with, after blank and comment lines, if any."""
    source = _unix_lines(source)
    match = _CELL_MAGIC.match(source)
    if match is None:
        return None
    first_line = source.count("\n", 0, match.end()) + 1
    return CellMagic(match[1], match[2].strip(), source[match.end() :], first_line)


def parse_cell(source: str) -> ast.Module:
    """The syntax tree of a cell; magics are calls of `get_ipython()`, as IPython makes them.

    Raises:
        SyntaxError: The cell cannot run; `lineno` is a line of *source*.
    """
    python = to_python(source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a warning about the user's code is not ours to give
        try:
            tree = ast.parse(python)
            # What only the compiler finds, such as `return` outside a function.
            compile(python, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        except (ValueError, RecursionError, MemoryError) as error:
            raise SyntaxError(str(error) or "too deeply nested") from None
    return tree


def to_python(source: str) -> str:
    """*source* with IPython's syntax turned into calls and the number of lines kept.

    A source that is already Python is returned as it is, but for its line ends.
    """
    source = _unix_lines(source)
    if _is_python(source):
        return source
    # IPython takes 0.2 s to import, and most cells have no magics.
    from IPython.core.inputtransformer2 import TransformerManager

    first_word = source.split(maxsplit=1)[:1]
    if "\n" not in source.strip() and _AUTOMAGIC.intersection(first_word):
        source = "%" + source.strip()
    manager: Any = TransformerManager()  # type: ignore[no-untyped-call]
    lines = [line + "\n" for line in source.split("\n")]
    for cleanup in manager.cleanup_transforms:
        cleaned = cleanup(lines)
        lines = ["\n"] * (len(lines) - len(cleaned)) + cleaned
    changed = True
    while changed:
        changed, transformed = manager.do_one_token_transform(lines)
        joined = len(lines) - len(transformed)
        if joined > 0:  # a magic continued with a backslash became one line
            pairs = zip(lines, transformed, strict=False)
            at = next(index for index, (old, new) in enumerate(pairs) if old != new)
            transformed = [*transformed[: at + 1], *["\n"] * joined, *transformed[at + 1 :]]
        lines = transformed
    return "".join(lines)


def magic_call(node: ast.Call) -> tuple[str, str] | None:
    """The magic or shell command that *node* runs, as name (`!` for a shell) and text."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython")), attr=method),
            args=[*arguments],
        ) if method in _MAGIC_CALLS:
            texts = [str(a.value) for a in arguments if isinstance(a, ast.Constant)]
            if method.startswith("run_"):
                return (texts[0], texts[-1] if len(texts) > 1 else "") if texts else None
            return "!", texts[0] if texts else ""
    return None


def is_own_magic(name: str, arguments: str) -> bool:
    """Whether a magic is one of this package, which has no place in a trial."""
    loads = name in ("load_ext", "reload_ext") and arguments.split()[:1] == ["hpo_lab"]
    return loads or name in _OWN_MAGICS


def without_own_magics(source: str) -> str:
    """*source* with the lines `%load_ext hpo_lab` and `%hpo ...` turned off."""
    if not re.search(r"%\s*(load_ext|reload_ext|hpo|tune)", source):
        return source
    try:
        tree = parse_cell(source)
    except SyntaxError:
        return source
    lines = _unix_lines(source).split("\n")
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        magic = magic_call(node)
        if magic is not None and is_own_magic(*magic):
            line = lines[node.lineno - 1]
            indent = line[: len(line) - len(line.lstrip())]
            lines[node.lineno - 1] = f"{indent}pass  # {line.strip()}"
    return "\n".join(lines)


def _unix_lines(source: str) -> str:
    return source.replace("\r\n", "\n").replace("\r", "\n")


def _is_python(source: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
