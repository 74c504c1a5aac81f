"""A notebook cell and what its source says: magics, syntax tree, comments.

The tree has every statement on the line of the cell where it stands. IPython's syntax is in
it as calls of `get_ipython()`.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any

from hpo_lab.notebook.magic_effects import MagicKind, bound_names, is_install, kind_of

__all__ = [
    "FAILS_TAG",
    "KEEP_TAG",
    "CellMagic",
    "ParsedCell",
    "is_own_magic",
    "magic_argument",
    "magic_call",
]

KEEP_TAG = "tune-keep"
FAILS_TAG = "raises-exception"
"""Jupyter's tag for a cell that may fail without ending the run."""

# A single line that starts with a word of these runs as a magic although it has no `%`.
_AUTOMAGIC = frozenset({"cd", "conda", "ls", "mkdir", "pip", "pwd", "run", "time", "timeit", "who"})
_MAGIC_CALLS = frozenset({"getoutput", "run_cell_magic", "run_line_magic", "system"})
_OWN_MAGICS = frozenset({"hpo", "hpo_lab", "tune"})
_MAY_BE_OFF = re.compile(
    r"%\s*(load_ext|reload_ext|hpo|tune)|\b(install|uninstall|upgrade|update)\b"
)
_CELL_MAGIC = re.compile(r"(?:[ \t]*(?:#.*)?\n)*[ \t]*%%(\w[\w.-]*!?|!)[ \t]*(.*)(?:\n|\Z)")


@dataclass(frozen=True, slots=True)
class CellMagic:
    """A line `%%name arguments` at the start of a cell, or below another such line.

    Attributes:
        name: The magic, without `%%`.
        arguments: The rest of its line.
        body: The lines below it.
        first_line: The line of the cell, counted from 1, on which the body starts.
        kind: What becomes of the magic in a trial; a body is Python for `CODE`.
    """

    name: str
    arguments: str
    body: str
    first_line: int
    kind: MagicKind


