r"""From an assignment to the object a trial runs.

Katib pastes values into the template's text
(`pkg/controller.v1beta1/experiment/manifest/generator.go`). hpo_lab puts values into the
parsed template. The object is the same wherever pasting gives a valid object, and values
with quotes, newlines, backslashes or `${...}` are never read as syntax.

So a value in `trialSpec` becomes text, as in Katib. Two cases go beyond Katib: a field that
Kubernetes requires to be an integer, such as `replicas`, gets the number, and a field of
our own kinds of trials gets the typed value.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from hpo_lab.experiment.document import Value
from hpo_lab.experiment.environment import with_variables
from hpo_lab.experiment.go_template import expand
from hpo_lab.experiment.job_fields import INTEGER_FIELDS, TEXT_MAPS
from hpo_lab.experiment.model import API_VERSION, ExperimentDocument, ExperimentSpec
from hpo_lab.experiment.parameter import as_texts
from hpo_lab.experiment.placeholders import META, PLACEHOLDER, meta_value, places
from hpo_lab.experiment.template import ConfigMapSource, TrialTemplate
from hpo_lab.experiment.yaml_text import mark, read_documents
from hpo_lab.problems import InvalidInput, Problem, nearest

__all__ = ["config_map_object", "pod_without_restart_policy", "render_trial"]

_TEMPLATE = "spec.trialTemplate"
Assignments = Mapping[str, Value]


def render_trial(
    experiment: ExperimentDocument,
    trial_name: str,
    assignments: Assignments,
    *,
    config_map: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The object of a trial, with its name and namespace set.

    An argument of a command, such as `--momentum=${trialParameters.momentum}`, is left out
    where the parameter takes no part in the trial because its `when` does not hold;
    elsewhere the placeholder becomes empty text. A variable of such a parameter is left out.

    Args:
        experiment: The experiment with the template.
        trial_name: `metadata.name` of the object.
        assignments: Values by parameter name, inactive parameters left out.
        config_map: The `data` of the ConfigMap that the template refers to, if any.

    Raises:
        InvalidInput: There is no template, its text is no object, or it does not fit the
            assignment: a placeholder without a value, a value without a placeholder.
    """
    template = experiment.spec.trial_template
    if template is None:
        raise _invalid(_TEMPLATE, "is missing; say what a trial runs")
    trial = (trial_name, experiment.namespace)
    if template.go_template is not None:
        job = _from_go_template(template.go_template.raw_template, experiment, trial, assignments)
    elif template.config_map is not None:
        text = _entry(template.config_map, config_map or {})
        job = _from_text(text, experiment.spec, trial, assignments)
    elif template.trial_spec is not None and not template.has_placeholders:
        job = copy.deepcopy(template.trial_spec)
    elif template.trial_spec is not None:
        values = _values(experiment.spec, template.trial_spec, trial, assignments)
        typed = template.kind[0] == API_VERSION
        job = _filled(template.trial_spec, values, "", typed=typed)
    else:
        raise _invalid(_TEMPLATE, "has none of trialSpec, configMap, goTemplate")
    metadata = job.get("metadata") or {}
    if not isinstance(metadata, Mapping):
        raise _invalid(_TEMPLATE, f"metadata is {metadata!r}; a mapping is needed")
    job["metadata"] = {**metadata, "name": trial_name, "namespace": experiment.namespace}
    if template.environment_prefix:
        texts = as_texts(experiment.spec.parameters, assignments)
        job = with_variables(job, template.environment_prefix, texts)
    pod = pod_without_restart_policy(job)
    if pod is not None:
        pod["restartPolicy"] = "Never"
    return job


def config_map_object(source: ConfigMapSource, data: Mapping[str, str]) -> dict[str, Any]:
    """The object that an entry of a ConfigMap describes, its placeholders left as they are.

    Args:
        source: The name of the ConfigMap and of its entry.
        data: The `data` of the ConfigMap.

    Raises:
        InvalidInput: There is no such entry, or its text is no object.
    """
    names, marked = _marked(_entry(source, data))
    placeholders = [f"${{trialParameters.{name}}}" for name in names]
    return _object(marked, placeholders, f"{_TEMPLATE}.configMap")


def pod_without_restart_policy(job: Mapping[str, Any]) -> dict[str, Any] | None:
    """The pod specification of a `batch/v1` Job without the required policy, else None."""
    if (job.get("apiVersion"), job.get("kind")) != ("batch/v1", "Job"):
        return None
    pod: Any = job
    for field in ("spec", "template", "spec"):
        pod = pod.get(field) if isinstance(pod, dict) else None
    return pod if isinstance(pod, dict) and "restartPolicy" not in pod else None


def _from_go_template(
    text: str, experiment: ExperimentDocument, trial: tuple[str, str], assignments: Assignments
) -> dict[str, Any]:
    values: list[str] = []

    def emit(value: Any) -> str:
        values.append(str(value))
        return mark(len(values) - 1)

    context = {
        "Experiment": experiment.name,
        "Trial": trial[0],
        "NameSpace": trial[1],
        "HyperParameters": [
            {"Name": name, "Value": text}
            for name, text in as_texts(experiment.spec.parameters, assignments).items()
        ],
    }
    path = f"{_TEMPLATE}.goTemplate.rawTemplate"
    try:
        expanded = expand(text, context, emit)
    except ValueError as error:
        raise _invalid(path, str(error)) from None
    return _object(expanded, values, path)


