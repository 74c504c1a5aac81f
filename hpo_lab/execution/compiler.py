"""Cells that are compiled before they run."""

from __future__ import annotations

import ast
import inspect
import warnings
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, cast

from ipykernel.compiler import XCachingCompiler

__all__ = ["Compiler"]


@dataclass(slots=True)
class _Cell:
    transformed: str
    tree: ast.Module
    rules: tuple[Any, ...]
    """What the shell made of any cell at that time depended on these."""
    codes: dict[tuple[int, str], CodeType] = field(default_factory=dict)
    """By the identity of a statement of *tree*, and how it is run."""


class Compiler(XCachingCompiler):
    """The kernel's compiler; it remembers cells that it was shown beforehand.

    A fork that runs such a cell neither transforms nor parses nor compiles it, nor computes
    the hash by which the kernel names it in tracebacks.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._names: dict[str, str] = {}
        self._cells: dict[str, _Cell] = {}
        self._current: _Cell | None = None

    def name(self, source: str) -> None:
        """Compute the name of a cell."""
        self._names[source] = self.get_code_name(source, source, 0)

    def foresee(self, source: str, shell: Any) -> None:
        """Compile a cell that *shell* may run later.

        A cell that gives an error or a warning when it is compiled, or that waits, is compiled
        when it runs.

        Args:
            source: The cell, without imports from `__future__`.
            shell: The shell whose compiler this is.
        """
        said: list[object] = []
        show = warnings.showwarning
        # Not by `catch_warnings`, after which every module repeats its warnings.
        warnings.showwarning = lambda *message, **options: said.append(message)
        try:
            cell = self._compiled(source, shell)
        except Exception:
            return
        finally:
            warnings.showwarning = show
        waits = any(code.co_flags & inspect.CO_COROUTINE for code in cell.codes.values())
        if not said and not waits:
            self._cells[source] = cell

    def _compiled(self, source: str, shell: Any) -> _Cell:
        transformed = shell.transform_cell(source)
        name = self.get_code_name(source, transformed, 0)
        tree = cast(ast.Module, super().ast_parse(transformed, filename=name))
        cell = _Cell(transformed, tree, _rules(shell))
        *first, last = tree.body
        with self.extra_flags(ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if shell.autoawait else 0):
            for node in first:
                cell.codes[id(node), "exec"] = self(ast.Module([node], []), name, "exec")
            if isinstance(last, ast.Expr):
                cell.codes[id(last), "single"] = self(ast.Interactive([last]), name, "single")
            else:
                cell.codes[id(last), "exec"] = self(ast.Module([last], []), name, "exec")
        return cell

    def transformed(self, source: str, shell: Any) -> str | None:
        """The cell *source* as plain Python, if it was foreseen and nothing has changed that."""
        self._current = None
        cell = self._cells.get(source)
        if cell is None or shell.ast_transformers or cell.rules != _rules(shell):
            return None
        # A line by itself may be a magic or an alias, unless there is a variable of that name.
        if "\n" not in source.strip() and _transformed(source, shell) != cell.transformed:
            return None
        self._current = cell
        return cell.transformed

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        """The name of a cell in tracebacks and warnings."""
        name = self._names.get(raw_code)
        if name:
            return name
        return str(super().get_code_name(raw_code, transformed_code, number))  # type: ignore[no-untyped-call]

    def ast_parse(self, source: str, filename: str = "<unknown>", symbol: str = "exec") -> ast.AST:
        """Parse a cell, as `ast.parse` does."""
        if self._current is not None and source == self._current.transformed:
            return self._current.tree
        parsed: ast.AST = super().ast_parse(source, filename, symbol)
        return parsed

    def __call__(self, source: Any, filename: str, symbol: str, **options: Any) -> CodeType:
        """Compile a statement, as `codeop.Compile` does."""
        if (
            self._current is not None
            and isinstance(source, ast.Module | ast.Interactive)
            and source.body
        ):
            code = self._current.codes.get((id(source.body[0]), symbol))
            if code is not None:
                return code
        compiled: CodeType = super().__call__(source, filename, symbol, **options)
        return compiled


def _transformed(source: str, shell: Any) -> str | None:
    try:
        return str(shell.transform_cell(source))
    except Exception:
        return None


def _rules(shell: Any) -> tuple[Any, ...]:
    transforms = shell.input_transformer_manager
    return (
        *(tuple(each) for each in (transforms.cleanup_transforms, transforms.line_transforms)),
        *(tuple(each) for each in (transforms.token_transformers, shell.input_transformers_post)),
        *(shell.automagic, shell.autocall, shell.autoawait, shell.ast_node_interactivity),
    )
