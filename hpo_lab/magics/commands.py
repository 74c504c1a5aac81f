"""The commands of `%hpo`: what may follow it, and what it does."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from hpo_lab.api import Experiments
from hpo_lab.dashboard import figures
from hpo_lab.dashboard.live import LiveProgress, can_update, publish
from hpo_lab.dashboard.marks import experiment_state
from hpo_lab.dashboard.progress import listing_html, listing_text
from hpo_lab.dashboard.words import elsewhere_note
from hpo_lab.execution.slice_check import INTERRUPTED_CHECK, Halves, compare
from hpo_lab.experiment.points import read_point
from hpo_lab.facade.files import tail_of
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.resuming import resume
from hpo_lab.magics.best import use_best
from hpo_lab.magics.plotting import show_plot, write_report
from hpo_lab.magics.tensorboard import TensorBoards
from hpo_lab.notebook.slicing import Decision
from hpo_lab.options import BUDGETS, TuneOptions, parse_values, split_arguments
from hpo_lab.prepare.wording import Dialect
from hpo_lab.printable import printable
from hpo_lab.problems import InvalidInput, Problem, nearest

__all__ = ["COMMANDS", "Arguments", "Command", "Commands", "parse_command"]

_LOOKING = ("show", "dashboard", "best", "plot", "report", "tensorboard", "wait", "logs")
"""Commands that change no experiment, and take the newest of several."""

_OF_NO_NAME = ("list", "check", "plot")
"""Commands whose first word need not be an experiment."""

_TEXTS = ("--store", "--trial", "--theme", "--focus", "--out")
"""Options whose values are no budgets."""

_OTHERS = 5
"""How many more are named."""

_LOG_TAIL = 20_000
"""How much of a log is shown, in characters."""


@dataclass(frozen=True, slots=True)
class Command:
    """What may follow the name of a command, and what the command does."""

    form: str
    help: str

    @property
    def words(self) -> int:
        """How many words it takes at most, beside values of parameters."""
        return len(self._names)

    @property
    def least(self) -> int:
        """How many words it needs."""
        return sum(not name.startswith("[") for name in self._names)

    @property
    def _names(self) -> list[str]:
        """What its words stand for, in brackets where they may be left out."""
        return re.findall(r"\[?[A-Z]+", re.sub(r"\[--.*?\]|[A-Z]+=.*", "", self.form))

    @property
    def takes_values(self) -> bool:
        """Whether it takes values of parameters, `x=1`."""
        return "=" in self.form

    @property
    def flags(self) -> dict[str, bool]:
        """Its options, and whether each takes a value."""
        options = re.findall(r"\[(--[a-z-]+)( [A-Z]+)?\]", self.form)
        return {"--store": True} | {flag: bool(value) for flag, value in options}


COMMANDS: Final = {
    "list": Command("[--all]", "the experiments of this folder; --all lists those of others, too"),
    "show": Command("[NAME]", "its progress"),
    "dashboard": Command("[NAME]", "all of it, with tabs and buttons; needs anywidget"),
    "best": Command(
        "[NAME] [--run] [--write] [--apply] [--trial N]",
        "the best values: run the cell with them, write it below, set the variables",
    ),
    "plot": Command(
        "[NAME] FIGURE [--theme THEME] [--focus NAMES] [--out FILE]",
        "a picture of it, such as history; in a file that ends in .svg, .png, .html or .json",
    ),
    "report": Command("[NAME] [--out FILE]", "write a report of it into a file, NAME.html"),
    "tensorboard": Command("[NAME]", "show its trials in TensorBoard, while they run, too"),
    "check": Command("", "run the last tuned cell's notebook whole and sliced, and compare"),
    "wait": Command("[NAME] [--timeout TIME]", "wait for its end"),
    "stop": Command("[NAME]", "stop it; it can be resumed"),
    "resume": Command(
        " ".join(["[NAME]", *(f"[{option.flag} {option.form}]" for option in BUDGETS)]),
        "go on, with new budgets where given",
    ),
    "enqueue": Command(
        "[NAME] PARAMETER=VALUE...", "have these values tried in the next new trial"
    ),
    "delete": Command("NAME", "delete it, its trials and their files"),
    "logs": Command("[NAME] [TRIAL]", "what a trial printed, by default the last that failed"),
}


@dataclass(frozen=True, slots=True)
class Arguments:
    """A line of `%hpo`, taken apart.

    Attributes:
        command: One of `COMMANDS`.
        words: What follows it: the experiment's name, the number of a trial.
        values: Texts by parameter name, where the command takes values.
        options: The budgets and times given.
        flags: Those of the options without a value that were given.
        trial: The trial whose values are used, None for the best.
        texts: The values of the options that are no budgets.
    """

    command: str
    words: tuple[str, ...]
    values: Mapping[str, str]
    options: TuneOptions
    flags: frozenset[str] = frozenset()
    trial: int | None = None
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def store(self) -> str | None:
        """The store that was named."""
        return self.texts.get("--store")


def parse_command(line: str) -> Arguments:
    """Take the line of `%hpo` apart.

    Raises:
        InvalidInput: with every problem of the line.
    """
    try:
        name, *rest = shlex.split(line, comments=True) or [""]
    except ValueError as error:
        raise InvalidInput([Problem("%hpo", f"cannot be read: {error}")]) from None
    command = COMMANDS.get(name)
    if command is None:
        lacking = f"no such command: {name!r}" if name else "a command is needed"
        message = f"{lacking}; there are {', '.join(COMMANDS)}{nearest(name, list(COMMANDS))}"
        raise InvalidInput([Problem("%hpo", message)])
    where = f"%hpo {name}"
    parts = split_arguments(
        rest,
        taking=[flag for flag, takes_value in command.flags.items() if takes_value],
        bare=[flag for flag, takes_value in command.flags.items() if not takes_value],
        where=where,
    )
    values, problems = parts.values, parts.problems
    assignments = [word for word in parts.words if command.takes_values and "=" in word]
    words = [word for word in parts.words if word not in assignments]
    point = {key: text for key, _, text in (word.partition("=") for word in assignments)}
    if not command.least <= len(words) <= command.words:
        form = f"%hpo {name} {command.form}".rstrip()
        there = f"; there are {', '.join(figures.names())}" if name == "plot" and not words else ""
        lacking = "no figure" if there else "no name"
        shown = " ".join(words) or lacking
        problems.append(Problem(where, f"found {shown!r}; write {form}{there}"))
    texts = {flag: values.pop(flag)[-1] for flag in _TEXTS if flag in values}
    flags = frozenset(flag for flag in values if not command.flags.get(flag, True))
    for flag in flags:
        del values[flag]
    trial = texts.get("--trial")
    if trial is not None and not _is_number(trial):
        problems.append(Problem(where, f"--trial: {trial!r} is no trial's number"))
    options, invalid = parse_values(values, where=where)
    if problems or invalid:
        raise InvalidInput([*problems, *invalid])
    number = None if trial is None else int(trial)
    return Arguments(name, tuple(words), point, options, flags, number, texts)


class Commands:
    """Runs the commands in one shell.

    Attributes:
        last: The experiment that this shell started last.
        location: The store that it went to, None for the default one.
        halves: Makes the two notebooks that `check` compares; None before a cell was tuned.
        tensorboards: The TensorBoards of this kernel.
        interrupted: What to say when the command that runs now is interrupted.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self.last: Experiment | None = None
        self.location: str | None = None
        self.halves: Callable[[], Halves] | None = None
        self.interrupted = "Interrupted."
        self._panels: dict[str, LiveProgress] = {}
        self.tensorboards = TensorBoards()

    def show(
        self, experiment: Experiment, decisions: Sequence[Decision] = (), note: str = ""
    ) -> None:
        """Show *experiment* in the running cell, and keep it up to date; see `LiveProgress`."""
        panel = LiveProgress(self._shell, experiment, decisions=decisions, note=note)
        self._panels[experiment.uid] = panel
        panel.follow_in_background()

    def run(self, line: str) -> str:
        """Run what *line* says.

        Returns:
            The code that is to be run here now, empty where there is none.

        Raises:
            InvalidInput: when the line or what it names is not valid.
            TimeoutError: when the time to wait is over.
        """
        arguments = parse_command(line)
        self.interrupted = "Interrupted."
        run = getattr(self, f"_{arguments.command}")
        if arguments.command in _OF_NO_NAME:
            run(arguments)
            return ""
        source: str | None = run(self._find(arguments), arguments)
        return source or ""

    def _check(self, arguments: Arguments) -> None:
        if self.halves is None:
            message = "no cell was tuned here yet; run %%tune, with --dry-run to start nothing"
            raise InvalidInput([Problem("%hpo check", message)])
        self.interrupted = INTERRUPTED_CHECK
        comparison = compare(self.halves())
        print(comparison)
        if not comparison.agrees:
            raise InvalidInput([Problem("%hpo check", "the trials would not see the same")])

    def _find(self, arguments: Arguments) -> Experiment:
        experiments = Experiments(arguments.store or self.location)
        if arguments.words:
            experiment = experiments.find(arguments.words[0])
            if note := experiments.note(arguments.words[0], experiment):
                print(note)
            return experiment
        if (
            self.last is not None
            and arguments.store is None
            and self.last.store.experiment_by_uid(self.last.uid)
        ):
            return self.last
        summaries = experiments.list(everywhere=False)
        # What an earlier version recorded is of no folder.
        here = [summary for summary in summaries if summary.project]
        candidates = here or (summaries if len(summaries) == 1 else [])
        titles = [summary.title for summary in candidates]
        if candidates and (len(candidates) == 1 or arguments.command in _LOOKING):
            print(_which(titles) if here else titles[0])
            return experiments.get(candidates[0].uid)
        titles = titles or [summary.title for summary in summaries]
        there = f"say which: {', '.join(sorted(titles))}" if titles else "there are none yet"
        where = f"%hpo {arguments.command}"
        raise InvalidInput([Problem(where, f"this kernel has started no experiment; {there}")])

    def _list(self, arguments: Arguments) -> None:
        experiments = Experiments(arguments.store or self.location)
        folders = "--all" in arguments.flags
        summaries = experiments.list(everywhere=folders)
        if summaries:
            now = time.time()
            bundle = {
                "text/html": listing_html(summaries, now, folders=folders),
                "text/plain": listing_text(summaries, now, folders=folders),
            }
            publish(self._shell, bundle)
        count = len(summaries)
        if note := elsewhere_note(count, experiments.count() - count, "%hpo list --all"):
            print(note)

    def _show(self, experiment: Experiment, arguments: Arguments) -> None:
        self.show(experiment)

    def _plot(self, arguments: Arguments) -> None:
        *words, figure = arguments.words
        experiment = self._find(replace(arguments, words=tuple(words)))
        show_plot(self._shell, experiment, figure, arguments.texts)

    def _report(self, experiment: Experiment, arguments: Arguments) -> None:
        write_report(experiment, arguments.texts.get("--out", f"{experiment.name}.html"))

    def _tensorboard(self, experiment: Experiment, arguments: Arguments) -> None:
        self.tensorboards.show(experiment)

    def _dashboard(self, experiment: Experiment, arguments: Arguments) -> None:
        from hpo_lab.dashboard.widget.dashboard import Dashboard

        try:
            dashboard = Dashboard(experiment)
        except ImportError as error:
            raise InvalidInput([Problem("%hpo dashboard", str(error))]) from None
        if can_update(self._shell):
            dashboard.show(self._shell)
        else:
            self.show(experiment)

    def _best(self, experiment: Experiment, arguments: Arguments) -> str:
        best = experiment.chosen(arguments.trial)
        asked = {flag: f"--{flag}" in arguments.flags for flag in ("apply", "run", "write")}
        return use_best(self._shell, best, **asked)

    def _wait(self, experiment: Experiment, arguments: Arguments) -> None:
        name = experiment.title
        self.interrupted = (
            f"Stopped waiting; {name} goes on in the background. %hpo stop {name} ends it."
        )
        timeout = arguments.options.timeout
        until = None if timeout is None else time.monotonic() + timeout
        panel = self._panels.get(experiment.uid)
        # What changes in place in another cell is not shown a second time.
        in_line = panel is not None and panel.updates
        if not LiveProgress(self._shell, experiment, in_line=in_line).follow(until):
            raise TimeoutError(f"{name} still runs after {timeout:g} seconds, and goes on")

    def _stop(self, experiment: Experiment, arguments: Arguments) -> None:
        if experiment.stop():
            print(f"{experiment.title} stops; %hpo resume {experiment.title} goes on with it.")
            return
        _, state = experiment_state(experiment.summary())
        print(f"{experiment.title} does not run ({state}).")

    def _resume(self, experiment: Experiment, arguments: Arguments) -> None:
        budgets = arguments.options.budgets
        for notice in resume(experiment.store, experiment.record, Dialect.LINE, **budgets):
            print(notice)
        self.last = experiment
        self._show(experiment, arguments)

    def _enqueue(self, experiment: Experiment, arguments: Arguments) -> None:
        parameters = experiment.record.document.spec.parameters
        print(f"{experiment.enqueue(read_point(parameters, arguments.values))}.")

    def _delete(self, experiment: Experiment, arguments: Arguments) -> None:
        trials = experiment.summary().ended_trials
        experiment.delete()
        print(f"{experiment.title} is deleted, with {trials}.")

    def _logs(self, experiment: Experiment, arguments: Arguments) -> None:
        if len(arguments.words) > 1:
            text = arguments.words[1]
            if not _is_number(text):
                raise InvalidInput([Problem("%hpo logs", f"{text!r} is no trial's number")])
            number: int | None = int(text)
        else:
            failure = experiment.last_failure()
            number = failure.number if failure else None
        title = experiment.title
        if number is None:
            print(f"{title}: no trial failed; the runner says:\n{_tail(experiment.log)}")
            return
        log = experiment.log_of(number)
        print(f"{title}, trial {number} ({log}):\n{_tail(log)}")


def _which(titles: list[str]) -> str:
    """What is said where the first of these experiments of a folder was taken."""
    newest, *others = titles
    shown = ", ".join([*others[:_OTHERS], *(["..."] if others[_OTHERS:] else [])])
    return f"{newest}, the newest of this folder" + (f"; others are {shown}" if others else "")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _tail(log: Path) -> str:
    """The end of a log; a trial that has not started has none."""
    tail = tail_of(log, _LOG_TAIL)
    return "nothing yet" if tail is None else printable(tail.text, colours=True) or "nothing"