def _from_text(
    text: str, spec: ExperimentSpec, trial: tuple[str, str], assignments: Assignments
) -> dict[str, Any]:
    names, marked = _marked(text)
    path = f"{_TEMPLATE}.configMap"
    as_written = _object(marked, [f"${{trialParameters.{name}}}" for name in names], path)
    values = _values(spec, as_written, trial, assignments)
    # A placeholder that only stands in a comment has no value.
    return _object(marked, [(values.get(name) or ("",))[0] for name in names], path)


def _marked(text: str) -> tuple[list[str], str]:
    """The names of the placeholders in *text*, and *text* with marks in their place."""
    names = list(dict.fromkeys(PLACEHOLDER.findall(text)))
    return names, PLACEHOLDER.sub(lambda match: mark(names.index(match[1])), text)


def _object(text: str, values: list[str], path: str) -> dict[str, Any]:
    try:
        documents = read_documents(text, values)
    except InvalidInput as error:
        raise InvalidInput(Problem(path, str(problem)) for problem in error.problems) from None
    if len(documents) != 1 or not isinstance(documents[0], dict):
        raise _invalid(path, "does not describe one object")
    return documents[0]


def _entry(source: ConfigMapSource, data: Mapping[str, str]) -> str:
    if source.template_path not in data:
        raise _invalid(
            f"{_TEMPLATE}.configMap.templatePath",
            f"the ConfigMap {source.config_map_name!r} has no entry {source.template_path!r}"
            + nearest(source.template_path, list(data)),
        )
    return data[source.template_path]


def _values(
    spec: ExperimentSpec, job: Mapping[str, Any], trial: tuple[str, str], assignments: Assignments
) -> dict[str, tuple[str, Value] | None]:
    """Text and value by placeholder name; None where a parameter takes no part.

    Raises:
        InvalidInput: The template and the assignment do not fit.
    """
    template = spec.trial_template
    assert template is not None
    conditional = {parameter.name for parameter in spec.parameters if parameter.when}
    texts = as_texts(spec.parameters, assignments)
    values: dict[str, tuple[str, Value] | None] = {}
    problems: list[Problem] = []
    used = set()
    for name, reference, path in _references(template, job):
        if META.fullmatch(reference):
            text = meta_value(reference, job, *trial)
            if text is None:
                problems.append(Problem(path, f"the template has no {reference[2:-1]}"))
            else:
                values[name] = (text, text)
        elif reference in assignments:
            used.add(reference)
            values[name] = (texts[reference], assignments[reference])
        elif reference in conditional:
            values[name] = None
        else:
            assigned = ", ".join(map(repr, assignments)) or "nothing"
            hint = nearest(reference, list(assignments))
            problems.append(Problem(path, f"{reference!r} is not assigned ({assigned} is){hint}"))
    takes_all = job.get("apiVersion") == API_VERSION or template.environment_prefix
    for name in [] if takes_all else [name for name in assignments if name not in used]:
        problems.append(
            Problem("spec.trialTemplate.trialParameters", f"none refers to {name!r}, assigned")
        )
    declared = {parameter.name for parameter in template.trial_parameters}
    for path, name in places(job, _TEMPLATE) if declared else ():
        if name not in declared:
            message = f"no trialParameter is called {name!r}{nearest(name, sorted(declared))}"
            problems.append(Problem(path, message))
    if problems:
        raise InvalidInput(problems)
    return values


def _references(template: TrialTemplate, job: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Name, reference and path of each trial parameter.

    A template without `trialParameters` refers to the parameters by their own names.
    """
    if template.trial_parameters:
        for index, parameter in enumerate(template.trial_parameters):
            path = f"{_TEMPLATE}.trialParameters[{index}].reference"
            yield parameter.name, parameter.reference, path
        return
    for name, path in {name: path for path, name in places(job, _TEMPLATE)}.items():
        yield name, name, path


def _filled(
    value: Any, values: Mapping[str, tuple[str, Value] | None], field: str, *, typed: bool
) -> Any:
    """*value*, the content of *field*, with its placeholders replaced."""
    match value:
        case str():
            whole = PLACEHOLDER.fullmatch(value)
            single = values[whole[1]] if whole else None
            if single and typed:
                return single[1]
            text = PLACEHOLDER.sub(lambda match: (values[match[1]] or ("",))[0], value)
            return int(text) if single and field in INTEGER_FIELDS and _is_integer(text) else text
        case dict():
            inner = "" if field in TEXT_MAPS else None
            return {
                _filled(key, values, "", typed=False): _filled(
                    item, values, key if inner is None else inner, typed=typed
                )
                for key, item in value.items()
            }
        case list():
            return [
                _filled(item, values, "", typed=typed)
                for item in value
                if not _takes_no_part(item, values)
            ]
        case _:
            return value


def _takes_no_part(item: Any, values: Mapping[str, tuple[str, Value] | None]) -> bool:
    """Whether *item* is a single word with a placeholder whose parameter is inactive."""
    if not isinstance(item, str) or len(item.split()) > 1:
        return False
    return any(values[name] is None for name in PLACEHOLDER.findall(item))


def _is_integer(text: str) -> bool:
    return text.removeprefix("-").isdecimal()


def _invalid(path: str, message: str) -> InvalidInput:
    return InvalidInput([Problem(path, message)])
