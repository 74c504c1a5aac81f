"""The notebook that a trial executes.

Four parts, told apart by the tags of their cells:

1. the kept earlier cells, as they are: the set-up, the same for every trial;
2. the cell `parameters`: the annotated assignments. papermill puts the values of the
   trial into a cell of its own right below it;
3. the cell `tune`: the tuned cell, its annotated assignments turned into comments so that
   they do not overwrite those values;
4. the cell `hpo-lab-objective`: reports the metrics that are variables.

The parameters stand behind the set-up because that is where the tuned cell assigns them:
an earlier `lr = 0.5` must not win over the trial. It also leaves a set-up that any number
of trials can share. They stand in front only where the set-up reads a parameter that
no cell above has defined.
"""

from __future__ import annotations

import ast
import builtins
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from hpo_lab.experiment.model import Objective
from hpo_lab.notebook.annotation_text import ANNOTATION
from hpo_lab.notebook.annotations import Annotation
from hpo_lab.notebook.magic_effects import BINDING, MagicKind, kind_of
from hpo_lab.notebook.names import names_bound
from hpo_lab.notebook.parsed_cell import ParsedCell, magic_argument, magic_call
from hpo_lab.notebook.slicing import names_of
from hpo_lab.notebook.trial_code import TrialCode
from hpo_lab.problems import Problem, nearest
from hpo_lab.quick_import import import_nbformat
from hpo_lab.trial.folder import CELL
from hpo_lab.trial.report import source_of_report

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = [
    "TUNE_TAG",
    "Assignment",
    "TrialNotebook",
    "build_trial_notebook",
    "code_of_trial",
    "objective_problems",
]

PARAMETERS_TAG = "parameters"
"""papermill's tag for the cell below which it injects values."""
TUNE_TAG = "tune"
OBJECTIVE_TAG = "hpo-lab-objective"

# papermill refuses a notebook that does not say its language.
_PYTHON = {
    "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
    "language_info": {"name": "python"},
}
# Tags by which papermill would take a cell of the user's for its own.
_PAPERMILL = frozenset({"injected-parameters", PARAMETERS_TAG})
_OWN_TAGS = frozenset({OBJECTIVE_TAG, PARAMETERS_TAG, TUNE_TAG})


@dataclass(frozen=True, slots=True)
class Assignment:
    """An assignment in the cell `parameters`.

    Attributes:
        value: What is assigned.
        annotation: The text behind `# tune:`, empty where there is none.
        lines: It as its author wrote it, at the left margin.
    """

    value: ast.expr
    annotation: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class TrialNotebook:
    """The notebook of a trial, taken apart.

    Attributes:
        document: It as JSON has it, each source in one text.
        set_up: The cells in it that are the author's and not tuned.
        parameters: The source of the cell `parameters`, empty where there is none.
        tuned: The cell `tune`, empty where there is none.
    """

    document: Mapping[str, Any]
    set_up: tuple[Mapping[str, Any], ...]
    parameters: str
    tuned: Mapping[str, Any]

    @classmethod
    def read(cls, content: bytes) -> TrialNotebook:
        """Take the file *content* of a trial notebook apart.

        Raises:
            ValueError: It is none.
        """
        own: dict[str, Mapping[str, Any]] = {}
        set_up = []
        try:
            document = json.loads(content)
            cells = [{**cell, "source": "".join(cell["source"])} for cell in document["cells"]]
            for cell in cells:
                tags = _OWN_TAGS.intersection(cell["metadata"].get("tags", ()))
                own |= dict.fromkeys(tags, cell)
                if cell["cell_type"] and not tags:
                    set_up.append(cell)
        except (AttributeError, KeyError, RecursionError, TypeError) as error:
            raise ValueError(f"no trial notebook: {error!r}") from None
        parameters = own.get(PARAMETERS_TAG, {"source": ""})["source"]
        document = {**document, "cells": cells}
        return cls(document, tuple(set_up), parameters, own.get(TUNE_TAG, {"source": ""}))

    @property
    def code(self) -> TrialCode:
        """What it computes, with any values of the parameters."""
        return TrialCode((*self.set_up_code, ParsedCell(self.tuned["source"])))

    @property
    def set_up_code(self) -> list[ParsedCell]:
        """The code cells of its set-up."""
        return [ParsedCell(cell["source"]) for cell in self.set_up if cell["cell_type"] == "code"]

    @cached_property
    def assignments(self) -> dict[str, Assignment]:
        """The assignments to the parameters, by name."""
        return dict(_assigned(ParsedCell(self.parameters)))

    def tuned_source(self, written: Mapping[str, Sequence[str]] = MappingProxyType({})) -> str:
        """The tuned cell as its author wrote it, without its `%%tune` line.

        Args:
            written: The lines of those assignments that are written in another way, by name.
        """
        lines = self.tuned["source"].split("\n")
        names = {_set_by_trial(name): name for name in self.assignments}
        missing = {name: written.get(name, each.lines) for name, each in self.assignments.items()}
        for number in reversed(range(len(lines))):
            mark = lines[number].lstrip()
            if (name := names.get(mark)) in missing:
                margin = lines[number].removesuffix(mark)
                end = number + len(self.assignments[name].lines)
                lines[number:end] = [margin + line for line in missing.pop(name)]
        # An assignment that has lost its place comes first.
        return "\n".join([*(line for each in missing.values() for line in each), *lines])

    def lacking(self, names: Collection[str]) -> list[tuple[ParsedCell, list[str]]]:
        """The set-up cells to run before the tuned cell, each with the names that it lacks.

        Args:
            names: Those that are defined.
        """
        needed = names_of([ParsedCell(self.tuned_source())])[1] - {*names, *dir(builtins)}
        cells = ((cell, sorted(needed & names_of([cell])[0])) for cell in self.set_up_code)
        return [(cell, lacking) for cell, lacking in cells if lacking]


