"""Which of the earlier cells a tuned cell needs, and why.

A backward slice at the granularity of cells: the cells that gave a value or a state to a
name that the tuned cell reads, and whatever those cells need in turn. A cell whose meaning
the code does not show is kept. Mark Weiser, *Program Slicing* (ICSE 1981) is the idea;
`hpo_lab.notebook.flow` finds the uses of names.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hpo_lab.notebook import library, magic_effects
from hpo_lab.notebook.flow import Scope
from hpo_lab.notebook.magic_effects import MagicKind
from hpo_lab.notebook.name_table import IN_DOUBT, Use
from hpo_lab.notebook.own_code import RANDOM_NUMBERS
from hpo_lab.notebook.parsed_cell import FAILS_TAG, KEEP_TAG, ParsedCell, magic_argument

__all__ = ["KEEP_TAG", "SKIP_TAG", "Decision", "names_of", "names_read", "slice_cells"]

SKIP_TAG = "tune-skip"
_NAMES = 5
"""Which a reason lists."""
_OF_A_TRIAL = frozenset({"checkpoint_dir", "keep", "report"})
_SHOWS = frozenset({"describe", "display", "head", "hist", "info", "plot", "print", "show"})


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a cell becomes part of the trial, with the reason in words."""

    cell: ParsedCell
    kept: bool
    reason: str


def slice_cells(
    earlier: Sequence[ParsedCell], tuned: ParsedCell, types: Mapping[str, str] | None = None
) -> tuple[Decision, ...]:
    """Decide which of the cells that ran before the tuned cell the tuned cell needs.

    Args:
        earlier: The cells in the order in which they ran; a cell that ran twice is there twice.
        tuned: The tuned cell, without its `%%tune` line.
        types: The qualified names of the types of the names' present values, where a kernel
            tells them.

    Returns:
        A decision for each earlier cell, in the same order.
    """
    cells = [*earlier, tuned]
    scope = Scope()
    refused = _follow(scope, cells)
    kinds = _kinds_told(scope, len(earlier), types or {})
    if kinds:
        scope = Scope(kinds)
        refused = _follow(scope, cells)
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
            kept, reason = False, _why_dropped(number, cell, scope)
        # A copy, because who shows the decisions has no use for syntax trees.
        decisions.append(Decision(replace(cell), kept, reason))
    return tuple(decisions)


def names_of(cells: Sequence[ParsedCell]) -> tuple[set[str], set[str]]:
    """The names that *cells*, run in this order, may assign, and those that they read before."""
    scope = Scope()
    _follow(scope, cells)
    return set().union(*scope.binds.values()), set().union(*scope.unbound.values())


def names_read(earlier: Sequence[ParsedCell], tuned: ParsedCell) -> list[str]:
    """The names of earlier cells that *tuned* reads, itself or in what it calls.

    Where it calls more than can be followed, those that it reads itself.
    """
    scope = Scope()
    _follow(scope, [*earlier, tuned])
    names = {use.name for use in scope.uses if use.reader == len(earlier) and not use.changes}
    if len(earlier) in scope.given_up and not isinstance(tuned.tree, SyntaxError):
        names &= _names_run(tuned.tree)
    return sorted(name for name in names if name.isidentifier())


def _kinds_told(scope: Scope, last: int, types: Mapping[str, str]) -> dict[tuple[int, str], str]:
    """The kinds of the names whose type only the kernel tells, by the cell that bound them last.

    The type of an earlier value of a name, or of one in a loop, the kernel cannot tell.
    """
    binders = {name: cell for cell in range(last) for name in scope.binds[cell]}
    return {
        (cell, name): kind
        for (cell, name), times in scope.unknown.items()
        if times == 1 and binders.get(name) == cell
        if (kind := library.kind_of_class(types.get(name, "")))
    }


