"""The command line: `hpo-lab`.

Each command is imported when it is used, so that help and short looks at the store start
quickly. Results go to standard output, everything else to standard error.

Exit codes: 0 done; 1 the experiment failed or has no result; 2 bad input; 130 and 143
interrupted by SIGINT and SIGTERM, or stopped from elsewhere.
"""

from __future__ import annotations

import gc
import json
import sys
from importlib import import_module
from typing import Any

import click

from hpo_lab import __version__
from hpo_lab.masking import masked
from hpo_lab.printable import printable
from hpo_lab.problems import InvalidInput, Problem, nearest

__all__ = ["main"]

FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130

_COMMANDS = {
    "run": ("hpo_lab.cli.running", "Run the experiment of a notebook or a manifest."),
    "resume": ("hpo_lab.cli.running", "Continue a stopped, interrupted or finished experiment."),
    "validate": ("hpo_lab.cli.validating", "Check a notebook or a manifest; start nothing."),
    "convert": ("hpo_lab.cli.converting", "Turn a manifest, notebook or study into another."),
    "list": ("hpo_lab.cli.looking", "List the experiments."),
    "show": ("hpo_lab.cli.looking", "Show one experiment, or print it as a manifest."),
    "best": ("hpo_lab.cli.best", "Show the best trial, or write its values into a notebook."),
    "trials": ("hpo_lab.cli.looking", "List the trials of an experiment."),
    "logs": ("hpo_lab.cli.logs", "Print the log of a trial."),
    "plot": ("hpo_lab.cli.plotting", "Draw a figure of an experiment."),
    "report": ("hpo_lab.cli.reporting", "Write a report of an experiment, or compare several."),
    "tensorboard": ("hpo_lab.cli.tensorboard", "Show the trials of an experiment in TensorBoard."),
    "stop": ("hpo_lab.cli.ending", "Stop a running experiment; it can be resumed."),
    "enqueue": ("hpo_lab.cli.enqueuing", "Have given values tried in the next new trial."),
    "delete": ("hpo_lab.cli.ending", "Delete an experiment, its trials and their files."),
    "suggestion-service": ("hpo_lab.cli.serving", "Serve the search algorithms to Katib."),
}


class _Commands(click.Group):
    """The commands by name, and how their errors are shown."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _ = _COMMANDS[cmd_name]
        if module not in sys.modules:
            _import_at_once(module)
        command = getattr(sys.modules[module], f"{cmd_name.replace('-', '_')}_command")
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in _COMMANDS and not ctx.resilient_parsing:
            hint = nearest(name, list(_COMMANDS)) or f"; known are {', '.join(_COMMANDS)}"
            raise InvalidInput([Problem(name, f"unknown command{hint}")])
        if _runs_notebook(args):
            from hpo_lab.execution.client import ForkServer

            # It takes as long to start as the command does.
            server = ForkServer()
            ctx.call_on_close(server.close)
            ctx.obj = server
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # Known before anything can be wrong with the rest.
        ctx.meta["hpo_lab.json"] = "--json" in args
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            from hpo_lab.cli.arguments import usage_problem

            _say_problems(ctx, InvalidInput([usage_problem(error)]))
            ctx.exit(BAD_INPUT)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except InvalidInput as error:
            _say_problems(ctx, error)
            ctx.exit(BAD_INPUT)
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except Exception as error:
            if not _is_expected(error):
                raise
            click.echo(f"error: {masked(printable(str(error)))}", err=True)
            ctx.exit(FAILED)


def _runs_notebook(args: list[str]) -> bool:
    """Whether the trials of a command are probably forked."""
    is_run = args[0] == "run" and not {"-h", "--help"} & set(args)
    return is_run and sys.platform == "linux" and any(arg.endswith(".ipynb") for arg in args)


def _import_at_once(module: str) -> None:
    """Import without looking for garbage, of which modules make none; a tenth of the start."""
    gc.disable()
    try:
        import_module(module)
        gc.freeze()
    finally:
        gc.enable()


def _say_problems(ctx: click.Context, error: InvalidInput) -> None:
    click.echo(str(error), err=True)
    if ctx.meta["hpo_lab.json"]:
        problems = [
            {"where": each.where, "message": masked(each.message)} for each in error.problems
        ]
        click.echo(json.dumps({"problems": problems}, indent=2))


def _is_expected(error: Exception) -> bool:
    """Whether the search has no answer, or somebody else took or deleted the experiment."""
    from hpo_lab.search.ask import InvalidSuggestion
    from hpo_lab.store import LeaseLost, NotFound, StoreGone, StoreUnavailable

    kinds = InvalidSuggestion | LeaseLost | NotFound | StoreGone | StoreUnavailable | TimeoutError
    return isinstance(error, kinds)


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hpo-lab")
def main() -> None:
    """Tune a notebook cell, and look after experiments.

    Experiments are kept in the store: --store, else $HPO_LAB_STORE, else a file of yours.
    """
