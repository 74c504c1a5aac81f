"""When a conditional parameter takes part in a trial.

A condition is a small subset of Python over the values of other parameters, such as
`opt == "sgd"`, `1 < depth <= 4` or `not bias and opt in ("sgd", "adam")`. It is parsed to
a syntax tree and interpreted; nothing is ever evaluated as code.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from hpo_lab.experiment.model import Parameter, Value
from hpo_lab.problems import nearest

__all__ = ["ParameterCondition", "order"]

_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda value, values: value in values,
    ast.NotIn: lambda value, values: value not in values,
}
_MEMBERSHIP = (ast.In, ast.NotIn)
_GRAMMAR = (
    "a condition compares parameters and literals by ==, !=, <, <=, >, >=, in, not in "
    "and joins comparisons by and, or, not"
)


@dataclass(frozen=True)
class ParameterCondition:
    """A parsed condition.

    Attributes:
        text: The condition as it was written.
        names: The parameters it reads.
    """

    text: str
    names: frozenset[str]
    _tree: ast.expr = field(repr=False, compare=False)

    @staticmethod
    def parse(text: str) -> ParameterCondition:
        """Parse *text*.

        Raises:
            ValueError: *text* is no condition; the message names what is not allowed.
        """
        return _parse(text)

    def compared_with(self, name: str) -> list[int | float] | None:
        """The numbers with which the parameter *name* is compared.

        Between two neighbours of these numbers all values of *name* make the condition as true.

        Returns:
            None where *name* is compared with another parameter.
        """
        return _numbers(self._tree, name)

    def holds(self, assignments: Mapping[str, Value]) -> bool:
        """Whether the condition is true of *assignments*.

        A comparison is neither true nor false when it reads an unassigned (inactive)
        parameter, or when its values have no order. A condition whose value is neither does
        not hold.
        """
        return _truth(self._tree, assignments) is True


def order(parameters: Sequence[Parameter]) -> tuple[Parameter, ...]:
    """*parameters*, each behind the parameters that its condition names, else in their order.

    Raises:
        ValueError: A condition is malformed, names an unknown parameter, or conditions
            depend on each other in a cycle.
    """
    names = [parameter.name for parameter in parameters]
    needs = {
        parameter.name: ParameterCondition.parse(parameter.when).names
        if parameter.when
        else frozenset()
        for parameter in parameters
    }
    for name, needed in needs.items():
        for unknown in sorted(needed - set(names)):
            raise ValueError(
                f"the condition of {name!r} names {unknown!r}, which is no parameter"
                + nearest(unknown, names)
            )
    ordered: list[Parameter] = []
    placed: set[str] = set()
    waiting = list(parameters)
    while waiting:
        ready = next((p for p in waiting if needs[p.name] <= placed), None)
        if ready is None:
            raise ValueError(f"conditions depend on each other: {_cycle(waiting, needs)}")
        waiting.remove(ready)
        ordered.append(ready)
        placed.add(ready.name)
    return tuple(ordered)


def _cycle(waiting: Sequence[Parameter], needs: Mapping[str, frozenset[str]]) -> str:
    """A cycle among *waiting*; each of these parameters needs another of them."""
    unplaced = {parameter.name for parameter in waiting}
    path = [waiting[0].name]
    while path[-1] not in path[:-1]:
        path.append(min(needs[path[-1]] & unplaced))
    return " -> ".join(repr(name) for name in path[path.index(path[-1]) :])


@lru_cache(maxsize=1024)
def _parse(text: str) -> ParameterCondition:
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        names = frozenset(_logic_names(tree))
    except (SyntaxError, ValueError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else error
        raise ValueError(f"{text!r} is no condition: {reason}; {_GRAMMAR}") from None
    except _NotAllowed as error:
        raise ValueError(f"{text!r}: {error} is not allowed; {_GRAMMAR}") from None
    except (RecursionError, MemoryError):
        raise ValueError("the condition is nested too deeply") from None
    return ParameterCondition(text, names, tree)


class _NotAllowed(Exception):
    """A construct outside the subset; its message quotes the user's text."""

    def __init__(self, node: ast.AST) -> None:
        super().__init__(f"`{ast.unparse(node)}`")


