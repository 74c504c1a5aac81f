"""Fitting the experiment of a manifest to this machine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from hpo_lab.experiment.job_fields import GROUPS
from hpo_lab.experiment.job_structure import structure_problems
from hpo_lab.experiment.model import API_VERSION, ExperimentSpec, Value
from hpo_lab.experiment.rendering import render_trial
from hpo_lab.experiment.rules import run_problems
from hpo_lab.experiment.template import TrialTemplate
from hpo_lab.experiment.trial import trial_name
from hpo_lab.prepare.prepared import Prepared, PreparedManifest
from hpo_lab.problems import InvalidInput, Problem, nearest
from hpo_lab.trial.trial_kinds import trial_kinds
from hpo_lab.workload.container_engine import ENGINES
from hpo_lab.workload.described import workload_settings
from hpo_lab.workload.local_settings import LOCAL, LocalSettings
from hpo_lab.workload.support import job_notes, job_problems

__all__ = ["local_problems", "runs_here"]

_OBJECT = "spec.trialTemplate.trialSpec"
_GO_TEMPLATE = "spec.trialTemplate.goTemplate.rawTemplate"


def local_problems(runtime: str | None = None, paths: Sequence[str] = ()) -> list[Problem]:
    """What is wrong with the arguments of `runs_here`."""
    problems = []
    for text in paths:
        inside, sign, here = text.partition("=")
        if not (sign and inside.startswith("/") and here):
            problems.append(Problem("--map", f"{text!r} is not CONTAINER=HERE"))
    if runtime is not None and runtime not in ENGINES:
        message = f"{runtime!r} is not known; known are {', '.join(ENGINES)}"
        problems.append(Problem("--runtime", message))
    return problems


def runs_here(
    prepared: Prepared, *, runtime: str | None = None, paths: Sequence[str] = ()
) -> Prepared:
    """Fit the trials of *prepared* to this machine; those of notebooks and functions are.

    Args:
        prepared: The experiment.
        runtime: `docker` or `podman`, to run containers in it.
        paths: `CONTAINER=HERE`: folders of this machine by path in the containers.

    Returns:
        *prepared*, with a file that says how it runs here, and a warning for all that is done
        in another way than in a cluster.

    Raises:
        InvalidInput: It cannot run here; with every reason.
    """
    if not isinstance(prepared, PreparedManifest) or prepared.files:
        return prepared
    experiment = prepared.experiment
    problems = [*local_problems(runtime, paths), *run_problems(experiment)]
    template = experiment.spec.trial_template
    if problems or template is None:
        raise InvalidInput(problems)
    if template.kind[0] == API_VERSION:
        _known(template.kind[1])
        if template.kind[1] in ("NotebookTrial", "FunctionTrial"):
            message = (
                f"found {template.kind[1]!r}, which needs source files that a manifest does not "
                "carry; run the notebook itself, or call hpo_lab.tune"
            )
            raise InvalidInput([Problem(f"{_OBJECT}.kind", message)])
        return prepared
    if template.config_map is not None:
        name = template.config_map.config_map_name
        message = f"the ConfigMap {name!r} is not here; give it by --with FILE"
        raise InvalidInput([Problem("spec.trialTemplate.configMap", message)])
    try:
        fitted = _fitted(prepared, template, runtime, paths)
    except InvalidInput as error:
        raise InvalidInput(_placed(error.problems, prepared), error.source) from None
    return replace(fitted, warnings=_placed(fitted.warnings, prepared))


def _placed(problems: Iterable[Problem], prepared: PreparedManifest) -> tuple[Problem, ...]:
    """*problems* of the object of a trial, told where the manifest describes it."""
    template = prepared.experiment.spec.trial_template
    if template is None or template.go_template is None:
        return tuple(map(prepared.in_its_words, problems))
    return tuple(
        Problem(*(text.replace(_OBJECT, _GO_TEMPLATE) for text in (each.where, each.message)))
        for each in problems
    )


def _fitted(
    prepared: PreparedManifest, template: TrialTemplate, runtime: str | None, paths: Sequence[str]
) -> PreparedManifest:
    """The rest of `runs_here`, for an object of a cluster that *template* describes."""
    experiment = prepared.experiment
    job = render_trial(experiment, trial_name(experiment.name, 0), sample(experiment.spec))
    _known(str(job.get("kind", "")), str(job.get("apiVersion", "")))
    if problems := [*structure_problems(job, _OBJECT)]:
        raise InvalidInput(problems)
    local = _local_settings(prepared, runtime, paths)
    settings = workload_settings(experiment, template, job, local)
    if problems := job_problems(job, settings, prepared.configuration):
        raise InvalidInput(problems)
    notes = job_notes(job, settings, has_own_labels=template.primary_pod_labels is not None)
    return replace(prepared, files={LOCAL: local.file()}, warnings=(*prepared.warnings, *notes))


def _local_settings(
    prepared: PreparedManifest, runtime: str | None, paths: Sequence[str]
) -> LocalSettings:
    written = LocalSettings.annotated(prepared.experiment, str(prepared.folder))
    folders = [text.partition("=") for text in paths]
    return replace(
        written,
        runtime=runtime or written.runtime,
        paths={
            **written.paths,
            **{inside.rstrip("/"): str(Path(here).resolve()) for inside, _, here in folders},
        },
        beside=tuple(str(file.resolve()) for file in prepared.configuration.files),
    )


def _known(kind: str, version: str = "") -> None:
    if kind not in trial_kinds():
        kinds = ", ".join(trial_kinds())
        hint = nearest(kind, list(trial_kinds()))
        message = f"found {kind!r}; the kinds that can be run on this machine are {kinds}{hint}"
        raise InvalidInput([Problem(f"{_OBJECT}.kind", message)])
    group = GROUPS.get(kind)
    if version and group and version.partition("/")[0] != group.partition("/")[0]:
        message = f"found {version!r}; the {kind} that can be run on this machine is of {group}"
        raise InvalidInput([Problem(f"{_OBJECT}.apiVersion", message)])


def sample(spec: ExperimentSpec) -> dict[str, Value]:
    """Some value for each parameter, to see what a trial would be."""
    values: dict[str, Value] = {}
    for parameter in spec.parameters:
        space = parameter.feasible_space
        values[parameter.name] = space.list[0] if space.list else space.min
    if spec.nas_config is not None and spec.trial_template is not None:
        # What describes an architecture is named by the algorithm, and is text.
        values |= {parameter.reference: "" for parameter in spec.trial_template.trial_parameters}
    return values
