"""Search-space annotations: comments behind the assignments of a tuned cell.

::

    lr = 0.01        # tune: loguniform(1e-4, 1e-1)
    layers = 2       # tune: int(1, 4)
    opt = "adam"     # tune: choice("adam", "sgd")
    momentum = 0.9   # tune: uniform(0.5, 0.99, step=0.01) when opt == "sgd"

The cell stays ordinary Python: the literal is the default, and without the comment
nothing changes. Comments are read off tokens and assignments off the syntax tree, so that a
`#` in a string is just a `#`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from tokenize import TokenInfo
from types import EllipsisType

from hpo_lab.experiment.condition import ParameterCondition
from hpo_lab.experiment.model import Parameter, ParameterType, Value
from hpo_lab.experiment.space import DOMAINS, contains
from hpo_lab.notebook.annotation_text import ANNOTATION, FORM, read_parameter, split_when
from hpo_lab.notebook.names import names_bound, stored
from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.problems import InvalidInput, Problem, nearest

__all__ = [
    "Annotation",
    "LineProblem",
    "is_nearly_right",
    "literal_of",
    "parse_annotations",
    "parse_parameter",
    "plain_assignments",
    "read_annotations",
]

LineProblem = tuple[int, str]
"""The line of the cell, and what is wrong there."""
_NEARLY = re.compile(r"#+\s*(tun\w*|hpo)\s*[:=]?\s*(\w*)(\s*\()?", re.IGNORECASE)
_INSIDE = re.compile(r"\btune\s*:\s*(\w+)\s*\(")


@dataclass(frozen=True, slots=True)
class Annotation:
    """An annotated assignment.

    Attributes:
        name: The variable.
        default: The literal assigned to it.
        parameter: What the search may assign instead.
        line: The line of the cell on which the comment stands, counted from `first_line`.
        text: The comment behind `# tune:`.
        assignment: The lines of the assignment in the source below `%%tune`, counted from 1.
    """

    name: str
    default: Value
    parameter: Parameter
    line: int
    text: str
    assignment: range


def parse_annotations(
    tuned: ParsedCell, *, where: str = "cell", first_line: int = 1
) -> tuple[Annotation, ...]:
    """Read the annotations of a tuned cell.

    Args:
        tuned: The cell without its `%%tune` line; magics are allowed.
        where: What to call the cell in messages.
        first_line: The number in the cell of the first line of *tuned*, 2 below `%%tune`.

    Returns:
        The annotations in the order of their lines; empty when there are none.

    Raises:
        InvalidInput: Some annotations cannot be used; every reason is listed.
    """
    annotations, problems = read_annotations(tuned, first_line=first_line)
    if problems:
        raise InvalidInput([Problem(f"{where}, line {line}", text) for line, text in problems])
    return annotations


def read_annotations(
    tuned: ParsedCell, *, first_line: int = 1
) -> tuple[tuple[Annotation, ...], list[LineProblem]]:
    """The annotations of a tuned cell that can be used, and every problem with its line.

    The arguments are those of `parse_annotations`.
    """
    offset = first_line - 1
    tree = tuned.tree
    if isinstance(tree, SyntaxError):
        return (), [((tree.lineno or 1) + offset, f"the cell is no valid Python: {tree.msg}")]
    problems: list[LineProblem] = []
    annotations: list[Annotation] = []
    assignments: list[tuple[str, ast.stmt]] = []
    for comment in tuned.comments:
        line, text = comment.start[0] + offset, comment.string
        match = ANNOTATION.fullmatch(text)
        is_alone = not comment.line[: comment.start[1]].strip()
        if match is not None and is_alone and match["before"]:
            # An assignment that is out of use.
            continue
        if match is None:
            if is_nearly_right(text, is_alone):
                message = f"found {text!r}; write it as `# tune: loguniform(1e-4, 1e-1)`"
                problems.append((line, message))
            continue
        statement = _annotated_statement(tree, comment)
        if isinstance(statement, str):
            problems.append((line, statement))
            continue
        assignments.append((_target(statement), statement))
        annotation = _annotation(statement, match["text"].strip(), line)
        if isinstance(annotation, Annotation):
            annotations.append(annotation)
        else:
            problems += ((line, message) for message in annotation)
    problems += _name_problems(tree, assignments, offset)
    problems += _condition_problems(annotations, [name for name, _ in assignments])
    problems.sort(key=itemgetter(0))
    return tuple(annotations), problems


def is_nearly_right(comment: str, is_alone: bool) -> bool:
    """Whether *comment*, which may be alone on its line, seems to be meant as an annotation."""
    if not is_alone:
        inside = _INSIDE.search(comment)
        parts = [f"#{part}" for part in comment.lstrip("#").split("#")]
        if any(is_nearly_right(part, True) for part in parts):
            return True
        return inside is not None and inside[1] in DOMAINS
    nearly = _NEARLY.match(comment)
    if nearly is None:
        return False
    is_domain = nearly[2] in DOMAINS or bool(nearest(nearly[2], list(DOMAINS)))
    has_colon = nearly[1].lower() == "tune" and ":" in nearly[0]
    return has_colon or (bool(nearly[3]) and is_domain)


def _end(statement: ast.stmt) -> int:
    return statement.end_lineno or statement.lineno


def _target(statement: ast.Assign | ast.AnnAssign) -> str:
    target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
    assert isinstance(target, ast.Name)
    return target.id


def _annotated_statement(tree: ast.Module, comment: TokenInfo) -> ast.Assign | ast.AnnAssign | str:
    """The assignment that *comment* stands behind, or what is wrong instead."""
    line, column = comment.start
    on_line = [node for node in tree.body if node.lineno <= line <= _end(node)]
    alone = not comment.line[:column].strip()
    if alone and not any(_is_inside(node, line) for node in on_line):
        return f"`# tune:` stands on a line of its own; write it behind a value: `{FORM}`"
    if len(on_line) != 1:
        return f"several statements on one line; write the assignment on its own: `{FORM}`"
    statement = on_line[0]
    if not isinstance(statement, ast.Assign | ast.AnnAssign):
        if isinstance(getattr(statement, "body", None), list):
            return (
                "`# tune:` inside a block; only assignments at the left margin of the cell "
                "can be tuned"
            )
        return f"`# tune:` stands behind something that is no assignment; write `{FORM}`"
    if _shares_lines(tree, statement):
        return f"several statements on one line; write the assignment on its own: `{FORM}`"
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    if len(targets) != 1 or not isinstance(targets[0], ast.Name):
        shown = " = ".join(ast.unparse(target) for target in targets)
        return f"`# tune:` needs one plain name to assign to, not `{shown}`"
    return statement


def _is_inside(statement: ast.stmt, line: int) -> bool:
    """Whether *line* is a later line of an assignment that spans several."""
    return isinstance(statement, ast.Assign | ast.AnnAssign) and line > statement.lineno


def _shares_lines(tree: ast.Module, statement: ast.stmt) -> bool:
    return any(
        other is not statement
        and other.lineno <= _end(statement)
        and _end(other) >= statement.lineno
        for other in tree.body
    )


def _annotation(
    statement: ast.Assign | ast.AnnAssign, text: str, line: int
) -> Annotation | list[str]:
    """The annotation *text* of *statement*, or what is wrong with it."""
    name = _target(statement)
    problems = []
    literal = literal_of(statement)
    default = None if literal is ... else literal
    if literal is ...:
        shown = f"{name} = {ast.unparse(statement.value)}" if statement.value else name
        problems.append(
            f"`{shown}` is tuned; its value must be a number, a string, True, False or None"
        )
    parameter = read_parameter(name, text)
    if not isinstance(parameter, Parameter):
        problems += parameter
    elif not problems and not contains(parameter, default):
        expression = split_when(text)[0]
        kind = ", which takes whole numbers" if _is_float_for_int(parameter, default) else ""
        problems.append(f"{name} = {default!r} is outside its own range {expression}{kind}")
    if problems or not isinstance(parameter, Parameter):
        return problems
    lines = range(statement.lineno, _end(statement) + 1)
    return Annotation(name, default, parameter, line, text, lines)


def literal_of(statement: ast.Assign | ast.AnnAssign) -> Value | EllipsisType:
    """The number, text, truth value or None that is assigned; `...` where it is something else."""
    try:
        literal = ast.literal_eval(statement.value or ast.Constant(...))
    except (ValueError, TypeError):
        return ...
    is_plain = literal is None or isinstance(literal, bool | int | float | str)
    return literal if is_plain else ...


def plain_assignments(tree: ast.Module) -> Iterator[tuple[str, ast.Assign | ast.AnnAssign]]:
    """The assignments to one plain name that share their lines with no other statement."""
    for statement in tree.body:
        if not isinstance(statement, ast.Assign | ast.AnnAssign):
            continue
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        first, *others = targets
        if isinstance(first, ast.Name) and not others and not _shares_lines(tree, statement):
            yield first.id, statement


def _is_float_for_int(parameter: Parameter, default: Value) -> bool:
    return parameter.parameter_type is ParameterType.INT and isinstance(default, float)


def parse_parameter(name: str, text: str) -> Parameter:
    """The parameter *name* over what an annotation says, `loguniform(1e-4, 1e-1)`.

    Raises:
        ValueError: *text* is no annotation; the message has every reason.
    """
    parameter = read_parameter(name, text)
    if isinstance(parameter, list):
        raise ValueError("; ".join(parameter))
    return parameter


def _name_problems(
    tree: ast.Module, assignments: Sequence[tuple[str, ast.stmt]], offset: int
) -> Iterator[LineProblem]:
    """Names annotated twice, and names whose value from the trial would be overwritten."""
    lines: dict[str, int] = {}
    for name, statement in assignments:
        line = _end(statement) + offset
        if name in lines:
            yield line, f"{name} is annotated twice, first on line {lines[name]}"
        lines.setdefault(name, line)
    annotated = [statement for _, statement in assignments]
    for statement in tree.body:
        if statement in annotated:
            continue
        for name in names_bound([statement]):
            if name not in lines:
                continue
            line = statement.lineno + offset
            if line < lines[name] or _overwrites(statement, name):
                message = f"{name} is tuned on line {lines[name]} and assigned again here, which"
                yield line, f"{message} would overwrite the value of the trial; rename one of them"


def _overwrites(statement: ast.stmt, name: str) -> bool:
    """Whether *statement* binds *name* for certain, and not from its old value."""
    match statement:
        case ast.For(target=target) | ast.AsyncFor(target=target):
            return name in stored(target)
        case ast.If() | ast.While() | ast.Try() | ast.TryStar() | ast.Match():
            return False  # a schedule that changes the value as the training goes on
        case ast.AugAssign():
            return False
        case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
            return name not in {n.id for n in ast.walk(value) if isinstance(n, ast.Name)}
    return True


def _condition_problems(
    annotations: Sequence[Annotation], names: Sequence[str]
) -> Iterator[LineProblem]:
    """Conditions on unknown parameters, on the parameter itself, or on each other."""
    needs = {
        a.name: ParameterCondition.parse(a.parameter.when).names
        for a in annotations
        if a.parameter.when is not None
    }
    for annotation in annotations:
        line, name = annotation.line, annotation.name
        condition = f"`when {annotation.parameter.when}`"
        for other in sorted(needs.get(name, ())):
            if other not in names:
                close = nearest(other, names)
                yield line, f"{condition}: no parameter is named {other!r}{close}"
            elif other == name:
                yield line, f"{condition}: {name} cannot depend on itself"
            elif name in _reachable(other, needs):
                yield line, f"{condition}: {name} and {other} need each other"


def _reachable(start: str, needs: Mapping[str, frozenset[str]]) -> set[str]:
    seen: set[str] = set()
    pending = {start}
    while pending:
        name = pending.pop()
        seen.add(name)
        pending |= needs.get(name, frozenset()) - seen
    return seen
