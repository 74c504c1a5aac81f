"""From a file to a checked experiment, and `hpo-lab validate`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from hpo_lab.api import check
from hpo_lab.cli.options import json_option
from hpo_lab.cli.output import print_json, results
from hpo_lab.dashboard.tables import decisions_table, duration, number, space_table
from hpo_lab.experiment.manifest import read
from hpo_lab.experiment.model import Experiment, ExperimentSpec
from hpo_lab.options import OPTIONS, TuneOptions
from hpo_lab.prepare import Prepared, prepare_notebook
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.trial.kinds import trial_kinds

__all__ = ["prepare", "runs_here", "validate_command"]

_MANIFESTS = (".yaml", ".yml", ".json")
_WITH_SOURCES = ("NotebookTrial", "FunctionTrial")


def prepare(
    path: Path, options: TuneOptions, cell: str | None, problems: Sequence[Problem] = ()
) -> Prepared:
    """The checked experiment of a notebook or a manifest.

    Args:
        path: The file.
        options: For a notebook; they win over the cell's own line.
        cell: Which `%%tune` cell of a notebook with several.
        problems: What is wrong already.

    Raises:
        InvalidInput: with *problems* and every other one.
    """
    found = list(problems)
    try:
        if path.suffix == ".ipynb":
            prepared = prepare_notebook(path, options, cell=cell)
        elif path.suffix in _MANIFESTS:
            found += _unfit(options, cell)
            prepared = Prepared(read(path), {})
        else:
            message = f"is no notebook (.ipynb) and no manifest ({', '.join(_MANIFESTS)})"
            raise InvalidInput([Problem(str(path), message)])
        check(prepared.experiment)
    except InvalidInput as error:
        raise InvalidInput([*found, *error.problems], error.source) from None
    if found:
        raise InvalidInput(found)
    return prepared


def _unfit(options: TuneOptions, cell: str | None) -> list[Problem]:
    """Options that were given although a manifest says it all."""
    given = [option.flag for option in OPTIONS if getattr(options, option.field) not in (None, ())]
    given += [f"--{options.direction.value}"] if options.direction else []
    given += ["--cell"] if cell is not None else []
    return [Problem(flag, "is for notebooks; a manifest says this itself") for flag in given]


def runs_here(experiment: Experiment) -> None:
    """Check that this machine can run the trials of a manifest.

    Raises:
        InvalidInput: when it cannot.
    """
    template = experiment.spec.trial_template
    kind = template.kind[1] if template else ""
    if kind in _WITH_SOURCES:
        message = (
            f"found {kind!r}, which needs source files that a manifest does not carry; run "
            "the notebook itself, or call hpo_lab.tune"
        )
    elif kind not in trial_kinds():
        known = ", ".join(trial_kinds())
        message = f"found {kind!r}; the kinds that can be run on this machine are {known}"
    else:
        return
    raise InvalidInput([Problem("spec.trialTemplate.trialSpec.kind", message)])


@click.command("validate")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--cell", metavar="N", help="Which %%tune cell: its number or id.")
@json_option
def validate_command(file: Path, cell: str | None, as_json: bool) -> None:
    """Check a notebook or a manifest; start nothing, write nothing.

    Shows what would be searched and, for a notebook, which earlier cells the trials run.
    """
    prepared = prepare(file, TuneOptions(), cell)
    spec = prepared.experiment.spec
    if as_json:
        decisions = [
            {"cell": each.cell.label, "kept": each.kept, "reason": each.reason}
            for each in prepared.decisions
        ]
        print_json({"experiment": prepared.experiment.to_document(), "decisions": decisions})
        return
    out = results()
    out.print("ok", style="green")
    out.print(_in_words(spec), soft_wrap=True)
    out.print()
    out.print(space_table(spec))
    if prepared.decisions:
        out.print()
        out.print(decisions_table(prepared.decisions))


def _in_words(spec: ExperimentSpec) -> str:
    objective = spec.objective
    goal = "" if objective.goal is None else f" until it is {number(objective.goal)}"
    parts = [f"{objective.type.value} {objective.objective_metric_name}{goal}"]
    parts.append(f"algorithm {spec.algorithm.algorithm_name}")
    if spec.max_trial_count is not None:
        parts.append(f"{spec.max_trial_count} trials")
    parts.append(f"{spec.parallel_trial_count} at a time")
    if spec.active_deadline_seconds is not None:
        parts.append(f"{duration(spec.active_deadline_seconds)} in all")
    if spec.trial_active_deadline_seconds is not None:
        parts.append(f"{duration(spec.trial_active_deadline_seconds)} a trial")
    if spec.max_failed_trial_count is not None:
        parts.append(f"gives up after {spec.max_failed_trial_count} failed trials")
    return ", ".join(parts)