def _assigned(cell: ParsedCell) -> Iterator[tuple[str, Assignment]]:
    if isinstance(cell.tree, SyntaxError):
        return
    comments = {comment.start[0]: ANNOTATION.fullmatch(comment.string) for comment in cell.comments}
    for statement in cell.tree.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.expr() as value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                first, last = statement.lineno, statement.end_lineno or statement.lineno
                behind = (comments.get(line) for line in range(first, last + 1))
                texts = [annotation["text"].strip() for annotation in behind if annotation]
                lines = tuple(cell.lines[first - 1 : last])
                yield name, Assignment(value, texts[0] if texts else "", lines)


def build_trial_notebook(
    tuned: ParsedCell,
    annotations: Sequence[Annotation],
    kept: Sequence[ParsedCell],
    objective: Objective,
    *,
    first_line: int = 1,
    metadata: Mapping[str, Any] | None = None,
) -> NotebookNode:
    """Build the notebook of which every trial executes a copy.

    Args:
        tuned: The tuned cell, without its `%%tune` line.
        annotations: Its annotations.
        kept: The earlier cells that it needs, in the order in which they ran.
        objective: The metrics to report at the end.
        first_line: Line number of the first line of *tuned* within its cell.
        metadata: More metadata of the notebook; its `kernelspec` is `python3` by default.

    Returns:
        A notebook of format 4.5.
    """
    import_nbformat()
    from nbformat import from_dict
    from nbformat.v4 import new_notebook

    def code(
        source: str, *tags: str, id: str, of: ParsedCell | None = None, line: int = 1
    ) -> NotebookNode:
        # Not by `new_code_cell`, which validates each cell; the notebook is validated as a whole.
        cell: NotebookNode = from_dict(
            {
                "cell_type": "code",
                "execution_count": None,
                # Ids that do not change make two notebooks of the same cells the same file.
                "id": id,
                "metadata": {
                    **({"tags": list(tags)} if tags else {}),
                    **({CELL: {"name": of.label, "line": line}} if of and of.label else {}),
                },
                "outputs": [],
                "source": source,
            }
        )
        return cell

    parameters = code(_assignments(tuned, annotations), PARAMETERS_TAG, id="parameters")
    *earlier, last = code_of_trial(tuned, annotations, kept).cells
    set_up = [
        code(cell.source, *sorted(cell.tags - _PAPERMILL), id=f"set-up-{n}", of=cell)
        for n, cell in enumerate(earlier, start=1)
    ]
    tune = code(last.source, TUNE_TAG, id="tune", of=last, line=first_line)
    report = code(source_of_report(objective.metric_names), OBJECTIVE_TAG, id="objective")
    names = {annotation.name for annotation in annotations}
    assigned, unbound = names_of(kept)
    in_front = unbound & names and not assigned & names
    front = [parameters, *set_up] if in_front else [*set_up, parameters]
    notebook: NotebookNode = new_notebook(
        cells=[*front, tune, report], metadata={**_PYTHON, **(metadata or {})}
    )
    return notebook


