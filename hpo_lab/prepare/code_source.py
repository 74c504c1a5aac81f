"""From the code of a function in memory to its syntax tree, and to the names that it uses."""

from __future__ import annotations
import __future__

import ast
import dis
import linecache
from collections.abc import Iterator, Set
from functools import lru_cache
from types import CodeType
from typing import Any

from hpo_lab.notebook.source_meaning import READ, meaning, names_that_read

__all__ = ["code_meaning", "code_node", "imported_names", "read_names", "used_names"]

_FUTURE = 0
for _name in __future__.all_feature_names:
    _FUTURE |= getattr(__future__, _name).compiler_flag
_GLOBAL = {"LOAD_GLOBAL", "LOAD_NAME"}

Node = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def code_meaning(code: CodeType, node: Node | None, read: Set[str] = frozenset()) -> str:
    """A text that is equal for functions of equal code, whose defaults are left out.

    Args:
        code: The code.
        node: What `code_node` gives for it; without, the text is made of *code*, and then
            differs between versions of Python.
        read: As of `meaning`.
    """
    if node is None:
        return repr(_essence(code))
    # The defaults count by their values.
    node.args.defaults = [ast.Constant(...) for _ in node.args.defaults]
    node.args.kw_defaults = [each and ast.Constant(...) for each in node.args.kw_defaults]
    return meaning(node, read=read)


def read_names(code: CodeType, node: Node | None) -> set[str]:
    """The names by which *code* may read other code, as of `names_that_read`."""
    if node is not None:
        return names_that_read(node)
    names = {name for each in _codes(code) for name in each.co_names}
    texts = {text for each in _codes(code) for text in each.co_consts if isinstance(text, str)}
    return READ & (names | texts)


def used_names(code: CodeType) -> list[str]:
    """The names that *code*, and the code in it, looks for outside of functions."""
    names = [
        instruction.argval
        for each in _codes(code)
        for instruction in dis.get_instructions(each)
        if instruction.opname in _GLOBAL
    ]
    return list(dict.fromkeys(names))


def imported_names(code: CodeType, package: str) -> list[str]:
    """The modules, and what may be modules, that *code* and the code in it imports.

    Args:
        code: The code.
        package: What its relative imports are relative to.
    """
    names = []
    for each in _codes(code):
        before: list[Any] = [None, None]
        for instruction in dis.get_instructions(each):
            if instruction.opname == "IMPORT_NAME":
                level, members = before
                base = instruction.argval
                if level:
                    parts = package.split(".")
                    parts = parts[: len(parts) - level + 1]
                    base = ".".join([*parts, base] if base else parts)
                names += [base, *(f"{base}.{member}" for member in members or ())]
            before = [before[1], instruction.argval]
    return names


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _essence(code: CodeType) -> tuple[object, ...]:
    """What *code* does, wherever it was written."""
    return (
        code.co_name,
        code.co_code,
        code.co_exceptiontable,
        code.co_flags,
        (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount),
        (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars),
        tuple(map(_constant, code.co_consts)),
    )


def _constant(value: object) -> object:
    if isinstance(value, CodeType):
        return _essence(value)
    if isinstance(value, frozenset):
        return "frozenset", sorted(map(repr, value))
    if isinstance(value, tuple):
        return tuple(map(_constant, value))
    return repr(value)


def code_node(code: CodeType) -> Node | None:
    """A copy of the syntax tree of *code*, None where its source is not there or has changed."""
    source = "".join(linecache.getlines(code.co_filename))
    compiled = _compiled(source, code.co_flags & _FUTURE)
    same = [each for each in compiled if _essence(each) == _essence(code)]
    if not same:
        return None
    twin = min(same, key=lambda each: abs(each.co_firstlineno - code.co_firstlineno))
    nodes = [node for node in ast.walk(ast.parse(source)) if _may_be(node, twin)]
    # Of lambdas within lambdas the innermost that has all of the code.
    return min(nodes, key=lambda node: len(ast.unparse(node)), default=None)  # type: ignore[return-value]


@lru_cache(maxsize=256)
def _compiled(source: str, flags: int) -> tuple[CodeType, ...]:
    """The code of all functions in *source*."""
    try:
        module = compile(
            source,
            "<source>",
            "exec",
            flags=flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
            dont_inherit=True,
        )
    except (SyntaxError, ValueError):
        return ()
    return tuple(_codes(module))[1:]


def _may_be(node: ast.AST, code: CodeType) -> bool:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        first = min(each.lineno for each in [node, *node.decorator_list])
        return (node.name, first) == (code.co_name, code.co_firstlineno)
    if not isinstance(node, ast.Lambda) or code.co_name != "<lambda>":
        return False
    if node.lineno != code.co_firstlineno:
        return False
    body = node.body
    start, end = (body.lineno, body.col_offset), (body.end_lineno, body.end_col_offset)
    spans = [
        ((line, column), (last, end_column))
        for line, last, column, end_column in code.co_positions()
        if None not in (line, last, column, end_column) and (line, column) != (last, end_column)
    ]
    return bool(spans) and all(start <= first and last <= end for first, last in spans)
