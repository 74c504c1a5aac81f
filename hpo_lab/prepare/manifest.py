"""From a manifest to an experiment, wherever it will run."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hpo_lab.experiment.document import OPTIMIZATION_JOB
from hpo_lab.experiment.manifest import (
    described,
    parse_manifest,
    parse_template,
    read_file,
    with_template,
)
from hpo_lab.experiment.model import API_VERSION, ExperimentDocument
from hpo_lab.experiment.rendering import config_map_object
from hpo_lab.notebook.trial_notebook import TrialNotebook
from hpo_lab.prepare.checking import check, every_problem
from hpo_lab.prepare.notebook_modules import modules_used
from hpo_lab.prepare.prepared import PreparedManifest
from hpo_lab.prepare.wording import Dialect, Wording
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.trial.folder import NOTEBOOK
from hpo_lab.workload.configuration import Configuration, configuration_documents

__all__ = ["EMBEDDED", "prepare_manifest"]

EMBEDDED = "notebook"
"""Field of a `NotebookTrial` in a manifest that holds the trial notebook itself."""


def prepare_manifest(
    path: str | Path,
    *,
    template: str | Path | None = None,
    beside: Sequence[str | Path] = (),
) -> PreparedManifest:
    """Make an experiment of the manifest at *path*; each file is read once.

    A manifest whose `maxTrialCount` is 0 stops the experiment it describes.

    Args:
        path: The manifest.
        template: File with a trial template that takes the place of the manifest's own, or
            with the ConfigMap that the manifest's own is an entry of.
        beside: Files with ConfigMaps and Secrets that the manifest refers to; it may hold
            some itself.

    Raises:
        InvalidInput: with every problem found.
    """
    path = Path(path)
    files = {path: read_file(path)}
    document, stops = _without_stop(described(files[path], source=str(path)))
    manifest = parse_manifest(document, source=str(path), rules=every_problem)
    experiment, warnings = manifest.experiment, manifest.warnings
    files |= {Path(other): read_file(other) for other in beside}
    if template is not None:
        documents = read_file(template)
        if any(configuration_documents(documents)):
            files[Path(template)] = documents
        else:
            source = str(template)
            own = parse_template(described(documents, source=source), source=source)
            experiment = with_template(experiment, own)
            # The manifest's own template is not used, whatever may be said about it.
            warnings = tuple(
                warning
                for warning in warnings
                if not warning.where.startswith("spec.trialTemplate")
            )
    configuration = Configuration.of(files)
    experiment = _with_config_map(experiment, configuration)
    experiment, sources = _unpacked(experiment)
    # What an OptimizationJob cannot say is an option beside it.
    wording = Wording(Dialect.FIELD)
    if manifest.kind == OPTIMIZATION_JOB:
        wording = Wording(Dialect.LINE, whole="spec")
    prepared = PreparedManifest(
        experiment,
        sources,
        warnings=warnings,
        stops=stops,
        folder=path.resolve().parent,
        project=os.path.realpath(path.parent),
        configuration=configuration,
        kind=manifest.kind,
        wording=wording,
    )
    try:
        check(experiment, str(path))
    except InvalidInput as error:
        problems = map(prepared.in_its_words, error.problems)
        raise InvalidInput(problems, error.source) from None
    return prepared


def _without_stop(document: Any) -> tuple[Any, bool]:
    """A manifest's *document* without a `maxTrialCount` of 0, and whether it has that."""
    spec = document.get("spec") if isinstance(document, Mapping) else None
    if not isinstance(spec, Mapping) or str(spec.get("maxTrialCount")) != "0":
        return document, False
    if document.get("kind") == OPTIMIZATION_JOB:
        return document, False
    rest = {key: value for key, value in spec.items() if key != "maxTrialCount"}
    return {**document, "spec": rest}, True


def _unpacked(
    experiment: ExperimentDocument,
) -> tuple[ExperimentDocument, dict[str, tuple[str, bytes]]]:
    """*experiment* without the notebook its template holds, and that notebook."""
    template = experiment.spec.trial_template
    job = template.trial_spec if template else None
    spec = job.get("spec") if job else None
    if template is None or job is None or not isinstance(spec, Mapping) or EMBEDDED not in spec:
        return experiment, {}
    if template.kind != (API_VERSION, "NotebookTrial"):
        return experiment, {}
    content = json.dumps(spec[EMBEDDED], indent=1).encode()
    try:
        code = TrialNotebook.read(content).code
    except ValueError as error:
        where = f"spec.trialTemplate.trialSpec.spec.{EMBEDDED}"
        raise InvalidInput([Problem(where, str(error))]) from None
    # The notebook may have been edited since the manifest was made of it.
    rest = {**spec, "source": code.digest}
    del rest[EMBEDDED]
    rest.pop("uses", None)
    if uses := modules_used(code.cells, Path(str(spec.get("workingDirectory", ".")))):
        rest["uses"] = uses
    changed = template.model_copy(update={"trial_spec": {**job, "spec": rest}})
    files = {NOTEBOOK: ("application/x-ipynb+json", content)}
    spec_now = experiment.spec.model_copy(update={"trial_template": changed})
    return experiment.model_copy(update={"spec": spec_now}), files


def _with_config_map(
    experiment: ExperimentDocument, configuration: Configuration
) -> ExperimentDocument:
    """*experiment* with the trial object that an entry of a ConfigMap describes, if it is given."""
    template = experiment.spec.trial_template
    source = template.config_map if template else None
    data = configuration.config_maps.get(source.config_map_name) if source else None
    if template is None or source is None or data is None:
        return experiment
    job = config_map_object(source, data)
    changed = template.model_copy(update={"config_map": None, "trial_spec": job})
    return with_template(experiment, changed)
