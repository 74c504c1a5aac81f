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
of trials can share. They stand in front only where the set-up reads one of them that
nothing above has defined.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hpo_lab.experiment.model import Objective
from hpo_lab.notebook.annotations import Annotation, without_annotated
from hpo_lab.notebook.cell_source import (
    cell_magic,
    magic_call,
    parse_cell,
    without_own_magics,
)
from hpo_lab.notebook.magic_effects import MagicKind, bound_names, kind_of
from hpo_lab.notebook.names import names_bound
from hpo_lab.notebook.slicing import Cell, names_left_unbound
from hpo_lab.problems import Problem, nearest
from hpo_lab.quick_import import import_nbformat
from hpo_lab.trial.report import source_of_report

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = [
    "OBJECTIVE_TAG",
    "PARAMETERS_TAG",
    "TUNE_TAG",
    "build_trial_notebook",
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
_BINDING_MAGICS = frozenset({"pylab", "run", "store"})
# Tags by which papermill would take a cell of the user's for one of its own.
_PAPERMILL = frozenset({"injected-parameters", PARAMETERS_TAG})


def build_trial_notebook(
    tuned: str,
    annotations: Sequence[Annotation],
    kept: Sequence[Cell],
    objective: Objective,
    *,
    metadata: Mapping[str, Any] | None = None,
) -> NotebookNode:
    """Build the notebook of which every trial executes a copy.

    Args:
        tuned: The source of the tuned cell, without its `%%tune` line.
        annotations: Its annotations.
        kept: The earlier cells that it needs, in the order in which they ran.
        objective: The metrics to report at the end.
        metadata: More metadata of the notebook; its `kernelspec` is `python3` by default.

    Returns:
        A notebook of format 4.5.
    """
    import_nbformat()
    from nbformat.v4 import new_code_cell, new_notebook

    def code(source: str, *tags: str, id: str) -> NotebookNode:
        # Ids that do not change make two notebooks of the same cells the same file.
        cell: NotebookNode = new_code_cell(
            source, metadata={"tags": list(tags)} if tags else {}, id=id
        )
        return cell

    parameters = code(_assignments(annotations), PARAMETERS_TAG, id="parameters")
    set_up = [
        code(without_own_magics(cell.source), *sorted(cell.tags - _PAPERMILL), id=f"set-up-{n}")
        for n, cell in enumerate(kept, start=1)
    ]
    turned_off = {a.name: f"{a.name}: set by the trial" for a in annotations}
    tune = code(without_own_magics(without_annotated(tuned, turned_off)), TUNE_TAG, id="tune")
    report = code(source_of_report(objective.metric_names), OBJECTIVE_TAG, id="objective")
    bound = {name for cell in kept for name in _produced(cell.source, set()) or ()}
    first = names_left_unbound(kept) & set(turned_off) and not bound & set(turned_off)
    front = [parameters, *set_up] if first else [*set_up, parameters]
    notebook: NotebookNode = new_notebook(
        cells=[*front, tune, report], metadata={**_PYTHON, **(metadata or {})}
    )
    return notebook


def objective_problems(
    tuned: str, kept: Sequence[Cell], objective: Objective, *, where: str = "cell"
) -> list[Problem]:
    """The metrics that nothing in the trial produces.

    A metric is produced by an assignment outside functions, in the tuned cell or in a kept
    one, or by a call of `report` with its name. Where the code does not show what is
    assigned or reported (`report(**metrics)`, star-imports, `exec`, magics of others),
    there is no problem to find.
    """
    assigned: dict[str, None] = {}
    reported: set[str] = set()
    for source in [tuned, *(cell.source for cell in kept)]:
        names = _produced(source, reported)
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


def _assignments(annotations: Sequence[Annotation]) -> str:
    """The annotated assignments, one a line, each with its comment."""
    return "\n".join(f"{a.name} = {a.default!r}  # tune: {a.text}" for a in annotations)


def _produced(source: str, reported: set[str]) -> list[str] | None:
    """The names that *source* assigns, None where that cannot be known.

    The names that it reports are added to *reported*, `**` for any.
    """
    names: list[str] = []
    magic = cell_magic(source)
    while magic is not None:
        names += bound_names(magic.name, magic.arguments)
        if kind_of(magic.name) is not MagicKind.CODE:
            return names if kind_of(magic.name) is MagicKind.OUTPUT else None
        source = magic.body
        magic = cell_magic(source)
    try:
        tree = parse_cell(source)
    except SyntaxError:
        return None
    reporters = _reporters(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            return None
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id in ("exec", "eval", "globals"):
            return None
        ran = magic_call(node)
        if ran is not None:
            if kind_of(ran[0]) is MagicKind.CODE:
                inner = _produced(ran[1], reported)
                if inner is None:
                    return None
                names += inner
            elif ran[0] in _BINDING_MAGICS:
                return None
        elif ast.unparse(node.func) in reporters:
            reported.update(keyword.arg or "**" for keyword in node.keywords)
    return names + names_bound(tree.body)


def _reporters(tree: ast.Module) -> set[str]:
    """What `hpo_lab.report` is called in *tree*, as it would be written in a call."""
    found = {"report", "hpo_lab.report"}
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module="hpo_lab" | "hpo_lab.trial", names=names):
                found |= {a.asname or a.name for a in names if a.name == "report"}
                found |= {f"{a.asname or a.name}.report" for a in names if a.name == "trial"}
            case ast.Import(names=names):
                modules = [a for a in names if a.name in ("hpo_lab", "hpo_lab.trial")]
                found |= {f"{a.asname or a.name}.report" for a in modules}
    return found


def _as_name(metric: str) -> str:
    return metric if metric.isidentifier() else "metric"
