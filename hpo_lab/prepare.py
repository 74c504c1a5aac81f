"""From what a person wrote, a function or a notebook cell, to an experiment."""

from __future__ import annotations

import hashlib
import inspect
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpo_lab.experiment.model import API_VERSION, Experiment, Metadata, Parameter, TrialTemplate
from hpo_lab.experiment.space import Domain
from hpo_lab.options import TuneOptions
from hpo_lab.problems import InvalidInput, Problem, nearest
from hpo_lab.trial.function import FUNCTION

if TYPE_CHECKING:
    from hpo_lab.notebook.slicing import Decision

__all__ = ["Prepared", "experiment_name", "prepare_function", "prepare_notebook", "trial_template"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """An experiment ready to be enrolled.

    Attributes:
        experiment: The document.
        files: Its source files by name: media type and content.
        decisions: Which earlier cells a notebook's trials take along, and why.
    """

    experiment: Experiment
    files: Mapping[str, tuple[str, bytes]]
    decisions: tuple[Decision, ...] = ()


def experiment_name(text: str) -> str:
    """A valid experiment name made from *text*, such as a file's stem."""
    name = re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")
    if not name or not name[0].isalpha():
        name = f"tune-{name}" if name else "tune"
    return name[:40].rstrip("-")


def trial_template(kind: str, spec: Mapping[str, Any]) -> TrialTemplate:
    """A trial template of one of our own kinds."""
    return TrialTemplate(
        trial_spec={"apiVersion": API_VERSION, "kind": kind, "spec": dict(spec)}
    )


def prepare_function(
    function: Callable[..., Any], space: Mapping[str, Domain | str], options: TuneOptions
) -> Prepared:
    """Make an experiment whose trials call *function*.

    Raises:
        InvalidInput: when the space and the function's arguments do not fit.
    """
    import cloudpickle

    problems: list[Problem] = []
    parameters = []
    for name, domain in space.items():
        try:
            parameters.append(_parameter(name, domain))
        except ValueError as error:
            problems.append(Problem(f"space[{name!r}]", str(error)))
    call, mismatches = _call(function, list(space))
    problems += mismatches
    if problems:
        raise InvalidInput(problems, "tune()")
    pickled: bytes = cloudpickle.dumps(function)
    template = trial_template(
        "FunctionTrial",
        {
            "call": call,
            "source": _source_digest(function, pickled),
            "workingDirectory": str(Path.cwd()),
            "path": [str(Path(path).absolute()) for path in sys.path if path],
        },
    )
    name = options.name or experiment_name(getattr(function, "__name__", "tune"))
    return Prepared(
        Experiment(metadata=Metadata(name=name), spec=options.spec(parameters, template)),
        {FUNCTION: ("application/octet-stream", pickled)},
    )


def _parameter(name: str, domain: Domain | str) -> Parameter:
    if isinstance(domain, str):
        from hpo_lab.notebook.annotations import parse_domain

        domain = parse_domain(domain)
    if not isinstance(domain, Domain):
        raise ValueError(f"found {domain!r}; a domain such as hpo_lab.uniform(0, 1) is needed")
    return domain.named(name)


def _call(function: Callable[..., Any], names: list[str]) -> tuple[str, list[Problem]]:
    """How to call *function* with the parameters *names*, and what does not fit."""
    try:
        arguments = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return "keywords", []
    named = [a.name for a in arguments if a.kind in (a.POSITIONAL_OR_KEYWORD, a.KEYWORD_ONLY)]
    required = [a.name for a in arguments if a.default is a.empty and a.name in named]
    if len(named) == 1 and named[0] not in names:
        return "mapping", []
    problems = [
        Problem(name, "is an argument of the function without a default or a domain in the space")
        for name in required
        if name not in names
    ]
    if not any(a.kind is a.VAR_KEYWORD for a in arguments):
        problems += [
            Problem(f"space[{name!r}]", f"is no argument of the function{nearest(name, named)}")
            for name in names
            if name not in named
        ]
    return "keywords", problems


def _source_digest(function: Callable[..., Any], pickled: bytes) -> str:
    """What identifies the function: its source, since a pickle of it varies by process."""
    try:
        text = inspect.getsource(function).encode()
    except (OSError, TypeError):
        text = pickled
    return f"sha256:{hashlib.sha256(text).hexdigest()}"


def prepare_notebook(
    path: str | Path, options: TuneOptions, *, cell: str | None = None
) -> Prepared:
    """Make an experiment of the `%%tune` cell of the notebook at *path*.

    Args:
        path: The notebook.
        options: What was said outside the notebook; wins over the cell's own line.
        cell: Which `%%tune` cell where there are several: its number or id.

    Raises:
        InvalidInput: with every problem of the cell, its annotations and its options.
    """
    from hpo_lab.notebook.prepare import prepare_file

    return prepare_file(Path(path), options, cell=cell)
