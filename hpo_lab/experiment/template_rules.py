"""Rules for a trial template, and whether it fits the parameters.

A template without `trialParameters` refers to the parameters by their own names. Katib
refuses such a template, but many published manifests contain it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from hpo_lab.experiment import gjson
from hpo_lab.experiment.environment import (
    defined_variables,
    is_variable,
    variable_name,
    variable_problems,
)
from hpo_lab.experiment.job_status import job_conditions
from hpo_lab.experiment.job_structure import structure_problems
from hpo_lab.experiment.model import API_VERSION, ExperimentDocument, ExperimentSpec, Metadata
from hpo_lab.experiment.placeholders import META, MISSPELT, template_places
from hpo_lab.experiment.rendering import render_trial
from hpo_lab.experiment.template import ConfigMapSource, TrialTemplate
from hpo_lab.problems import InvalidInput, Problem, nearest

__all__ = ["missing_parts", "template_problems"]

_PATH = "spec.trialTemplate"
_SOURCES = ("trialSpec", "configMap", "goTemplate")
_META_FIELDS = (
    "${trialSpec.Name}, .Namespace, .Kind, .APIVersion, .Labels[key] and .Annotations[key]"
)


def template_problems(spec: ExperimentSpec) -> Iterator[Problem]:
    """Every problem of the template of *spec*; none when there is no template."""
    template = spec.trial_template
    if template is None:
        return
    yield from _sources(template)
    yield from _conditions(template)
    if template.trial_spec is not None:
        yield from _object(template.trial_spec)
    yield from _environment(spec, template)
    yield from _trial_parameters(spec, template)
    if template.go_template is not None:
        yield from _go_template(spec)


def missing_parts(spec: ExperimentSpec) -> list[Problem]:
    """The parts of the trial template that a sound *spec* lacks to be run."""
    template = spec.trial_template
    if template is None:
        message = "is missing; say what a trial runs, or give a template beside the manifest"
        return [Problem(_PATH, message)]
    if template.trial_parameters or template.environment_prefix:
        return []
    if template.trial_spec is None or _is_own(template):
        return []
    names = [parameter.name for parameter in spec.parameters]
    places = template_places(template, _PATH)
    problems = [
        Problem(
            path,
            f"${{trialParameters.{name}}} names nothing: there are no trialParameters, and "
            f"{name!r} is no parameter{nearest(name, names)}",
        )
        for path, name in places
        if names and name not in names
    ]
    return [*problems, *_unused(spec, {name for _, name in places})]


def _is_own(template: TrialTemplate) -> bool:
    return template.kind[0] == API_VERSION


def _sources(template: TrialTemplate) -> Iterator[Problem]:
    fields = (template.trial_spec, template.config_map, template.go_template)
    sources = [name for name, field in zip(_SOURCES, fields, strict=True) if field is not None]
    if len(sources) != 1:
        state = f"has {' and '.join(sources)}" if sources else "has none of them"
        yield Problem(_PATH, f"{state}; exactly one of {', '.join(_SOURCES)} is needed")
    if template.config_map is not None:
        yield from _config_map(template.config_map)


def _config_map(source: ConfigMapSource) -> Iterator[Problem]:
    for field, text in source.to_document().items():
        if not text:
            yield Problem(f"{_PATH}.configMap.{field}", "is missing")


def _conditions(template: TrialTemplate) -> Iterator[Problem]:
    for field, query in (
        ("successCondition", template.success_condition),
        ("failureCondition", template.failure_condition),
    ):
        try:
            if query:
                gjson.Path.parse(query)
        except ValueError as error:
            yield Problem(f"{_PATH}.{field}", f"{query!r} is no condition: {error}")
    version, kind = template.kind
    if kind and not _is_own(template) and job_conditions(template, version, kind) is None:
        yield Problem(
            _PATH,
            f"successCondition and failureCondition are needed for {version} {kind}: "
            "nothing else tells when such an object is done",
        )


def _object(job: Mapping[str, Any]) -> Iterator[Problem]:
    path = f"{_PATH}.trialSpec"
    for field in ("apiVersion", "kind"):
        if not isinstance(job.get(field), str) or not job[field]:
            yield Problem(f"{path}.{field}", "is missing; a trial is a Kubernetes object")
    yield from structure_problems(job, path)


def _environment(spec: ExperimentSpec, template: TrialTemplate) -> Iterator[Problem]:
    prefix, path = template.environment_prefix, f"{_PATH}.environmentPrefix"
    if prefix is None:
        return
    if _is_own(template):
        yield Problem(path, f"is for objects of a cluster; a trial is a {template.kind[1]}")
        return
    if not is_variable(prefix):
        message = f"{prefix!r} begins no name of a variable; allowed are letters, digits, '_'"
        yield Problem(path, f"{message}, '-' and '.', no digit first")
        return
    names = [parameter.name for parameter in spec.parameters]
    for index, message in variable_problems(prefix, names):
        yield Problem(f"spec.parameters[{index}].name", message)
    owners = {variable_name(prefix, name): name for name in names}
    for place, variable in defined_variables(template.trial_spec or {}, f"{_PATH}.trialSpec"):
        if variable in owners:
            yield Problem(place, f"{variable!r} is the variable of {owners[variable]!r}")


def _trial_parameters(spec: ExperimentSpec, template: TrialTemplate) -> Iterator[Problem]:
    parameters = [parameter.name for parameter in spec.parameters]
    misspelt = set()
    lookalikes = template_places(template, _PATH, MISSPELT) if template.has_placeholders else []
    for path, text in lookalikes:
        name = text.partition(".")[2].rstrip("}")
        misspelt.add(name)
        right = f"${{trialParameters.{name}}}"
        yield Problem(path, f"{text!r} is no placeholder; write {right}")
    places = template_places(template, _PATH)
    used = {name for _, name in places} | misspelt
    for index, parameter in enumerate(template.trial_parameters):
        path = f"{_PATH}.trialParameters[{index}]"
        if not parameter.name or set("{}") & set(parameter.name):
            yield Problem(f"{path}.name", f"is {parameter.name!r}; a name without braces is needed")
        elif template.config_map is None and parameter.name not in used:
            yield Problem(
                f"{path}.name",
                f"the template has no ${{trialParameters.{parameter.name}}}"
                + nearest(parameter.name, sorted(used)),
            )
        yield from _reference(parameter.reference, parameters, f"{path}.reference")
    names = [parameter.name for parameter in template.trial_parameters]
    for name, count in Counter(names).items():
        if count > 1:
            message = f"{name!r} is the name of more than one trial parameter"
            yield Problem(f"{_PATH}.trialParameters", message)
    if not names or _is_own(template):
        return
    for path, name in places:
        if name not in names:
            yield Problem(path, f"no trialParameter is called {name!r}{nearest(name, names)}")
    if not template.environment_prefix:
        references = {parameter.reference for parameter in template.trial_parameters}
        yield from _unused(spec, references)


def _reference(reference: str, parameters: list[str], path: str) -> Iterator[Problem]:
    if not reference:
        yield Problem(path, "is empty; name a parameter")
    elif reference.startswith("${"):
        if not META.fullmatch(reference):
            yield Problem(path, f"{reference!r} is unknown; allowed are {_META_FIELDS}")
    elif parameters and reference not in parameters:
        names = ", ".join(map(repr, parameters))
        hint = nearest(reference, parameters)
        yield Problem(path, f"{reference!r} is no parameter of this experiment ({names}){hint}")


def _unused(spec: ExperimentSpec, used: set[str]) -> Iterator[Problem]:
    for index, parameter in enumerate(spec.parameters):
        if parameter.name not in used:
            yield Problem(
                f"spec.parameters[{index}].name",
                f"{parameter.name!r} is used nowhere in the trial template; its value would "
                "not reach the trial",
            )


def _go_template(spec: ExperimentSpec) -> Iterator[Problem]:
    """Render a sample trial: a template that fails for sample values fails for all."""
    experiment = ExperimentDocument(metadata=Metadata(name="sample"), spec=spec)
    sample = dict.fromkeys((parameter.name for parameter in spec.parameters), "sample")
    try:
        job = render_trial(experiment, "sample", sample)
    except InvalidInput as error:
        yield from error.problems
        return
    for field in ("apiVersion", "kind"):
        if not job.get(field):
            message = f"describes an object without {field}"
            yield Problem(f"{_PATH}.goTemplate.rawTemplate", message)
