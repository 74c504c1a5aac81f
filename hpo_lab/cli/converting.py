"""`hpo-lab convert`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hpo_lab.cli.arguments import PlainCommand
from hpo_lab.cli.naming import experiment_named
from hpo_lab.cli.options import secrets_option, store_option
from hpo_lab.cli.output import messages, shown_manifest
from hpo_lab.cli.validating import say_warnings
from hpo_lab.counting import counted
from hpo_lab.experiment.conversion import from_katib, to_katib
from hpo_lab.experiment.model import ExperimentDocument
from hpo_lab.experiment.optimization_writing import optimization_job_of
from hpo_lab.prepare import prepare_manifest
from hpo_lab.problems import InvalidInput, Problem

__all__ = ["convert_command"]

_STUDY = "optuna:"


@click.command("convert", cls=PlainCommand)
@click.argument("source")
@click.option(
    "--to",
    "form",
    type=click.Choice(["hpolab", "katib", "optimizationjob", "notebook", "optuna"]),
    default="hpolab",
    show_default=True,
    help="Manifest of this group, Katib's or Trainer's, notebook, or study in an Optuna storage.",
)
@click.option("--out", "-o", type=click.Path(path_type=Path), help="File to write.")
@click.option("--storage", metavar="URL", help="The Optuna storage.")
@click.option("--cell", metavar="N", help="Which %%tune cell: its number or id.")
@secrets_option
@store_option
def convert_command(
    source: str,
    form: str,
    out: Path | None,
    storage: str | None,
    cell: str | None,
    show_secrets: bool,
    store: str | None,
) -> None:
    """Turn one way of writing an experiment into another.

    SOURCE is a manifest, a notebook with a %%tune cell, or optuna:STUDY; with --to optuna it
    is the name of a recorded experiment, whose trials are copied into a new study.
    """
    if form == "optuna" or source.startswith(_STUDY):
        if storage is None:
            raise InvalidInput([Problem("--storage", "is missing; give the storage's URL")])
        if form == "optuna":
            _to_optuna(source, storage, store)
            return
    text = _written(source, form, storage or "", cell, show_secrets)
    if out is None:
        print(text, end="")
    else:
        out.write_text(text, encoding="utf-8")


def _written(source: str, form: str, storage: str, cell: str | None, show_secrets: bool) -> str:
    path = Path(source)
    if form == "notebook":
        from hpo_lab.prepare.exchange import notebook_of

        notebook, warnings = notebook_of(prepare_manifest(path))
        say_warnings(warnings)
        return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    if source.startswith(_STUDY):
        from hpo_lab.search.studies import experiment_of_study

        experiment = experiment_of_study(storage, source.removeprefix(_STUDY))
    elif path.suffix == ".ipynb":
        from hpo_lab.prepare.exchange import manifest_of

        experiment = manifest_of(path, cell=cell)
    else:
        experiment = _read(path)
    if form == "katib":
        document, warnings = to_katib(experiment)
        say_warnings(warnings)
        return shown_manifest(document, "yaml", show_secrets)
    if form == "optimizationjob":
        return shown_manifest(optimization_job_of(experiment), "yaml", show_secrets)
    return shown_manifest(from_katib(experiment).to_document(), "yaml", show_secrets)


def _read(path: Path) -> ExperimentDocument:
    from hpo_lab.experiment.manifest import read_manifest

    manifest = read_manifest(path)
    say_warnings(manifest.warnings)
    return manifest.experiment


def _to_optuna(name: str, storage: str, store: str | None) -> None:
    from hpo_lab.facade.results import curves
    from hpo_lab.search.studies import copy_to_study

    experiment = experiment_named(store, name)
    document = experiment.record.document
    metric = document.spec.objective.objective_metric_name
    reported = curves(experiment.store, experiment.uid, metric, counts_reports=False)
    trials = list(experiment.tally().trials.values())
    count = copy_to_study(document, trials, storage, reported)
    there = counted(count, "trial is", "trials are")
    messages().print(f"{there} in the study {experiment.name}.")
