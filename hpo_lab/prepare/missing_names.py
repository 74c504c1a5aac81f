"""Names that a trial would look for in vain, told before the first trial."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.notebook.slicing import Decision, names_of
from hpo_lab.notebook.undefined import undefined_names
from hpo_lab.problems import Problem, nearest

__all__ = ["missing_names", "profile_may_define_names"]


def profile_may_define_names() -> bool:
    """Whether IPython's profile of this user may define names in every kernel."""
    ipython = Path(os.environ.get("IPYTHONDIR") or Path.home() / ".ipython")
    profile = ipython / "profile_default"
    patterns = ("startup/*.py", "startup/*.ipy", "ipython*_config.py", "ipython*_config.json")
    return any(any(profile.glob(pattern)) for pattern in patterns)


def missing_names(
    tuned: ParsedCell,
    kept: Sequence[ParsedCell],
    decisions: Sequence[Decision],
    *,
    first_line: int,
    place: str,
    defined: Iterable[str],
    later: Sequence[ParsedCell] = (),
    in_kernel: Collection[str] | None = None,
) -> list[Problem]:
    """A problem for each name that the cells of a trial are certain to read and nothing defines.

    Args:
        tuned: The tuned cell, without its `%%tune` line.
        kept: The cells before it that trials run.
        decisions: On all cells before it.
        first_line: Line number of the first line of *tuned* within its cell.
        place: What stands in messages before the label of an earlier cell.
        defined: Names that are there before the first cell runs.
        later: The cells below.
        in_kernel: The names in a live kernel; None for a file.
    """
    problems = []
    for name in undefined_names([*kept, tuned], list(defined)):
        if name.cell is tuned:
            where = f"{tuned.label}, line {name.line + first_line - 1}"
        else:
            where = f"{place}{name.cell.label}, line {name.line}"
        hint = _who_defines(name.name, decisions, later) or _nearest(name.name, kept)
        if in_kernel is None:
            message = f"no cell above defines {name.name!r}{hint}"
        elif name.name in in_kernel and not hint:
            message = (
                f"no cell that ran in this kernel defines {name.name!r}, which trials would not "
                "have; run the cell that does"
            )
        else:
            message = f"no cell that ran in this kernel defines {name.name!r}{hint}"
        problems.append(Problem(where, message))
    return problems


def _who_defines(name: str, decisions: Sequence[Decision], later: Sequence[ParsedCell]) -> str:
    for decision in reversed(decisions):
        cell = decision.cell
        if decision.kept or not _defines(cell, name):
            continue
        if cell.tune_magic is not None and not cell.runs_tuned:
            return f" but {cell.label}, which is tuned; %hpo best --run runs it with its best"
        return f" but {cell.label}, which is left out ({decision.reason})"
    below = next((cell.label for cell in later if _defines(cell, name)), "")
    return f"; {below}, which is below, does" if below else ""


def _defines(cell: ParsedCell, name: str) -> bool:
    """Whether *cell* would define *name* if it ran without `%%tune` and its tags."""
    source = cell.tune_magic.body if cell.tune_magic is not None else cell.source
    return name in names_of([ParsedCell(source)])[0]


def _nearest(name: str, cells: Sequence[ParsedCell]) -> str:
    return nearest(name, sorted(names_of(cells)[0]))
