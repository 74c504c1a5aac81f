"""From a manifest to an experiment that runs on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hpo_lab.experiment.manifest import (
    Manifest,
    parse_manifest,
    read_manifest,
    read_template,
    with_template,
)
from hpo_lab.experiment.model import API_VERSION, ExperimentDocument, ExperimentSpec, Value
from hpo_lab.experiment.rendering import config_map_object, render_trial
from hpo_lab.experiment.rules import run_problems
from hpo_lab.experiment.trial import trial_name
from hpo_lab.experiment.yaml_text import read_documents
from hpo_lab.prepare.checking import check, every_problem
from hpo_lab.prepare.prepared import Prepared
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.trial.folder import NOTEBOOK
from hpo_lab.trial.kinds import trial_kinds
from hpo_lab.workload.configuration import KINDS, Configuration, configuration_documents
from hpo_lab.workload.container_engine import ENGINES
from hpo_lab.workload.described import (
    BESIDE_PREFIX,
    DIRECTORY,
    PATH_PREFIX,
    RUNTIME,
    workload_settings,
)
from hpo_lab.workload.support import job_notes, job_problems

__all__ = ["prepare_manifest", "runs_here"]

EMBEDDED = "notebook"
"""Field of a `NotebookTrial` in a manifest that holds the trial notebook itself."""

_KIND = "spec.trialTemplate.trialSpec.kind"


def prepare_manifest(
    path: str | Path,
    *,
    template: str | Path | None = None,
    runtime: str | None = None,
    paths: Sequence[str] = (),
    beside: Sequence[str | Path] = (),
) -> Prepared:
    """Make an experiment of the manifest at *path*.

    A manifest whose `maxTrialCount` is 0 stops the experiment it describes.

    Args:
        path: The manifest.
        template: File with a trial template that takes the place of the manifest's own, or
            with the ConfigMap that the manifest's own is an entry of.
        runtime: `docker` or `podman`, to run containers in it.
        paths: `CONTAINER=HERE`: folders of this machine by path in the containers.
        beside: Files with ConfigMaps and Secrets that the manifest refers to; it may hold
            some itself.

    Raises:
        InvalidInput: with every problem found.
    """
    manifest, stops = _read(Path(path))
    experiment, warnings = manifest.experiment, manifest.warnings
    files_beside = [path, *beside]
    if template is not None and any(configuration_documents(template)):
        files_beside.append(template)
    elif template is not None:
        experiment = with_template(experiment, read_template(template))
        # The manifest's own template is not used, whatever may be said about it.
        warnings = tuple(one for one in warnings if not one.where.startswith("spec.trialTemplate"))
    files_beside = [file for file in files_beside if any(configuration_documents(file))]
    experiment = _with_config_map(experiment, Configuration.read(files_beside))
    experiment, files = _unpacked(experiment)
    experiment = _placed(experiment, Path(path), runtime, paths, files_beside)
    check(experiment, str(path))
    return Prepared(experiment, files, warnings=warnings, stops=stops)


def runs_here(prepared: Prepared) -> Prepared:
    """Check that this machine can run the trials of a manifest.

    Returns:
        *prepared*, with a warning for all that is done in another way than in a cluster.

    Raises:
        InvalidInput: It cannot; with every reason.
    """
    experiment = prepared.experiment
    problems = run_problems(experiment)
    template = experiment.spec.trial_template
    if problems or template is None:
        raise InvalidInput(problems)
    if template.kind[0] == API_VERSION:
        _known(template.kind[1])
        if template.kind[1] in ("NotebookTrial", "FunctionTrial") and not prepared.files:
            message = (
                f"found {template.kind[1]!r}, which needs source files that a manifest does not "
                "carry; run the notebook itself, or call hpo_lab.tune"
            )
            raise InvalidInput([Problem(_KIND, message)])
        return prepared
    if template.config_map is not None:
        name = template.config_map.config_map_name
        message = f"the ConfigMap {name!r} is not here; give it by --with FILE"
        raise InvalidInput([Problem("spec.trialTemplate.configMap", message)])
    job = render_trial(experiment, trial_name(experiment.name, 0), sample(experiment.spec))
    _known(str(job.get("kind", "")))
    settings = workload_settings(experiment, template, job)
    if problems := job_problems(job, settings):
        raise InvalidInput(problems)
    return replace(prepared, warnings=(*prepared.warnings, *job_notes(job, settings)))


def _known(kind: str) -> None:
    if kind not in trial_kinds():
        known = ", ".join(trial_kinds())
        message = f"found {kind!r}; the kinds that can be run on this machine are {known}"
        raise InvalidInput([Problem(_KIND, message)])


def sample(spec: ExperimentSpec) -> dict[str, Value]:
    """Some value for each parameter, to see what a trial would be."""
    values: dict[str, Value] = {}
    for parameter in spec.parameters:
        space = parameter.feasible_space
        values[parameter.name] = space.list[0] if space.list else space.min
    if spec.nas_config is not None and spec.trial_template is not None:
        # What describes an architecture is named by the algorithm, and is text.
        values |= {one.reference: "" for one in spec.trial_template.trial_parameters}
    return values


def _read(path: Path) -> tuple[Manifest, bool]:
    """The manifest, and whether its `maxTrialCount` is 0."""
    try:
        documents = read_documents(path.read_text(encoding="utf-8-sig"))
    except (InvalidInput, OSError, UnicodeDecodeError):
        documents = []
    described = [
        one for one in documents if isinstance(one, Mapping) and one.get("kind") not in KINDS
    ]
    if len(described) == 1:
        spec = described[0].get("spec")
        if isinstance(spec, Mapping) and str(spec.get("maxTrialCount")) == "0":
            rest = {key: value for key, value in spec.items() if key != "maxTrialCount"}
            stopped = {**described[0], "spec": rest}
            return parse_manifest(stopped, source=str(path), rules=every_problem), True
    return read_manifest(path, rules=every_problem), False


def _unpacked(
    experiment: ExperimentDocument,
) -> tuple[ExperimentDocument, dict[str, tuple[str, bytes]]]:
    """*experiment* without the notebook its template holds, and that notebook as a file."""
    template = experiment.spec.trial_template
    job = template.trial_spec if template else None
    spec = job.get("spec") if job else None
    if template is None or job is None or not isinstance(spec, Mapping) or EMBEDDED not in spec:
        return experiment, {}
    if template.kind != (API_VERSION, "NotebookTrial"):
        return experiment, {}
    rest = {key: value for key, value in spec.items() if key != EMBEDDED}
    changed = template.model_copy(update={"trial_spec": {**job, "spec": rest}})
    files = {NOTEBOOK: ("application/x-ipynb+json", json.dumps(spec[EMBEDDED], indent=1).encode())}
    update = {"trial_template": changed}
    return experiment.model_copy(update={"spec": experiment.spec.model_copy(update=update)}), files


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


def _placed(
    experiment: ExperimentDocument,
    path: Path,
    runtime: str | None,
    paths: Sequence[str],
    beside: Sequence[str | Path],
) -> ExperimentDocument:
    """*experiment* with the places of its trials written down in its annotations."""
    annotations: dict[str, Any] = {DIRECTORY: str(path.resolve().parent)}
    annotations |= experiment.metadata.annotations or {}
    problems = [Problem("--map", f"{text!r} is not CONTAINER=HERE") for text in _unpaired(paths)]
    if runtime is not None:
        if runtime not in ENGINES:
            message = f"{runtime!r} is not known; known are {', '.join(ENGINES)}"
            problems.append(Problem("--runtime", message))
        annotations[RUNTIME] = runtime
    if problems:
        raise InvalidInput(problems)
    for index, pair in enumerate(paths):
        inside, _, here = pair.partition("=")
        annotations[f"{PATH_PREFIX}{index}"] = f"{inside}={Path(here).resolve()}"
    for index, file in enumerate(beside):
        annotations[f"{BESIDE_PREFIX}{index}"] = str(Path(file).resolve())
    metadata = experiment.metadata.model_copy(update={"annotations": annotations})
    return experiment.model_copy(update={"metadata": metadata})


def _unpaired(paths: Sequence[str]) -> Iterator[str]:
    for text in paths:
        inside, sign, here = text.partition("=")
        if not (sign and inside.startswith("/") and here):
            yield text
