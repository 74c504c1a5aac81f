"""What a dashboard shows and does: messages of a person come in, pieces of HTML go out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from html import escape
from typing import Any

from hpo_lab.dashboard.comparison import best_values_table, experiments_table
from hpo_lab.dashboard.drawing import svg
from hpo_lab.dashboard.experiment_html import (
    bar_html,
    climb_html,
    experiment_html,
    head_html,
)
from hpo_lab.dashboard.figures.comparison import MOST_COMPARED, comparison
from hpo_lab.dashboard.figures.data import ExperimentData, recorded
from hpo_lab.dashboard.html import cut
from hpo_lab.dashboard.importances_process import importances_of
from hpo_lab.dashboard.progress import progress_text
from hpo_lab.dashboard.widget.tabs import TABS, Gallery, overview_html
from hpo_lab.dashboard.widget.trial_html import trial_html
from hpo_lab.dashboard.widget.trials_tab import FILTER, TrialsTab
from hpo_lab.dashboard.words import duration
from hpo_lab.experiment.model import Value
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import Trial
from hpo_lab.facade.assigned import notebook_defaults, values_as_code
from hpo_lab.facade.experiments import Experiments
from hpo_lab.facade.follower import Follower
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.resuming import resume
from hpo_lab.facade.summary import Summary
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.store import NotFound

__all__ = ["PARTS", "Board", "problem_html"]

PARTS = ("head", "acts", "bar", "budget", "notice", "tabs", "tools", "panel", "drawer", "query")
"""The pieces of a dashboard; all but the last, the filter, are HTML."""

_OTHERS = 24
"""So many experiments are offered for a comparison, the newest."""


class Board:
    """A dashboard of one experiment without its front end; any thread may call it.

    Attributes:
        seen: The revision of the experiment and its state when the pieces were made last.
    """

    def __init__(self, experiment: Experiment, compare: Iterable[Experiment] = ()) -> None:
        """Show *experiment*, and *compare* beside it in the tab of comparisons."""
        self.experiment = experiment
        self._lock = threading.RLock()
        self._tab = "overview"
        self._trial: int | None = None
        self._notice = ""
        self._trials = TrialsTab()
        self._gallery = Gallery(lambda: importances_of(experiment.store, experiment.uid))
        self._compared = {each.uid: each.follower for each in compare}
        self._code: tuple[int, str] | None = None
        self._opened: tuple[Trial, str] | None = None
        self._shown: tuple[object, str] | None = None
        self._messages = 0
        self.seen: tuple[int, str] = 0, ""

    @property
    def _follower(self) -> Follower:
        return self.experiment.follower

    @cached_property
    def _written(self) -> Mapping[str, Value]:
        """The values that the cell itself has."""
        return notebook_defaults(self.experiment)

    # Messages

    def handle(self, message: Mapping[str, Any]) -> None:
        """Do what a person asks for; what goes wrong is told in the piece `notice`.

        Args:
            message: `do` says what, its other fields are texts that say with what.
        """
        actions: dict[str, Callable[[Mapping[str, Any]], str | None]] = {
            "tab": self._select,
            "filter": self._filter,
            "sort": self._sort,
            "page": self._turn,
            "open": self._open,
            "leave": self._leave,
            "stop": self._stop,
            "resume": self._resume,
            "compare": self._compare,
            "dismiss": lambda _: None,
        }
        with self._lock:
            self._messages += 1
            try:
                name = str(message.get("do"))
                if name not in actions:
                    raise InvalidInput([Problem(name, "is nothing that a dashboard does")])
                said = actions[name](message)
                self._notice = _said(said) if said else ""
            except InvalidInput as error:
                self._notice = problem_html("; ".join(map(str, error.problems)))
            except Exception as error:
                self._notice = problem_html(f"{type(error).__name__}: {error}")

    def _select(self, message: Mapping[str, Any]) -> None:
        tab = message.get("tab")
        if tab not in TABS:
            raise InvalidInput([Problem(str(tab), f"is no tab; there are {', '.join(TABS)}")])
        self._tab = str(tab)

    def _filter(self, message: Mapping[str, Any]) -> None:
        self._trials.filter(str(message.get("text", "")))

    def _sort(self, message: Mapping[str, Any]) -> None:
        self._trials.sort(str(message["by"]), self._follower.look())

    def _turn(self, message: Mapping[str, Any]) -> None:
        self._trials.turn(int(message["start"]))

    def _open(self, message: Mapping[str, Any]) -> None:
        number = int(message["trial"])
        self.experiment.trial(number)
        self._trial = number

    def _leave(self, message: Mapping[str, Any]) -> None:
        self._trial = None

    def _stop(self, message: Mapping[str, Any]) -> str:
        if not self.experiment.stop():
            return "It does not run."
        return "It stops; trials that are interrupted run again when it is resumed."

    def _resume(self, message: Mapping[str, Any]) -> str:
        budgets: dict[str, Any] = {
            name: _value(text)
            for name in ("trials", "parallel", "timeout")
            if (text := str(message.get(name, "")).strip())
        }
        was_over = not self.experiment.is_live
        notices = resume(self.experiment.store, self.experiment.record, **budgets)
        changes = ", ".join(f"{name} {value}" for name, value in budgets.items())
        said = f"From now on: {changes}." if changes else "It runs."
        return " ".join(["It goes on." if was_over else said, *map(str, notices)])

    def _compare(self, message: Mapping[str, Any]) -> None:
        uid = str(message["uid"])
        if self._compared.pop(uid, None) is not None:
            return
        if len(self._compared) >= MOST_COMPARED - 1:
            problem = Problem("compare", f"{MOST_COMPARED} experiments at most can be told apart")
            raise InvalidInput([problem])
        store = self.experiment.store
        self._compared[uid] = Experiments(store).get(uid).follower

    # Pieces

    def parts(self) -> dict[str, str]:
        """The pieces as they are now, by their names in `PARTS`.

        Raises:
            NotFound: It was deleted.
        """
        with self._lock:
            summary = self._follower.look()
            self.seen = self._follower.revision, summary.state
            return {
                "head": head_html(summary) + climb_html(summary),
                "acts": self._acts(summary),
                "bar": bar_html(summary),
                "budget": _budget(summary),
                "notice": self._notice,
                "tabs": _tabs(self._tab),
                "tools": self._tools(),
                "panel": self._panel(summary),
                "drawer": self._drawer(summary),
                "query": self._trials.query,
            }

    def outline(self, note: str = "") -> dict[str, str]:
        """The experiment without pictures, with a *note*, as HTML and as text, by MIME type."""
        with self._lock:
            summary = self._follower.look()
            html = experiment_html(summary, self._follower.tally, note=note)
            return {"text/html": html, "text/plain": progress_text(summary, note)}

    def _acts(self, summary: Summary) -> str:
        main = '<button data-do="stop" data-key="run">Stop</button>'
        if summary.is_over:
            main = '<button data-do="resume" data-key="run">Resume</button>'
        if summary.state == ExperimentState.SUCCEEDED:
            # What is complete goes on with another budget alone.
            main = ""
        copy = ""
        if summary.best is not None:
            if self._code is None or self._code[0] != summary.best.number:
                self._code = (
                    summary.best.number,
                    values_as_code(self.experiment, summary.best.number),
                )
            copy = (
                f'<button class="main" data-copy="{escape(self._code[1])}" data-key="copy"'
                ' title="The best values as Python">Copy best values</button>'
            )
        budget = '<button data-toggle="budget" data-key="budget">Budget…</button>'
        close = (
            '<button class="quiet" data-do="close" data-key="close"'
            ' title="Leave a static picture in its place">Close</button>'
        )
        return f"{main}{budget}{copy}{close}"

    def _tools(self) -> str:
        if self._tab == "trials":
            return FILTER
        return self._others() if self._tab == "compare" else ""

    def _others(self) -> str:
        """The experiments of the store that have the same first objective."""
        objective = self._follower.record.document.spec.objective
        wanted = objective.objective_metric_name, objective.type
        chips = []
        for each in Experiments(self.experiment.store).list():
            own = each.spec.objective
            is_alike = (own.objective_metric_name, own.type) == wanted
            if each.uid == self.experiment.uid or not is_alike:
                continue
            pressed = "true" if each.uid in self._compared else "false"
            chips.append(
                f'<button class="hpo-chip" data-do="compare" data-uid="{escape(each.uid)}"'
                f' data-key="with-{escape(each.uid)}" aria-pressed="{pressed}">'
                f"{cut(each.title, 40)}</button>"
            )
        if not chips:
            metric = cut(objective.objective_metric_name, 60)
            return f'<p class="q sm">No other experiment has the objective {metric}.</p>'
        more = len(chips) - _OTHERS
        rest = f'<span class="q sm">and {more} older ones</span>' if more > 0 else ""
        return f'<div class="hpo-chips">{"".join(chips[:_OTHERS])}{rest}</div>'

    def _panel(self, summary: Summary) -> str:
        if self._tab == "compare":
            return self._comparison()
        waits = summary.set_up is not None
        state = self.seen, waits, self._messages, self._gallery.behind
        if self._shown is None or self._shown[0] != state:
            self._shown = state, self._drawn_panel(summary, self.seen[0])
        return self._shown[1]

    def _drawn_panel(self, summary: Summary, revision: int) -> str:
        tally, follower = self._follower.tally, self._follower
        if self._tab == "trials":
            return self._trials.html(summary, tally, self._trial)
        data = recorded(self.experiment.store, follower.record, tally, time.time())
        if self._tab == "overview":
            written = self._written if summary.as_written is not None else {}
            return overview_html(self._gallery, summary, tally, data, revision, written)
        return self._gallery.tab(self._tab, data, revision)

    def _comparison(self) -> str:
        store, summaries = self.experiment.store, []
        data: dict[str, ExperimentData] = {}
        for uid, follower in [("", self._follower), *self._compared.items()]:
            try:
                summary = follower.look()
            except NotFound:
                self._compared.pop(uid, None)
                continue
            summaries.append(summary)
            # Experiments of two folders may have one name.
            name = f"{summary.title} {len(data) + 1}" if summary.title in data else summary.title
            data[name] = recorded(store, follower.record, follower.tally, time.time())
        picture = svg(comparison(data))
        return (
            f'<div class="hpo-cols"><div>{picture}</div><div>{best_values_table(summaries)}</div>'
            f"</div>{experiments_table(summaries)}"
        )

    def _drawer(self, summary: Summary) -> str:
        trial = None if self._trial is None else self._follower.tally.trials.get(self._trial)
        if trial is None:
            return ""
        # The log of a trial that runs grows without a change of the trial.
        is_kept = trial.is_final and self._opened is not None and self._opened[0] is trial
        if not is_kept or self._opened is None:
            html = trial_html(self.experiment, summary, trial, self._written)
            self._opened = trial, html
        return self._opened[1]


def _value(text: str) -> int | str:
    """A number of trials as a number; what else was written is for others to judge."""
    return int(text) if text.isascii() and text.isdigit() else text


def _tabs(selected: str) -> str:
    return "".join(
        f'<button role="tab" data-do="tab" data-tab="{name}" data-key="tab-{name}"'
        f' aria-selected="{"true" if name == selected else "false"}"'
        f' tabindex="{0 if name == selected else -1}">{title}</button>'
        for name, title in TABS.items()
    )


def _budget(summary: Summary) -> str:
    """A form with the present budgets; it changes with them alone."""
    spec = summary.spec
    limit = spec.active_deadline_seconds
    fields = (
        ("trials", "Trials in all", spec.max_trial_count, "no limit"),
        ("parallel", "At a time", spec.parallel_trial_count, ""),
        ("timeout", "Time", None, "no limit, or 2h" if limit is None else duration(limit)),
    )
    inputs = "".join(
        f'<label>{title} <input class="hpo-flt" name="{name}" size="9" autocomplete="off"'
        f' value="{"" if value is None else value}" placeholder="{hint}"></label>'
        for name, title, value, hint in fields
    )
    word = "Resume with these" if summary.is_over else "Change"
    return f'<form data-form="resume" class="hpo-form">{inputs}<button>{word}</button></form>'


def _said(text: str) -> str:
    return f'<div class="hpo-note" role="status">{cut(text, 400)}{_DISMISS}</div>'


def problem_html(text: str) -> str:
    """A notice of a problem, which a person can dismiss."""
    return f'<div class="hpo-note err" role="alert">{cut(text, 1_000)}{_DISMISS}</div>'


_DISMISS = '<button class="quiet" data-do="dismiss" aria-label="Dismiss">×</button>'  # noqa: RUF001