def code_of_trial(
    tuned: ParsedCell,
    annotations: Sequence[Annotation],
    kept: Sequence[ParsedCell],
    *,
    first_line: int = 1,
) -> TrialCode:
    """The code that a trial runs; arguments as of `build_trial_notebook`.

    The values of the annotated assignments have no part in it: a trial has its own.

    Args:
        tuned: The tuned cell.
        annotations: Its annotations.
        kept: The earlier cells that it needs.
        first_line: Line number of the first line of *tuned* within its cell.
    """
    # A copy would be parsed again.
    cells = [
        cell if (source := cell.in_trial()) == cell.source else replace(cell, source=source)
        for cell in kept
    ]
    last = replace(tuned, source=tuned.in_trial(_assignments_off(annotations)))
    return TrialCode((*cells, last), first_line)


def objective_problems(
    tuned: ParsedCell,
    kept: Sequence[ParsedCell],
    objective: Objective,
    *,
    where: str = "cell",
) -> list[Problem]:
    """The metrics that nothing in the trial produces.

    A metric is produced by an assignment outside functions, in the tuned cell or in a kept
    cell, or by a call of `report` with its name. Where the code does not show what is
    assigned or reported (`report(**metrics)`, star-imports, `exec`, magics of others),
    there is no problem to find.
    """
    assigned: dict[str, None] = {}
    reported: set[str] = set()
    for cell in [tuned, *kept]:
        names = _produced(cell, reported)
        if names is None:
            return []
        assigned.update(dict.fromkeys(names))
    if "**" in reported:
        return []
    return [
        Problem(
            where,
            f"nothing assigns or reports the metric {metric!r}{nearest(metric, list(assigned))}; "
            f"assign it in the cell (`{_as_name(metric)} = ...`) or call `hpo_lab.report`",
        )
        for metric in objective.metric_names
        if metric not in assigned and metric not in reported
    ]


def _set_by_trial(name: str) -> str:
    """The comment in the tuned cell of a trial where the variable *name* is assigned."""
    return f"# {name}: set by the trial"


def _assignments(tuned: ParsedCell, annotations: Sequence[Annotation]) -> str:
    """The annotated assignments as they are written, at the left margin."""
    lines = []
    for annotation in annotations:
        first, *rest = [tuned.lines[number - 1] for number in annotation.assignment]
        margin = first[: len(first) - len(first.lstrip())]
        lines += [first.lstrip(), *(line.removeprefix(margin) for line in rest)]
    return "\n".join(lines)


def _assignments_off(annotations: Sequence[Annotation]) -> dict[int, str]:
    """What to write, by the number of the line, in place of the annotated assignments."""
    lines: dict[int, str] = {}
    for annotation in annotations:
        lines |= dict.fromkeys(annotation.assignment, "#")
        lines[annotation.assignment[0]] = _set_by_trial(annotation.name)
    return lines


def _produced(cell: ParsedCell, reported: set[str]) -> list[str] | None:
    """The names that *cell* assigns, None where that cannot be known.

    The names that it reports are added to *reported*, `**` for any.
    """
    names = cell.magic_names
    if cell.kind is MagicKind.OUTPUT:
        return names
    tree = cell.tree
    if cell.kind is MagicKind.OTHER or isinstance(tree, SyntaxError):
        return None
    nodes = list(ast.walk(tree))
    reporters = _reporters(nodes)
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            return None
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id in ("exec", "eval", "globals"):
            return None
        ran = magic_call(node)
        if ran is not None:
            if kind_of(ran[0]) is MagicKind.CODE:
                inner = _produced(magic_argument(ran[1]), reported)
                if inner is None:
                    return None
                names += inner
            elif ran[0] in BINDING:
                return None
        elif ast.unparse(node.func) in reporters:
            reported.update(keyword.arg or "**" for keyword in node.keywords)
    return names + names_bound(tree.body)


def _reporters(nodes: Iterable[ast.AST]) -> set[str]:
    """What `hpo_lab.report` is called among *nodes*, as it would be written in a call."""
    reporters = {"report", "hpo_lab.report"}
    for node in nodes:
        match node:
            case ast.ImportFrom(module="hpo_lab" | "hpo_lab.trial", names=names):
                reporters |= {a.asname or a.name for a in names if a.name == "report"}
                reporters |= {f"{a.asname or a.name}.report" for a in names if a.name == "trial"}
            case ast.Import(names=names):
                modules = [a for a in names if a.name in ("hpo_lab", "hpo_lab.trial")]
                reporters |= {f"{a.asname or a.name}.report" for a in modules}
    return reporters


def _as_name(metric: str) -> str:
    return metric if metric.isidentifier() else "metric"
