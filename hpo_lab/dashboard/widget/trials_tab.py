"""The tab of the trials: a table that is filtered, sorted, and shown page by page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from hpo_lab.counting import counted
from hpo_lab.dashboard.html import cut
from hpo_lab.dashboard.trials_html import Interaction, trials_table
from hpo_lab.dashboard.widget.filtering import (
    OTHER_NAMES,
    Filter,
    Order,
    Page,
    arranged,
    paged,
    parse_filter,
)
from hpo_lab.experiment.model import ObjectiveType
from hpo_lab.experiment.trial import Trial
from hpo_lab.facade.columns import TrialRow, trial_row
from hpo_lab.facade.summary import Summary
from hpo_lab.facade.tally import Tally
from hpo_lab.problems import InvalidInput

__all__ = ["FILTER", "TrialsTab"]

_ROWS = 20
_COLUMNS = 10

FILTER = (
    '<input class="hpo-flt" type="search" data-live="filter" aria-label="Filter of trials"'
    ' spellcheck="false" autocomplete="off"'
    ' placeholder="Filter: state:failed  lr &lt; 0.01  optimizer = adam">'
)
"""Where a person writes the filter."""


class TrialsTab:
    """Which trials a person wants to see, and the table of them.

    Attributes:
        query: The filter as it was written.
    """

    def __init__(self) -> None:
        """Show all, the best first."""
        self.query = ""
        self._problem = ""
        self._filter = Filter()
        self._order: Order | None = None
        self._start = 0
        self._rows: dict[int, tuple[Trial, TrialRow]] = {}
        self._columns: set[str] = set()

    def filter(self, query: str) -> None:
        """Show the trials that *query* describes, see `parse_filter`.

        A query that cannot be read is told, and the trials stay as they are.
        """
        self.query, self._problem = query, ""
        try:
            self._filter = parse_filter(query, self._columns)
            self._start = 0
        except InvalidInput as error:
            self._problem = "; ".join(map(str, error.problems))

    def sort(self, column: str, summary: Summary) -> None:
        """Arrange by *column*, then the other way round, then the best first again."""
        maximised = [
            name
            for name, kind in summary.spec.objective.objectives
            if kind is ObjectiveType.MAXIMIZE
        ]
        first = Order(column, descending=column in maximised)
        if self._order == first:
            self._order = Order(column, not first.descending)
        elif self._order is not None and self._order.column == column:
            self._order = None
        else:
            self._order = first
        self._start = 0

    def turn(self, start: int) -> None:
        """Show the page with the trial at place *start* of the list."""
        self._start = start

    def update(self, summary: Summary, tally: Tally) -> None:
        """Take in what changed among the trials."""
        for number, trial in tally.trials.items():
            before = self._rows.get(number)
            if before is None or before[0] is not trial:
                row = trial_row(summary.spec, trial)
                self._rows[number] = trial, row
                for values in (row.said, row.ours, row.labels):
                    self._columns.update(values)
        if self._problem:
            # A column may have come with a trial.
            self.filter(self.query)

    def page(self, tally: Tally) -> Page:
        """The trials that are shown."""
        numbers = [each for each in self._ranked(tally) if self._filter(self._row(each))]
        if self._order is not None:
            numbers = arranged(numbers, self._row, self._order)
        return paged(numbers, self._start, _ROWS)

    def _row(self, number: int) -> TrialRow:
        return self._rows[number][1]

    def _ranked(self, tally: Tally) -> Sequence[int]:
        """The numbers of all trials, the best first and then the latest."""
        ranked = [trial.number for trial in tally.ranked()]
        others = sorted(tally.trials.keys() - {*ranked}, reverse=True)
        return [*ranked, *others]

    def html(self, summary: Summary, tally: Tally, selected: int | None) -> str:
        """The table, and above it how many trials there are in all.

        Args:
            summary: The experiment.
            tally: Its trials.
            selected: The trial that is looked at.
        """
        self.update(summary, tally)
        if not self._rows:
            return '<p class="q sm">No trial yet.</p>'
        page = self.page(tally)
        trials = [tally.trials[number] for number in page.numbers]
        pieces = []
        if self._problem:
            pieces.append(f'<p class="bad sm" role="status">{cut(self._problem, 600)}</p>')
        if trials:
            interaction = Interaction(self._head, _number, selected)
            groups = {"": trials}
            table = trials_table(summary, groups, columns=_COLUMNS, interaction=interaction)
            pieces.append(table)
        return "".join([*pieces, _pager(page, len(tally.trials))])

    def _head(self, name: str, html: str) -> str:
        order, mark, sorting = self._order, "", "none"
        if order is not None and order.column == name:
            mark = " ▾" if order.descending else " ▴"
            sorting = "descending" if order.descending else "ascending"
        shown = escape(OTHER_NAMES_SHOWN.get(name, name))
        return (
            f'<button class="hpo-hd" data-do="sort" data-by="{escape(name)}"'
            f' data-key="sort-{escape(name)}" data-sorted="{sorting}"'
            f' title="Sort by {shown}">{html}{mark}</button>'
        )


OTHER_NAMES_SHOWN = {column: shown for shown, column in OTHER_NAMES.items()}


def _number(number: int) -> str:
    return (
        f'<button class="hpo-open" data-do="open" data-trial="{number}"'
        f' data-key="open-{number}" aria-label="Trial {number}">{number}</button>'
    )


def _pager(page: Page, total: int) -> str:
    if not page.total:
        words = f"None of {counted(total, 'trial')} is like that"
        return f'<p class="q sm hpo-pager">{words}</p>'
    last = page.start + len(page.numbers)
    of_all = "" if page.total == total else f" of {total}"
    words = f"{page.start + 1}–{last} of {counted(page.total, 'trial')}{of_all}"  # noqa: RUF001
    if page.is_first and page.is_last:
        words = f"{page.total} of " * bool(of_all) + counted(total, "trial")
        return f'<p class="q sm hpo-pager">{words}</p>'
    buttons = "".join(
        f'<button class="quiet" data-do="page" data-start="{start}" data-key="page-{word}"'
        f"{' disabled' if off else ''}>{word}</button>"
        for word, start, off in (
            ("First", 0, page.is_first),
            ("Before", page.start - page.size, page.is_first),
            ("Next", page.start + page.size, page.is_last),
            ("Last", page.total - 1, page.is_last),
        )
    )
    return f'<p class="q sm hpo-pager"><span>{words}</span> {buttons}</p>'
