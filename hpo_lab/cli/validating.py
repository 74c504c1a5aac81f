"""`hpo-lab validate`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from hpo_lab.cli.arguments import PlainCommand
from hpo_lab.cli.options import json_option
from hpo_lab.cli.output import messages, print_json, results
from hpo_lab.counting import counted
from hpo_lab.dashboard.tables import (
    decisions_table,
    space_table,
)
from hpo_lab.dashboard.words import duration, number, objective_in_words
from hpo_lab.execution.slice_check import INTERRUPTED_CHECK, compare
from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.rules import run_problems
from hpo_lab.options import TuneOptions
from hpo_lab.prepare import PreparedCell, prepare_file, runs_here
from hpo_lab.problems import InvalidInput, Problem

__all__ = ["say_warnings", "validate_command"]


@click.command("validate", cls=PlainCommand)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--cell", metavar="N", help="Which %%tune cell: its number or id.")
@click.option("--template", metavar="FILE", help="Trial template in place of the manifest's.")
@click.option("--runtime", metavar="ENGINE", help="As of run: containers in docker or podman.")
@click.option(
    "--map",
    "paths",
    metavar="CONTAINER=HERE",
    multiple=True,
    help="As of run: a folder here that stands for a path in the containers.",
)
@click.option(
    "--with",
    "beside",
    metavar="FILE",
    multiple=True,
    help="ConfigMaps and Secrets that the manifest refers to; may be repeated.",
)
@click.option(
    "--execute",
    is_flag=True,
    help="Run the notebook whole and as the trials do, and compare what the cell reads.",
)
@json_option
def validate_command(
    file: Path,
    cell: str | None,
    template: str | None,
    runtime: str | None,
    paths: tuple[str, ...],
    beside: tuple[str, ...],
    execute: bool,
    as_json: bool,
) -> None:
    """Check a notebook or a manifest; start no trials, write nothing.

    Shows what would be searched and, for a notebook, which earlier cells the trials run.
    """
    prepared = prepare_file(
        file,
        TuneOptions(),
        cell,
        template=template,
        runtime=runtime,
        paths=paths,
        beside=beside,
    )
    spec, warnings = prepared.experiment.spec, prepared.warnings
    if spec.trial_template is not None:
        warnings = runs_here(prepared, runtime=runtime, paths=paths).warnings
    comparison = None
    if execute:
        if not isinstance(prepared, PreparedCell):
            raise InvalidInput([Problem("--execute", "is for notebooks")])
        try:
            comparison = compare(prepared.halves())
        except KeyboardInterrupt:
            messages().print(INTERRUPTED_CHECK)
            raise
    warnings = (*warnings, *run_problems(prepared.experiment))
    decisions = prepared.decisions if isinstance(prepared, PreparedCell) else ()
    if as_json:
        taken = [
            {"cell": each.cell.label, "kept": each.kept, "reason": each.reason}
            for each in decisions
        ]
        said = [{"where": each.where, "message": each.message} for each in warnings]
        document: dict[str, object] = {
            "experiment": prepared.experiment.to_document(),
            "decisions": taken,
            "warnings": said,
        }
        if comparison is not None:
            document["comparison"] = {"agrees": comparison.agrees, **asdict(comparison)}
        print_json(document)
        raise SystemExit(0 if comparison is None or comparison.agrees else 1)
    say_warnings(warnings)
    out = results()
    out.print("ok", style="green")
    out.print(_in_words(spec), soft_wrap=True)
    out.print()
    out.print(space_table(spec))
    if decisions:
        out.print()
        out.print(decisions_table(decisions))
    if comparison is not None:
        out.print()
        out.print(str(comparison), style="green" if comparison.agrees else "red", soft_wrap=True)
        raise SystemExit(0 if comparison.agrees else 1)


def say_warnings(warnings: Sequence[Problem]) -> None:
    """Print *warnings* as messages."""
    out = messages()
    for warning in warnings:
        out.print(f"warning: {warning}", style="yellow")


def _in_words(spec: ExperimentSpec) -> str:
    objective = spec.objective
    goal = "" if objective.goal is None else f" until it is {number(objective.goal)}"
    parts = [f"{objective_in_words(objective)}{goal}"]
    parts.append(f"algorithm {spec.algorithm.algorithm_name}")
    if spec.early_stopping is not None:
        parts.append(f"early stopping {spec.early_stopping.algorithm_name}")
    if spec.max_trial_count is not None:
        parts.append(counted(spec.max_trial_count, "trial"))
    parts.append(f"{spec.parallel_trial_count} at a time")
    if spec.active_deadline_seconds is not None:
        parts.append(f"{duration(spec.active_deadline_seconds)} in all")
    if spec.trial_active_deadline_seconds is not None:
        parts.append(f"{duration(spec.trial_active_deadline_seconds)} a trial")
    if spec.max_failed_trial_count is not None:
        parts.append(f"gives up after {counted(spec.max_failed_trial_count, 'failed trial')}")
    return ", ".join(parts)
