"""What a tuned cell would do: its search space, and the earlier cells that its trials run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hpo_lab.counting import counted
from hpo_lab.dashboard.html import box, cut, details, name_html, table
from hpo_lab.dashboard.words import objective_in_words
from hpo_lab.experiment.model import ExperimentDocument
from hpo_lab.experiment.space import space_text

if TYPE_CHECKING:
    from hpo_lab.notebook.slicing import Decision

__all__ = ["decisions_html", "decisions_text", "preview_html", "preview_text", "space_html"]

_CELLS = 25


def preview_html(experiment: ExperimentDocument, decisions: Sequence[Decision]) -> str:
    """What *experiment* would do, as a piece of HTML without scripts."""
    return box(
        f'<div class="hpo-head"><span class="hpo-name">{cut(experiment.name, 100)}</span> '
        f'<span class="q">{cut(_intent(experiment), 300)}; nothing was started</span></div>',
        space_html(experiment),
        decisions_html(decisions, is_open=True),
        label=f"Preview of {experiment.name}",
    )


def space_html(experiment: ExperimentDocument) -> str:
    """The search space of *experiment* as a table."""
    rows = [
        (f"<code>{name_html(each.name)}</code>", f"<code>{cut(space_text(each), 300)}</code>")
        for each in experiment.spec.parameters
    ]
    return table(("Parameter", "Space"), rows, label="Search space", prose=True)


def preview_text(experiment: ExperimentDocument, decisions: Sequence[Decision]) -> str:
    """The same as lines of text."""
    lines = [f"{experiment.name}: {_intent(experiment)}; nothing was started"]
    lines += [f"  {each.name}: {space_text(each)}" for each in experiment.spec.parameters]
    return "\n".join([*lines, decisions_text(decisions)])


def decisions_html(
    decisions: Sequence[Decision], *, is_open: bool = False, rows_at_most: int = _CELLS
) -> str:
    """Which earlier cells run in each trial and why, folded unless *is_open*."""
    if not decisions:
        return ""
    rows = [
        (
            cut(decision.cell.label, 40),
            "runs" if decision.kept else "left out",
            cut(decision.reason, 120),
        )
        for decision in _most_telling(decisions, rows_at_most)
    ]
    if len(decisions) > len(rows):
        rows.append(("", "", f"and {len(decisions) - len(rows)} more"))
    shown = table(("Cell", "In a trial", "Why"), rows, label="Earlier cells", prose=True)
    return details("Set-up", _kept(decisions), shown if rows else "", is_open=is_open)


def decisions_text(decisions: Sequence[Decision]) -> str:
    """The same as lines of text."""
    if not decisions:
        return "no earlier cells"
    lines = [
        f"  {decision.cell.label:8} {'runs' if decision.kept else 'left out':8}  {decision.reason}"
        for decision in decisions
    ]
    return "\n".join([_kept(decisions), *lines])


def _intent(experiment: ExperimentDocument) -> str:
    spec = experiment.spec
    count = spec.max_trial_count
    trials = "" if count is None else f" in {counted(count, 'trial')}"
    return (
        f"{objective_in_words(spec.objective)}{trials}, "
        f"{spec.parallel_trial_count} at a time, by {spec.algorithm.algorithm_name}"
    )


def _kept(decisions: Sequence[Decision]) -> str:
    kept = sum(decision.kept for decision in decisions)
    return f"{kept} of {counted(len(decisions), 'earlier cell')} taken along by each trial"


def _most_telling(decisions: Sequence[Decision], count: int) -> Sequence[Decision]:
    """At most *count* in their order; those that run, and the latest, are preferred."""
    first = sorted(range(len(decisions)), key=lambda i: (not decisions[i].kept, -i))[:count]
    return [decisions[i] for i in sorted(first)]