@dataclass(frozen=True)
class ParsedCell:
    """A code cell, or an input of a session; each part of it is worked out once, when asked for.

    Attributes:
        source: Its text, magics and all.
        tags: Its tags; `tune-keep` and `tune-skip` overrule the analysis.
        label: What messages call it: `cell 3`, `In [3]`.
        seconds: How long it took when it ran in a kernel.
        runs_tuned: Whether `%%tune` at its top counts for nothing: it runs with its defaults.
        id: What tells the cell of a session that is executed again; empty where nothing does.
    """

    source: str
    tags: frozenset[str] = frozenset()
    label: str = ""
    seconds: float | None = None
    runs_tuned: bool = False
    id: str = ""

    @cached_property
    def magics(self) -> tuple[CellMagic, ...]:
        """The cell magics that it starts with, the outermost first.

        A second magic counts where the magic above it runs its body as Python.
        """
        magics: list[CellMagic] = []
        body, first_line = "\n".join(self.lines), 1
        while not magics or magics[-1].kind is MagicKind.CODE:
            match = _CELL_MAGIC.match(body)
            if match is None:
                break
            first_line += body.count("\n", 0, match.start(1)) + 1
            name, body = match[1], body[match.end() :]
            kind = MagicKind.CODE if self.runs_tuned and name == "tune" else kind_of(name)
            magics.append(CellMagic(name, match[2].strip(), body, first_line, kind))
        return tuple(magics)

    @property
    def tune_magic(self) -> CellMagic | None:
        """The `%%tune` that it starts with, if it does; above may be what runs it: `%%time`."""
        return next((magic for magic in self.magics if magic.name == "tune"), None)

    @property
    def kind(self) -> MagicKind:
        """`CODE` where it runs as Python, else what the magic is that takes its text."""
        return self.magics[-1].kind if self.magics else MagicKind.CODE

    @property
    def magic_names(self) -> list[str]:
        """The names that its cell magics assign, those of the innermost first."""
        return [
            name
            for magic in reversed(self.magics)
            for name in bound_names(magic.name, magic.arguments)
        ]

    @property
    def tree(self) -> ast.Module | SyntaxError:
        """The syntax tree of what stands below its cell magics, or why it cannot run."""
        return self._python[1]

    @property
    def python(self) -> str:
        """The text of its tree, each line where it is in the source."""
        return self._python[0]

    @cached_property
    def comments(self) -> list[tokenize.TokenInfo]:
        """The comments of a cell that has a tree."""
        tokens = tokenize.generate_tokens(io.StringIO(self.python).readline)
        return [token for token in tokens if token.type == tokenize.COMMENT]

    def in_trial(self, changed: Mapping[int, str] = MappingProxyType({})) -> str:
        """Its source in a trial, where `%load_ext hpo_lab` and `%hpo ...` are turned off.

        So are the installs of packages, unless the cell is tagged `tune-keep`.

        Args:
            changed: What to write on other lines, by their number.
        """
        texts = {**self._magics_off(), **changed}
        if self.runs_tuned and (magic := self.tune_magic):
            texts[magic.first_line - 1] = f"# {self.lines[magic.first_line - 2].strip()}"
        if not texts:
            return self.source
        lines = self.lines.copy()
        for number, text in texts.items():
            line = lines[number - 1]
            # The indentation stays: IPython takes that of the first line from all lines.
            lines[number - 1] = line[: len(line) - len(line.lstrip())] + text
        return "\n".join(lines)

    def _magics_off(self) -> dict[int, str]:
        if not _MAY_BE_OFF.search(self.source) or isinstance(self.tree, SyntaxError):
            return {}
        texts: dict[int, str] = {}
        for node in ast.walk(self.tree):
            if not isinstance(node, ast.Call) or (magic := magic_call(node)) is None:
                continue
            if is_own_magic(*magic) or (KEEP_TAG not in self.tags and is_install(*magic)):
                number = node.lineno
                texts[number] = f"pass  # {self.lines[number - 1].strip()}".rstrip("\\")
                while number < len(self.lines) and self.lines[number - 1].endswith("\\"):
                    number += 1
                    texts[number] = f"# {self.lines[number - 1].strip()}"
        return texts

    @cached_property
    def lines(self) -> list[str]:
        """The lines of its source."""
        return self.source.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    @cached_property
    def _python(self) -> tuple[str, ast.Module | SyntaxError]:
        """The cell as Python, its lines where they were, and the tree of that."""
        lines = self.lines.copy()
        for magic in self.magics:
            lines[magic.first_line - 2] = ""
        python = "\n".join(lines)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a warning about the user's code is not ours to give
            try:
                try:
                    tree = ast.parse(python)
                except (SyntaxError, ValueError, RecursionError, MemoryError):
                    python = _without_ipython(python)
                    tree = ast.parse(python)
                # What only the compiler finds, such as `return` outside a function.
                compile(tree, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
            except SyntaxError as error:
                return python, error.with_traceback(None)
            except (ValueError, RecursionError, MemoryError) as error:
                return python, SyntaxError(str(error) or "too deeply nested")
        return python, tree


@lru_cache(maxsize=64)
def magic_argument(text: str) -> ParsedCell:
    """The text of a line magic that runs it as Python: `x = f()` of `%time x = f()`."""
    return ParsedCell(text)


def magic_call(node: ast.Call) -> tuple[str, str] | None:
    """The magic or shell command that *node* runs, as name and text.

    The name of a shell command is `!`, or `!!` where its output is the value of an expression.
    """
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython")), attr=method),
            args=[*arguments],
        ) if method in _MAGIC_CALLS:
            texts = [str(a.value) for a in arguments if isinstance(a, ast.Constant)]
            if method.startswith("run_"):
                return (texts[0], texts[-1] if len(texts) > 1 else "") if texts else None
            return "!!" if method == "getoutput" else "!", texts[0] if texts else ""
    return None


def is_own_magic(name: str, arguments: str) -> bool:
    """Whether a magic is of this package, and has no place in a trial."""
    loads = name in ("load_ext", "reload_ext") and arguments.split()[:1] == ["hpo_lab"]
    return loads or name in _OWN_MAGICS


def _without_ipython(source: str) -> str:
    """*source* with IPython's syntax turned into calls and the number of lines kept.

    Raises:
        SyntaxError: IPython cannot make Python of it.
    """
    # IPython takes 0.2 s to import, and most cells have no magics.
    from IPython.core.inputtransformer2 import TransformerManager

    text = source.strip()
    if "\n" not in text and _AUTOMAGIC.intersection(text.split(maxsplit=1)[:1]):
        source = source.replace(text, f"%{text}", 1)
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