def _logic_names(node: ast.expr) -> set[str]:
    """The names that a logical expression reads; `_NotAllowed` where it leaves the subset."""
    match node:
        case ast.BoolOp(values=parts):
            return set().union(*(_logic_names(part) for part in parts))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _logic_names(operand)
        case ast.Compare(left=left, ops=operators, comparators=operands):
            names = _operand_names(left)
            for op, operand in zip(operators, operands, strict=True):
                if type(op) not in _COMPARISONS:
                    raise _NotAllowed(node)
                if isinstance(op, _MEMBERSHIP):
                    _check_values(operand)
                else:
                    names |= _operand_names(operand)
            return names
        case _:
            return _operand_names(node)


def _operand_names(node: ast.expr) -> set[str]:
    if isinstance(node, ast.Name):
        return {node.id}
    if not _is_literal(node):
        raise _NotAllowed(node)
    return set()


def _check_values(node: ast.expr) -> None:
    if not isinstance(node, ast.Tuple | ast.List | ast.Set):
        raise _NotAllowed(node)
    for element in node.elts:
        if not _is_literal(element):
            raise _NotAllowed(element)


def _is_literal(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=value):
            return value is None or isinstance(value, bool | int | float | str)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=ast.Constant(value=value)):
            return isinstance(value, int | float) and not isinstance(value, bool)
    return False


def _numbers(node: ast.expr, name: str) -> list[int | float] | None:
    match node:
        case ast.BoolOp(values=parts):
            listed = [_numbers(part, name) for part in parts]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _numbers(operand, name)
        case ast.Compare(left=left, comparators=operands):
            sides = [left, *operands]
            if not any(isinstance(side, ast.Name) and side.id == name for side in sides):
                return []
            if any(isinstance(side, ast.Name) and side.id != name for side in sides):
                return None
            listed = [_literal_numbers(side) for side in sides]
        case _:
            # By itself it is true unless it is 0.
            return [0]
    return None if None in listed else [number for part in listed if part for number in part]


def _literal_numbers(node: ast.expr) -> list[int | float]:
    if isinstance(node, ast.Name):
        return []
    value = ast.literal_eval(node)
    values = value if isinstance(value, tuple | list | set) else [value]
    return [each for each in values if isinstance(each, int | float)]


def _truth(node: ast.expr, assignments: Mapping[str, Value]) -> bool | None:
    """The truth of *node* in Kleene's three-valued logic; None is the third value."""
    match node:
        case ast.BoolOp(op=op, values=parts):
            truths = [_truth(part, assignments) for part in parts]
            decisive = isinstance(op, ast.Or)
            if decisive in truths:
                return decisive
            return None if None in truths else not decisive
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            truth = _truth(operand, assignments)
            return None if truth is None else not truth
        case ast.Compare(left=left, ops=operators, comparators=operands):
            truths = [
                _compare(first, op, second, assignments)
                for first, op, second in zip([left, *operands], operators, operands, strict=False)
            ]
            if False in truths:
                return False
            return None if None in truths else True
        case ast.Name(id=name) if name not in assignments:
            return None
        case _:
            return bool(_value(node, assignments))


def _compare(
    first: ast.expr, op: ast.cmpop, second: ast.expr, assignments: Mapping[str, Value]
) -> bool | None:
    try:
        return _COMPARISONS[type(op)](_value(first, assignments), _value(second, assignments))
    except (KeyError, TypeError):
        return None


def _value(node: ast.expr, assignments: Mapping[str, Value]) -> Any:
    """The value of a name or a literal; KeyError where a name is not assigned."""
    return assignments[node.id] if isinstance(node, ast.Name) else ast.literal_eval(node)
