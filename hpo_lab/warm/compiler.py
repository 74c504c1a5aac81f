"""Cells that are compiled before they run."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, cast

from ipykernel.compiler import XCachingCompiler

__all__ = ["Compiler"]


@dataclass(slots=True)
class _Cell:
    name: str
    transformed: str
    tree: ast.Module | None
    codes: dict[tuple[int, str], CodeType] = field(default_factory=dict)
    """By the identity of a statement of *tree*, and how it is run."""


class Compiler(XCachingCompiler):
    """The kernel's compiler; it remembers cells that it was shown beforehand.

    A fork that runs such a cell neither transforms nor parses nor compiles it, nor computes
    the hash by which the kernel names it in tracebacks.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._cells: dict[str, _Cell] = {}
        self._current: _Cell | None = None

    def foresee(self, source: str, shell: Any) -> None:
        """Compile a cell that *shell* may run later.

        One that has something to say when it is compiled, an error or a warning, says it when
        it runs.

        Args:
            source: The cell, without `await` and imports from `__future__`.
            shell: The shell whose compiler this is.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                self._cells[source] = self._compiled(source, shell)
            except Exception:
                return

    def _compiled(self, source: str, shell: Any) -> _Cell:
        transformed = shell.transform_cell(source)
        name = self.get_code_name(source, transformed, 0)
        if shell.ast_transformers:
            return _Cell(name, transformed, None)
        tree = cast(ast.Module, super().ast_parse(transformed, filename=name))
        cell = _Cell(name, transformed, tree)
        *first, last = tree.body
        with self.extra_flags(ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if shell.autoawait else 0):
            for node in first:
                cell.codes[id(node), "exec"] = self(ast.Module([node], []), name, "exec")
            if isinstance(last, ast.Expr):
                cell.codes[id(last), "single"] = self(ast.Interactive([last]), name, "single")
            else:
                cell.codes[id(last), "exec"] = self(ast.Module([last], []), name, "exec")
        return cell

    def transformed(self, source: str) -> str | None:
        """The cell *source* as plain Python, if it was foreseen."""
        self._current = self._cells.get(source)
        return self._current.transformed if self._current else None

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        """The name of a cell in tracebacks and warnings."""
        known = self._cells.get(raw_code)
        if known:
            return known.name
        return str(super().get_code_name(raw_code, transformed_code, number))  # type: ignore[no-untyped-call]

    def ast_parse(self, source: str, filename: str = "<unknown>", symbol: str = "exec") -> ast.AST:
        """Parse a cell, as `ast.parse` does."""
        cell = self._current
        if cell is not None and cell.tree is not None and source == cell.transformed:
            return cell.tree
        parsed: ast.AST = super().ast_parse(source, filename, symbol)
        return parsed

    def __call__(self, source: Any, filename: str, symbol: str, **options: Any) -> CodeType:
        """Compile a statement, as `codeop.Compile` does."""
        if self._current is not None and isinstance(source, ast.Module | ast.Interactive):
            code = self._current.codes.get((id(source.body[0]), symbol))
            if code is not None:
                return code
        compiled: CodeType = super().__call__(source, filename, symbol, **options)
        return compiled
