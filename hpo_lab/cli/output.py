"""Where a command writes: results to standard output, messages to standard error."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from textwrap import indent
from typing import Any

from rich.console import Console

from hpo_lab.counting import counted
from hpo_lab.dashboard.safe_console import SafeConsole
from hpo_lab.dashboard.tables import print_front, print_parameters
from hpo_lab.dashboard.words import best_in_words
from hpo_lab.experiment.manifest import dump_document
from hpo_lab.facade.assigned import notebook_defaults
from hpo_lab.facade.best import BestTrial
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.summary import Summary
from hpo_lab.masking import MASK, masked_document, masked_places
from hpo_lab.problems import Problem

__all__ = [
    "files_of_best",
    "messages",
    "print_best",
    "print_failure",
    "print_json",
    "print_json_list",
    "require_reader",
    "results",
    "shown_manifest",
]

_PIPED_WIDTH = 10_000
_CONTROL = re.compile("[\x7f-\x9f]")


def results() -> Console:
    """The console for results; wide when it is no terminal, so that nothing is left out."""
    console = SafeConsole(markup=False, highlight=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _PIPED_WIDTH
    return console


def messages() -> Console:
    """The console for progress and messages."""
    return SafeConsole(stderr=True, markup=False, highlight=False, emoji=False, soft_wrap=True)


def is_terminal() -> bool:
    """Whether a person reads standard output as it comes."""
    return sys.stdout.isatty()


def require_reader(option: str) -> Iterator[Problem]:
    """Why a document is not printed: it is no text for a person, who gives *option*."""
    if is_terminal():
        yield Problem("--out", f"is missing; give a file, such as {option}, or -o - to print it")


def files_of_best(best: BestTrial) -> dict[str, Any]:
    """The executed notebook of *best* and what it kept, as plain data."""
    kept = [
        {"name": each.name, "mediaType": each.media_type, "path": str(each.path or "")}
        for each in best.kept
    ]
    return {"notebook": str(best.notebook) if best.notebook else None, "kept": kept}


def print_best(experiment: Experiment, summary: Summary, *, intro: str = "") -> None:
    """Print the best trial, or, of several objectives, the Pareto front.

    Args:
        experiment: An experiment.
        summary: How it is; it has a best trial.
        intro: Stands before the best trial.
    """
    out = results()
    if summary.front:
        out.print(f"Pareto front: {counted(len(summary.front), 'trial')}", style="bold")
        out.print()
        print_front(out, summary)
    elif summary.best:
        out.print(f"{intro}{best_in_words(summary)}", style="bold")
        out.print()
        print_parameters(out, summary.best.parameters, notebook_defaults(experiment))
    if best := experiment.chosen(summary.best.number) if summary.best else None:
        lines = [f"Notebook of trial {best.number}: {best.notebook}"] if best.notebook else []
        lines += [f"Kept by trial {best.number}: {each.path or each.name}" for each in best.kept]
        if lines:
            out.print()
            out.print("\n".join(lines), soft_wrap=True)


def print_failure(experiment: Experiment, intro: str) -> None:
    """Print the failure of the trial that failed last, if any, and where there is more of it.

    Args:
        experiment: An experiment.
        intro: Stands before the number of the trial.
    """
    failure = experiment.last_failure()
    if failure is None:
        return
    out = results()
    out.print()
    out.print(f"{intro} {failure.number}: {failure.message}", style="red", soft_wrap=True)
    if failure.excerpt:
        out.print(indent(failure.excerpt, "  "), soft_wrap=True)
    logs = experiment.store.command(f"logs {experiment.title} {failure.number}")
    out.print(f"More: {logs}", soft_wrap=True)


def shown_manifest(document: Any, form: str, show_secrets: bool) -> str:
    """A manifest as text; a message says how to get what is masked in it.

    Args:
        document: The manifest, plain data.
        form: `yaml` or `json`.
        show_secrets: Whether nothing is masked.
    """
    shown = document if show_secrets else masked_document(document)
    if count := sum(1 for _ in masked_places(shown)):
        values = f"{count} value is" if count == 1 else f"{count} values are"
        note = f"{values} masked ({MASK}), and the manifest does not run so; --show-secrets"
        messages().print(f"{note} prints {'it' if count == 1 else 'them'}.", style="dim")
    return dump_document(shown, form)


def print_json_list(items: Iterable[Any]) -> None:
    """Print *items* as the one JSON document of a command, each as soon as it is there."""
    before = "["
    for item in items:
        text = _json(item)
        print(before, indent(text, "  "), sep="\n", end="")
        before = ","
    print("[]" if before == "[" else "\n]")


def print_json(document: Any) -> None:
    """Print *document* as the one JSON document of a command."""
    print(_json(document))


def _json(document: Any) -> str:
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    # JSON lets these stand as they are; a terminal may obey them.
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
