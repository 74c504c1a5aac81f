"""Arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from hpo_lab.options import Option, TuneOptions, parse_values, split_arguments
from hpo_lab.options.objectives import OBJECTIVE_FLAGS, read_objective_flags
from hpo_lab.problems import Problem

__all__ = [
    "Request",
    "TuningCommand",
    "json_option",
    "name_argument",
    "names_argument",
    "out_option",
    "secrets_option",
    "store_option",
]

Function = TypeVar("Function", bound=Callable[..., Any])

_STORE_HELP = "Path of a SQLite file or URL of a database [default: $HPO_LAB_STORE]."


def store_option(function: Function) -> Function:
    """`--store`, as `store`."""
    return click.option("--store", metavar="LOCATION", help=_STORE_HELP)(function)


def json_option(function: Function) -> Function:
    """`--json`, as `as_json`."""
    text = "Print one JSON document on standard output."
    return click.option("--json", "as_json", is_flag=True, help=text)(function)


def secrets_option(function: Function) -> Function:
    """`--show-secrets`, as `show_secrets`."""
    text = "Print the values of passwords and tokens, which are masked otherwise."
    return click.option("--show-secrets", is_flag=True, help=text)(function)


def name_argument(function: Function) -> Function:
    """`NAME` of an experiment or the file that makes it, as `name`; completed from the store."""
    return click.argument("name", shell_complete=_complete_name)(function)


def names_argument(function: Function) -> Function:
    """`NAME...` of experiments, or the files that make them, as `name`."""
    return click.argument(
        "name", nargs=-1, required=True, metavar="NAME...", shell_complete=_complete_name
    )(function)


def out_option(text: str) -> Callable[[Function], Function]:
    """`--out`, as `out`; *text* says what is written."""
    return click.option("--out", "-o", metavar="PATH", type=click.Path(path_type=Path), help=text)


def _complete_name(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    from hpo_lab.facade.experiments import Experiments

    names = [summary.title for summary in Experiments(ctx.params.get("store")).list()]
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


@dataclass(frozen=True, slots=True)
class Request:
    """What a command that runs an experiment was asked for.

    Attributes:
        target: The file, or the name of the experiment; empty when it is missing.
        options: The tuning options.
        cell: `--cell`.
        template: `--template`.
        runtime: `--runtime`.
        paths: Every `--map`.
        beside: Every `--with`.
        store: `--store`.
        as_json: `--json`.
        fresh: `--fresh`.
        yes: `--yes`.
        problems: What is wrong with the arguments.
    """

    target: str
    options: TuneOptions
    cell: str | None
    template: str | None
    runtime: str | None
    paths: tuple[str, ...]
    beside: tuple[str, ...]
    store: str | None
    as_json: bool
    fresh: bool
    yes: bool
    problems: tuple[Problem, ...]


class TuningCommand(click.Command):
    """A command with tuning options; it is called with a `Request`.

    click would stop at the first bad option. Here all of them are collected, to be reported
    together with what is wrong with the notebook.
    """

    def __init__(
        self, *args: Any, tuning: Sequence[Option], objective: bool = False, **kwargs: Any
    ):
        """Make the command.

        Args:
            *args: As for any command.
            tuning: The options of `hpo_lab.options` that it takes.
            objective: Whether it takes `--maximize` and `--minimize`.
            **kwargs: As for any command.
        """
        super().__init__(*args, **kwargs)
        self._tuning = tuning
        options: list[click.Parameter] = []
        if objective:
            for flag, direction in OBJECTIVE_FLAGS.items():
                text = f"{direction.value.capitalize()} this metric, whatever the cell says; may"
                text = f"{text} be repeated, the first objective first."
                options.append(click.Option([flag], metavar="METRIC", help=text, multiple=True))
        for option in self._tuning:
            text = f"{option.help[0].upper()}{option.help[1:]}."
            multiple = option.repeatable
            options.append(
                click.Option([option.flag], metavar=option.form, help=text, multiple=multiple)
            )
        self.params[1:1] = options

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments into a `Request`."""
        if not args or ctx.resilient_parsing or {"-h", "--help"} & set(args):
            return super().parse_args(ctx, args)
        ctx.params = {"request": self._request(args)}
        return []

    def _request(self, args: list[str]) -> Request:
        flags = [param for param in self.params if isinstance(param, click.Option)]
        parts = split_arguments(
            args,
            taking=[flag for option in flags if not option.is_flag for flag in option.opts],
            bare=[flag for option in flags if option.is_flag for flag in option.opts],
        )
        mine = {option.flag for option in self._tuning}
        texts = {flag: parts.values[flag] for flag in parts.values if flag in mine}
        options, problems = parse_values(texts)
        problems = [*parts.problems, *problems]
        objective, wrong = read_objective_flags(parts.values)
        problems += wrong
        # What follows an unknown option may be its value, or all there is.
        words = parts.words or parts.unclaimed[-1:]
        what = self.params[0].human_readable_name
        if not words:
            problems.append(Problem(what, "is missing"))
        problems += [Problem(word, f"unexpected; one {what} is needed") for word in words[1:]]
        return Request(
            target=words[0] if words else "",
            options=options.over(objective),
            cell=parts.values.get("--cell", [None])[-1],
            template=parts.values.get("--template", [None])[-1],
            runtime=parts.values.get("--runtime", [None])[-1],
            paths=tuple(parts.values.get("--map", [])),
            beside=tuple(parts.values.get("--with", [])),
            store=parts.values.get("--store", [None])[-1],
            as_json="--json" in parts.values,
            fresh="--fresh" in parts.values,
            yes="--yes" in parts.values,
            problems=tuple(problems),
        )
