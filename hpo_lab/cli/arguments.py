"""Commands whose line is refused with every problem at once, in the words of all others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from hpo_lab.cli.naming import problems_of_name
from hpo_lab.options import split_arguments
from hpo_lab.problems import InvalidInput, Problem, nearest

__all__ = ["PlainCommand", "usage_problem"]


class PlainCommand(click.Command):
    """A command that collects what is wrong with its line, where click stops at the first."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments.

        Raises:
            InvalidInput: with every problem, a missing file or experiment included.
        """
        line = list(args)
        try:
            return super().parse_args(ctx, args)
        except (click.UsageError, InvalidInput) as error:
            first = (
                [usage_problem(error)] if isinstance(error, click.UsageError) else error.problems
            )
            raise InvalidInput(list(_problems(self, ctx, line)) or first) from None


def usage_problem(error: click.UsageError) -> Problem:
    """What click found wrong, as a problem."""
    if isinstance(error, click.NoSuchOption):
        hint = nearest(error.option_name, error.possibilities or ())
        return Problem(error.option_name, f"unknown option{hint}")
    message = error.format_message().rstrip(".")
    return Problem("", f"{message[:1].lower()}{message[1:]}")


def _problems(command: click.Command, ctx: click.Context, line: list[str]) -> Iterator[Problem]:
    options = [param for param in command.get_params(ctx) if isinstance(param, click.Option)]
    flags = {flag: option for option in options for flag in option.opts}
    parts = split_arguments(
        line,
        taking=[flag for flag, option in flags.items() if not _is_bare(option)],
        bare=[flag for flag, option in flags.items() if _is_bare(option)],
    )
    yield from parts.problems
    for flag, texts in parts.values.items():
        if not _is_bare(flags[flag]):
            for text in texts:
                yield from _problems_of_value(flag, text, flags[flag], ctx)
    arguments = [param for param in command.params if isinstance(param, click.Argument)]
    words = parts.words
    if not words and any(argument.required for argument in arguments):
        # What follows an unknown option may be its value, or all there is.
        words = parts.unclaimed[-1:]
    store = next(iter(parts.values.get("--store", [])[-1:]), None)
    is_store_clear = all(problem.where != "--store" for problem in parts.problems)
    for argument in arguments:
        what = argument.make_metavar(ctx).strip("[]").removesuffix("...")
        taken = len(words) if argument.nargs < 0 else 1
        for word in words[:taken]:
            yield from _problems_of_value(what, word, argument, ctx)
            if argument.name == "name" and is_store_clear:
                yield from problems_of_name(word, store)
            elif argument.name == "file" and not Path(word).exists():
                yield Problem(word, "no such file")
        if not words and argument.required:
            yield Problem(what, "is missing")
        words = words[taken:]
    yield from (Problem(word, "unexpected") for word in words)


def _is_bare(option: click.Option) -> bool:
    return bool(option.is_flag or option.count or option.is_eager)


def _problems_of_value(
    where: str, text: str, param: click.Parameter, ctx: click.Context
) -> Iterator[Problem]:
    if isinstance(param.type, click.Choice):
        words = [str(choice) for choice in param.type.choices]
        folded = text if param.type.case_sensitive else text.casefold()
        if folded not in (words if param.type.case_sensitive else map(str.casefold, words)):
            allowed = f"allowed are {', '.join(words)}{nearest(text, words)}"
            yield Problem(where, f"{text!r} is not allowed; {allowed}")
        return
    try:
        param.type.convert(text, param, ctx)
    except click.UsageError as error:
        message = error.message.rstrip(".")
        yield Problem(where, f"{message[:1].lower()}{message[1:]}")
