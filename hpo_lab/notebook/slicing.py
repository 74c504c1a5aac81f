"""Which of the earlier cells a tuned cell needs, and why.

A backward slice at the granularity of cells: the cells that gave a value or a state to a
name that the tuned cell reads, and whatever those cells need in turn. A cell whose meaning
the code does not show is kept. Mark Weiser, *Program Slicing* (ICSE 1981) is the idea;
`hpo_lab.notebook.flow` finds the uses of names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hpo_lab.notebook.flow import Scope
from hpo_lab.notebook.magic_effects import MagicKind
from hpo_lab.notebook.name_table import IN_DOUBT, Use
from hpo_lab.notebook.parsed_cell import ParsedCell

__all__ = ["KEEP_TAG", "SKIP_TAG", "Decision", "names_of", "slice_cells"]

KEEP_TAG = "tune-keep"
SKIP_TAG = "tune-skip"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a cell becomes part of the trial, with the reason in words."""

    cell: ParsedCell
    kept: bool
    reason: str


def slice_cells(earlier: Sequence[ParsedCell], tuned: ParsedCell) -> tuple[Decision, ...]:
    """Decide which of the cells that ran before the tuned cell the tuned cell needs.

    Args:
        earlier: The cells in the order in which they ran; a cell that ran twice is there twice.
        tuned: The tuned cell, without its `%%tune` line.

    Returns:
        A decision for each earlier cell, in the same order.
    """
    scope = Scope()
    refused = _follow(scope, [*earlier, tuned])
    last = len(earlier)
    roots = {last}
    for number, cell in enumerate(earlier):
        if number not in refused and (KEEP_TAG in cell.tags or number in scope.effects):
            roots.add(number)
    needed = _closure(roots, scope.uses)
    names = [cell.label or f"cell {number + 1}" for number, cell in enumerate(earlier)]
    names.append("the tuned cell")
    decisions = []
    for number, cell in enumerate(earlier):
        if number in refused:
            kept = KEEP_TAG in cell.tags and SKIP_TAG not in cell.tags
            reason = f"tagged {KEEP_TAG}" if kept else refused[number]
        elif number in needed:
            kept, reason = True, _why_kept(number, cell, scope, needed, names)
        else:
            kept, reason = False, _why_dropped(list(scope.binds[number]))
        # A copy, because who shows the decisions has no use for syntax trees.
        decisions.append(Decision(replace(cell), kept, reason))
    return tuple(decisions)


def names_of(cells: Sequence[ParsedCell]) -> tuple[set[str], set[str]]:
    """The names that *cells*, run in this order, may assign, and those that they read before."""
    scope = Scope()
    _follow(scope, cells)
    return set().union(*scope.binds.values()), set().union(*scope.unbound.values())


def _follow(scope: Scope, cells: Sequence[ParsedCell]) -> dict[int, str]:
    """Lead *scope* through the cells; the reasons for those that have no part in it."""
    refused: dict[int, str] = {}
    for number, cell in enumerate(cells):
        if SKIP_TAG in cell.tags:
            refused[number] = f"tagged {SKIP_TAG}"
            continue
        scope.cell = number
        for magic in cell.magics:
            if magic.kind is not MagicKind.OUTPUT:
                scope.fill_in(magic.arguments)
            if magic.kind is MagicKind.OTHER:
                scope.keep(f"%%{magic.name}: magic, {IN_DOUBT}")
        if cell.kind is MagicKind.CODE:
            tree = cell.tree
            if isinstance(tree, SyntaxError):
                where = f"line {tree.lineno}: " if tree.lineno else ""
                refused[number] = f"does not parse, so it cannot have run ({where}{tree.msg})"
                continue
            scope.run(tree.body)
        scope.bind_names(cell.magic_names)
    return refused


def _closure(roots: Iterable[int], uses: Iterable[Use]) -> set[int]:
    """The cells from which *roots* can be reached by following the uses of names."""
    providers: dict[int, set[int]] = {}
    for use in uses:
        providers.setdefault(use.reader, set()).add(use.provider)
    needed: set[int] = set()
    pending = set(roots)
    while pending:
        cell = pending.pop()
        needed.add(cell)
        pending |= providers.get(cell, set()) - needed
    return needed


def _why_kept(
    number: int, cell: ParsedCell, scope: Scope, needed: set[int], labels: Sequence[str]
) -> str:
    uses = [use for use in scope.uses if use.provider == number and use.reader in needed]
    defined = sorted({use.name for use in uses if not use.changes})
    changed = sorted({use.name for use in uses if use.changes} - set(defined))
    readers = [labels[reader] for reader in sorted({use.reader for use in uses})]
    shown = ", ".join(readers[:3]) + (", ..." if len(readers) > 3 else "")
    reasons = []
    if KEEP_TAG in cell.tags:
        reasons.append(f"tagged {KEEP_TAG}")
    if defined:
        reasons.append(f"defines {', '.join(defined)} (used by {shown})")
    if changed:
        reasons.append(f"changes {', '.join(changed)} in place")
    if number in scope.effects:
        reasons.append(scope.effects[number])
    return "; ".join(reasons)


def _why_dropped(bound: Sequence[str]) -> str:
    if not bound:
        return "not needed: leaves no name behind"
    more = ", ..." if len(bound) > 5 else ""
    return f"not needed: defines {', '.join(bound[:5])}{more}"
