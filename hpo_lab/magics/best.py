"""`%hpo best`: shows the best values, sets them, runs the cell with them, writes them."""

from __future__ import annotations

import ast
import inspect
import re
from typing import Any

from hpo_lab.dashboard.words import best_line
from hpo_lab.facade.assigned import assigned
from hpo_lab.facade.best import BestTrial
from hpo_lab.facade.handle import Experiment
from hpo_lab.notebook.literals import literal_edits
from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.notebook.trial_notebook import TrialNotebook
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.source_edits import edited
from hpo_lab.trial.folder import NOTEBOOK

__all__ = ["run_in_place", "use_best"]


def use_best(shell: Any, best: BestTrial, *, apply: bool, run: bool, write: bool) -> str:
    """Print the best values, and do with them what is asked.

    Args:
        shell: The IPython shell.
        best: The trial.
        apply: Have the variables set.
        run: The cell is to be run.
        write: Put the cell with the values into a new cell.

    Returns:
        The cell to run, empty where there is none.

    Raises:
        InvalidInput: There is no cell, or what it needs to run is not defined.
    """
    experiment, namespace = best.experiment, shell.user_ns
    values = assigned(experiment, best.parameters)
    source = ""
    if run or write:
        notebook = _notebook(experiment)
        if run:
            _require_runnable(experiment.title, notebook, namespace)
        cell = notebook.tuned_source()
        source = edited(cell, literal_edits(cell, values)).strip("\n")
    lines = [_headline(best)]
    for name, value in values.items():
        notes = [] if name in best.parameters else ["inactive"]
        if apply:
            notes.append(f"was {_short(namespace[name])}" if name in namespace else "new")
        lines.append(f"{name} = {value!r}" + (f"  ({', '.join(notes)})" if notes else ""))
    if apply and not run:
        # Run as a cell is, so that the trials of a cell below have them too.
        source = "\n".join(f"{name} = {value!r}" for name, value in values.items())
    if write:
        shell.set_next_input(source)
        lines.append("The new cell below is the tuned cell with these values.")
    print("\n".join(lines))
    return source if run or apply else ""


def run_in_place(shell: Any, source: str, line: str) -> None:
    """Run *source* in the shell as if it stood where `%hpo` *line* stands.

    Its error is raised, and shown as that of any cell.
    """
    __tracebackhide__ = True
    inputs = shell.history_manager.input_hist_raw
    count, handlers = shell.execution_count, (shell.custom_exceptions, shell.CustomTB)

    def set_back(*_: Any) -> None:
        shell.execution_count = count

    if _replace_in_history(shell, line, source):
        # Its traceback calls a cell by the number with which it begins, and IPython may have
        # counted on.
        shell.execution_count = len(inputs) - 1
    shell.events.register("pre_run_cell", set_back)
    # The cell of the magic shows the error, once.
    shell.set_custom_exc((BaseException,), lambda *_, **__: None)
    try:
        result = shell.run_cell(source)
    finally:
        shell.custom_exceptions, shell.CustomTB = handlers
        shell.events.unregister("pre_run_cell", set_back)
        set_back()
    result.raise_error()


def _replace_in_history(shell: Any, line: str, source: str) -> bool:
    """Put *source* where the line of the magic stands in the input that runs.

    The cells below then find there what is defined here, also `%%tune`.
    """
    history = shell.history_manager
    lines = history.input_hist_raw[-1].split("\n")
    places = [
        number
        for number, text in enumerate(lines)
        if re.match(r"%?hpo\s", text) and text.split()[1:] == line.split()
    ]
    if not places:
        return False
    lines[places[0]] = source
    history.input_hist_raw[-1] = "\n".join(lines)
    history.input_hist_parsed[-1] = shell.transform_cell("\n".join(lines))
    return True


def _notebook(experiment: Experiment) -> TrialNotebook:
    notebook = experiment.artifact(NOTEBOOK)
    if notebook is None:
        message = "no notebook cell was tuned; --run and --write are for those"
        raise InvalidInput([Problem(experiment.title, message)])
    return TrialNotebook.read(notebook.read())


def _require_runnable(title: str, notebook: TrialNotebook, namespace: dict[str, Any]) -> None:
    tree = ParsedCell(notebook.tuned_source()).tree
    if isinstance(tree, ast.Module):
        code = compile(tree, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        if code.co_flags & inspect.CO_COROUTINE:
            message = (
                "the cell awaits, which no magic can; %hpo best --write makes a new cell of it"
            )
            raise InvalidInput([Problem(title, message)])
    problems = []
    for earlier, names in notebook.lacking(namespace):
        begin = _short_text(next(filter(None, map(str.strip, earlier.lines))))
        message = f"the cell needs {', '.join(names)}; first run the cell that begins `{begin}`"
        problems.append(Problem(title, message))
    if problems:
        raise InvalidInput(problems)


def _headline(best: BestTrial) -> str:
    summary = best.experiment.summary()
    which = "best "
    if summary.best and summary.best.number != best.number:
        which = ""
    elif summary.front:
        which = f"{len(summary.front)} on the Pareto front, first "
    return f"{best.experiment.title}: {which}{best_line(best)}"


def _short(value: object) -> str:
    return _short_text(repr(value))


def _short_text(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