def _follow(scope: Scope, cells: Sequence[ParsedCell]) -> dict[int, str]:
    """Lead *scope* through the cells; the reasons for those that have no part in it."""
    refused: dict[int, str] = {}
    handles: set[str] = set()
    for number, cell in enumerate(cells):
        if SKIP_TAG in cell.tags:
            refused[number] = f"tagged {SKIP_TAG}"
            continue
        scope.cell = number
        if cell.runs_tuned and (why := _reports(cells[: number + 1])):
            refused[number] = why
            continue
        for magic in cell.magics:
            handles.update(magic_effects.handle_names(magic.name, magic.arguments))
            if magic.kind is MagicKind.OTHER and magic.name in magic_effects.SHELLS:
                if cell.magic_names:
                    scope.fill_in(magic.arguments)
                else:
                    refused[number] = (
                        f"%%{magic.name}: shell commands are not run again; "
                        f"tag the cell {KEEP_TAG} if the trials need them"
                    )
                continue
            if magic.kind is not MagicKind.OUTPUT or magic.name in magic_effects.MEASURING:
                scope.fill_in(magic.arguments)
            if magic.kind is MagicKind.OTHER:
                scope.keep(f"%%{magic.name}: magic, {IN_DOUBT}")
            if magic.name in magic_effects.MEASURING:
                setup = magic_effects.without_options(magic.arguments)
                for text in (setup, magic.body):
                    measured = magic_argument(text).tree
                    if not isinstance(measured, SyntaxError):
                        scope.measure(measured.body)
        if cell.kind is MagicKind.CODE:
            tree = cell.tree
            if isinstance(tree, SyntaxError):
                where = f"line {tree.lineno}: " if tree.lineno else ""
                refused[number] = f"does not parse, so it cannot have run ({where}{tree.msg})"
                continue
            used = sorted(handles & _names_run(tree)) if number < len(cells) - 1 else []
            if used:
                refused[number] = f"uses the experiment {used[0]}, which no trial has"
                continue
            scope.run_cell(tree.body, may_fail=FAILS_TAG in cell.tags)
            handles -= scope.binds[number].keys()
        scope.bind_names(cell.magic_names)
    return refused


def _reports(cells: Sequence[ParsedCell]) -> str:
    """Why the last of *cells*, a tuned cell, may not be part of another's trial; empty if it may.

    What it reports would be taken for a metric of that trial.
    """
    for cell in reversed(cells):
        for node in ast.walk(cell.tree) if isinstance(cell.tree, ast.Module) else ():
            match node:
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                    if name in _OF_A_TRIAL:
                        return f"tuned itself: what calls {name}() belongs to its trials"
    return ""


def _names_run(cell: ast.Module) -> set[str]:
    """The names that *cell* reads when it runs and does not assign; not those of its functions."""
    contexts: dict[str, set[type[ast.expr_context]]] = {}
    pending: list[ast.AST] = [cell]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Name):
            contexts.setdefault(node.id, set()).add(type(node.ctx))
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            pending += ast.iter_child_nodes(node)
    return {name for name, kinds in contexts.items() if kinds == {ast.Load}}


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
    defined = sorted({use.name for use in uses if not use.changes and " " not in use.name})
    changed = {use.name for use in uses if use.changes} - set(defined)
    drawn = sorted(name for name in changed if name.startswith(RANDOM_NUMBERS))
    # A reader may call what this cell changed by a name of its own, such as a function's local.
    there = {name for cell in range(number + 1) for name in scope.binds[cell]}
    changed -= {*drawn}
    in_place = sorted(name for name in changed if name in there or " " in name)
    readers = [
        labels[reader] for reader in sorted({use.reader for use in uses if use.name in defined})
    ]
    shown = ", ".join(readers[:3]) + (", ..." if len(readers) > 3 else "")
    reasons = []
    if KEEP_TAG in cell.tags:
        reasons.append(f"tagged {KEEP_TAG}")
    if defined:
        reasons.append(f"defines {', '.join(defined)} (used by {shown})")
    if in_place:
        more = f" and {len(in_place) - _NAMES} more" if len(in_place) > _NAMES else ""
        reasons.append(f"changes {', '.join(in_place[:_NAMES])}{more} in place")
    elif changed:
        reasons.append("changes in place what a later cell reads")
    if drawn:
        reasons.append(f"draws {', '.join(drawn)}, which a cell above seeded")
    if number in scope.effects:
        reasons.append(scope.effects[number])
    if FAILS_TAG in cell.tags:
        reasons.append("failed when it ran, and may fail again")
    if number in scope.installs:
        reasons.append("what it installs is not installed again")
    if KEEP_TAG not in cell.tags and not defined and _looks_like_exploration(cell):
        took = "" if cell.seconds is None else f"took {_duration(cell.seconds)} here; "
        reasons.append(f"only shows something? {took}tag it {SKIP_TAG} to leave it out")
    return "; ".join(reasons)


def _why_dropped(number: int, cell: ParsedCell, scope: Scope) -> str:
    if number in scope.installs:
        return f"installs packages; tag it {KEEP_TAG} to install them again"
    if FAILS_TAG in cell.tags:
        return "not needed: failed when it ran"
    bound = list(scope.binds[number])
    if not bound:
        return "not needed: leaves no name behind"
    more = ", ..." if len(bound) > 5 else ""
    return f"not needed: defines {', '.join(bound[:5])}{more}"


def _looks_like_exploration(cell: ParsedCell) -> bool:
    """Whether a cell shows something, as its last line or by a call."""
    tree = cell.tree
    if isinstance(tree, SyntaxError) or cell.kind is not MagicKind.CODE:
        return False
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return any(
        (isinstance(call, ast.Name) and call.id in _SHOWS)
        or (isinstance(call, ast.Attribute) and call.attr in _SHOWS)
        for call in calls
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds / 60:.0f} min"
