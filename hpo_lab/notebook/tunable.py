"""What of a cell can be tuned and measured, and writing annotations behind its values."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from hpo_lab.experiment.model import Value
from hpo_lab.notebook.annotation_text import ANNOTATION, split_comment, split_when
from hpo_lab.notebook.annotations import is_nearly_right, literal_of, plain_assignments
from hpo_lab.notebook.names import names_bound
from hpo_lab.notebook.parsed_cell import ParsedCell

__all__ = ["Tunable", "Words", "annotated", "metric_names", "suggestion", "tunables", "words_of"]

_RATES = re.compile(r"(^|_)(lr|learning_rate|eta|weight_decay|decay|alpha|reg|lambda_|l1|l2)(_|$)")
_FACTOR = 100


@dataclass(frozen=True, slots=True)
class Tunable:
    """An assignment of a literal, behind which an annotation may stand.

    Attributes:
        name: The variable.
        value: The literal.
        first, last: Its lines, counted from 1.
        annotation: The annotation that it has, empty for none.
    """

    name: str
    value: Value
    first: int
    last: int
    annotation: str


@dataclass(frozen=True, slots=True)
class Words:
    """An annotation in parts, as a form shows them: `int(1, 9, step=2) when kind == "a"`.

    Attributes:
        word: The distribution.
        arguments: As they are written.
        step: As it is written, empty for none.
        when: The condition, empty for none.
    """

    word: str
    arguments: tuple[str, ...]
    step: str
    when: str


def tunables(cell: ParsedCell) -> list[Tunable]:
    """The assignments of *cell* that can be annotated, in their order; none of a wrong cell."""
    if isinstance(cell.tree, SyntaxError):
        return []
    comments = {comment.start[0]: comment.string for comment in cell.comments}
    values = []
    for name, statement in plain_assignments(cell.tree):
        value = literal_of(statement)
        # No parameter takes a number that is not finite.
        if value is ... or (isinstance(value, float) and not math.isfinite(value)):
            continue
        last = statement.end_lineno or statement.lineno
        match = ANNOTATION.fullmatch(comments.get(last, ""))
        text = split_comment(match["text"])[0] if match else ""
        values.append(Tunable(name, value, statement.lineno, last, text))
    return values


def metric_names(cell: ParsedCell) -> list[str]:
    """What *cell* may be measured by: what it reports, then its variables, the last one first."""
    if isinstance(cell.tree, SyntaxError):
        return []
    reported = [
        keyword.arg
        for call in ast.walk(cell.tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func).split(".")[-1] == "report"
        for keyword in call.keywords
        if keyword.arg and keyword.arg != "step"
    ]
    annotated_names = {each.name for each in tunables(cell) if each.annotation}
    bound = [
        name
        for statement in reversed(cell.tree.body)
        if not isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom)
        for name in names_bound([statement])
    ]
    names = dict.fromkeys([*reported, *bound])
    return [name for name in names if name not in annotated_names and not name.startswith("_")]


def annotated(cell: ParsedCell, line: int, text: str) -> str:
    """The source of *cell* with the annotation *text* behind the assignment that ends on *line*.

    It takes the place of an annotation that stands there; other comments stay. An empty *text*
    takes the annotation away.
    """
    lines = cell.lines.copy()
    comment = next((each.string for each in cell.comments if each.start[0] == line), "")
    code = lines[line - 1].rstrip().removesuffix(comment)
    match = ANNOTATION.fullmatch(comment)
    if match:
        other, further = (match["before"] or "").rstrip(), split_comment(match["text"])[1]
    else:
        other, further = "" if is_nearly_right(comment, False) else comment, ""
    written = f"# tune: {text}" if text else ""
    # What stands before the comment may be aligned with other lines.
    gap = code[len(code.rstrip()) :] if comment else ""
    behind = "  ".join(filter(None, [other, written, further]))
    lines[line - 1] = (code.rstrip() + (gap or "  ") + behind) if behind else code.rstrip()
    return "\n".join(lines)


def words_of(text: str) -> Words | None:
    """The annotation *text* in parts; None where it is of another form."""
    expression, when = split_when(text)
    try:
        call = ast.parse(expression, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        return None

    def written(node: ast.expr) -> str:
        return ast.get_source_segment(expression, node) or ast.unparse(node)

    named = {keyword.arg: written(keyword.value) for keyword in call.keywords}
    arguments = [*map(written, call.args)]
    if call.func.id != "choice":
        arguments += [named[bound] for bound in ("low", "high") if bound in named]
        if len(arguments) == 3:
            named["step"] = arguments.pop()
    return Words(call.func.id, tuple(arguments), named.get("step", ""), when or "")


def suggestion(name: str, value: Value) -> str:
    """An annotation to begin with, from a variable's name and its *value*."""
    if isinstance(value, bool):
        return "choice(True, False)"
    if value is None or isinstance(value, str):
        return f"choice({', '.join(_choices(name.lower(), value))})"
    if isinstance(value, int):
        bounds = sorted((_quarter(value), 4 * value)) if value else (0, 4)
        return "int({}, {})".format(*bounds)
    if not math.isfinite(value):
        return "uniform(0.0, 1.0)"
    if "dropout" in name.lower() and 0 <= value <= 0.9:
        return "uniform(0.0, 0.9)"
    if value > 0 and (_RATES.search(name.lower()) or value < 1e-2):
        high = "1.0" if value * _FACTOR > 1 > value else _times(value, _FACTOR)
        return f"loguniform({_times(value, 1 / _FACTOR)}, {high})"
    if 0 <= value <= 1:
        return "uniform(0.0, 1.0)"
    ends = _times(value, 1 / 4), _times(value, 4)
    return "uniform({}, {})".format(*sorted(ends, key=float))


_USUAL = {
    "opt": ("adam", "sgd"),
    "activation": ("relu", "tanh"),
    "kernel": ("rbf", "linear", "poly"),
}


def _choices(name: str, value: str | None) -> Iterator[str]:
    usual = next((words for part, words in _USUAL.items() if part in name), ())
    # A list of words that the value is not in is about something else.
    words = usual if value in usual else ()
    for each in dict.fromkeys([value, *words]):
        yield repr(each) if each is None else json.dumps(each, ensure_ascii=False)


def _quarter(value: int) -> int:
    return max(1, value // 4) if value > 0 else min(-1, -(-value // 4))


def _times(value: float, factor: float) -> str:
    """The product with few digits, as Python writes it; *value* where no float is so far off."""
    product = float(f"{value * factor:.4g}")
    return repr(product if product and math.isfinite(product) else value)
