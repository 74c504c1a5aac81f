"""Rules for the values of an experiment, beyond their types.

Every rule is a generator of problems over the typed model, so that all problems are reported
together. The rules are those of Katib's validating webhook
(`pkg/webhook/v1beta1/experiment/validator/validator.go`), and rules that the webhook lacks
although Katib hangs or crashes later when they are broken.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from hpo_lab.experiment.collector_rules import collector_problems
from hpo_lab.experiment.condition import ParameterCondition, order
from hpo_lab.experiment.model import (
    ExperimentDocument,
    ExperimentSpec,
    NasConfig,
    Objective,
    Parameter,
)
from hpo_lab.experiment.parameter_rules import parameter_problems
from hpo_lab.experiment.points import point_problems, value_problems
from hpo_lab.experiment.template_rules import missing_parts, template_problems
from hpo_lab.experiment.text_rules import text_problems
from hpo_lab.problems import Problem, nearest

__all__ = ["experiment_problems", "parameter_problems", "run_problems", "spec_problems"]

_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_NAME_LENGTH = 40
_MOST_TRIALS = 2**31 - 1  # Katib's counts have 32 bits.
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def experiment_problems(experiment: ExperimentDocument) -> list[Problem]:
    """Every problem of *experiment*, with its path; an empty list when there is none."""
    return [*_metadata(experiment), *spec_problems(experiment.spec)]


def spec_problems(spec: ExperimentSpec) -> list[Problem]:
    """Every problem of *spec*, with its path from `spec`."""
    return [
        *_budgets(spec),
        *_objective(spec.objective),
        *_algorithm(spec),
        *_space(spec),
        *_prior_knowledge(spec),
        *template_problems(spec),
        *collector_problems(spec.metrics_collector_spec),
        *text_problems(spec, "spec"),
    ]


def run_problems(experiment: ExperimentDocument) -> list[Problem]:
    """The parts of the trial template that *experiment*, a sound document, lacks to be run."""
    return missing_parts(experiment.spec)


def _metadata(experiment: ExperimentDocument) -> Iterator[Problem]:
    name = experiment.name
    if not _NAME.fullmatch(name) or len(name) > _NAME_LENGTH:
        yield Problem(
            "metadata.name",
            f"{name!r} is no valid name; allowed are at most {_NAME_LENGTH} lower-case letters, "
            "digits and '-', starting with a letter and not ending with '-'",
        )
    if not _NAMESPACE.fullmatch(experiment.namespace):
        yield Problem(
            "metadata.namespace",
            f"{experiment.namespace!r} is no valid namespace; allowed are at most 63 lower-case "
            "letters, digits and '-', not at its beginning or end",
        )


def _budgets(spec: ExperimentSpec) -> Iterator[Problem]:
    parallel, most, failed = (
        spec.parallel_trial_count,
        spec.max_trial_count,
        spec.max_failed_trial_count,
    )
    if parallel <= 0:
        yield Problem("spec.parallelTrialCount", f"is {parallel}; must be greater than 0")
    if most is not None and most <= 0:
        yield Problem("spec.maxTrialCount", f"is {most}; must be greater than 0")
    if failed is not None and failed < 0:
        yield Problem("spec.maxFailedTrialCount", f"is {failed}; must not be less than 0")
    for field, count in (
        ("parallelTrialCount", parallel),
        ("maxTrialCount", most),
        ("maxFailedTrialCount", failed),
    ):
        if count is not None and count > _MOST_TRIALS:
            yield Problem(f"spec.{field}", f"must be at most {_MOST_TRIALS}")
    # More failures than trials say that none of them ends the experiment; Katib refuses that.
    is_ours = spec.trial_template is not None and spec.trial_template.is_ours
    if most is not None and most > 0:
        for field, count in (
            ("parallelTrialCount", parallel),
            ("maxFailedTrialCount", None if is_ours else failed),
        ):
            if count is not None and count > most:
                yield Problem(
                    f"spec.{field}",
                    f"is {count}; must be less than or equal to spec.maxTrialCount, {most}",
                )
    for field, seconds in (
        ("activeDeadlineSeconds", spec.active_deadline_seconds),
        ("trialActiveDeadlineSeconds", spec.trial_active_deadline_seconds),
    ):
        if seconds is not None and not (seconds > 0 and math.isfinite(seconds)):
            yield Problem(f"spec.{field}", f"is {seconds}; must be a number of seconds above 0")
    if spec.seed is not None and spec.seed < 0:
        yield Problem("spec.seed", f"is {spec.seed}; must not be less than 0")


def _objective(objective: Objective) -> Iterator[Problem]:
    path = "spec.objective"
    if not objective.objective_metric_name:
        yield Problem(f"{path}.objectiveMetricName", "is empty; name the metric to optimise")
    if objective.objective_metric_name in objective.additional_metric_names:
        yield Problem(
            f"{path}.additionalMetricNames",
            f"contains the objective {objective.objective_metric_name!r}; list other metrics only",
        )
    if objective.goal is not None and not math.isfinite(objective.goal):
        yield Problem(f"{path}.goal", f"is {objective.goal}; must be a finite number")
    for index, strategy in enumerate(objective.metric_strategies):
        if strategy.name not in objective.metric_names:
            metrics = ", ".join(repr(name) for name in objective.metric_names)
            yield Problem(
                f"{path}.metricStrategies[{index}].name",
                f"{strategy.name!r} is no metric of this experiment ({metrics})"
                + nearest(strategy.name, objective.metric_names),
            )
    for name in _repeated(objective.additional_metric_names):
        yield Problem(f"{path}.additionalMetricNames", f"contains {name!r} more than once")
    yield from _additional_objectives(objective)
    yield from _constraints(objective)


def _additional_objectives(objective: Objective) -> Iterator[Problem]:
    before = [objective.objective_metric_name]
    for index, additional in enumerate(objective.additional_objectives):
        name = additional.objective_metric_name
        path = f"spec.objective.additionalObjectives[{index}].objectiveMetricName"
        if not name:
            yield Problem(path, "is empty; name the metric to optimise")
        elif name in before:
            yield Problem(path, f"{name!r} is an objective already; name each metric once")
        elif name in objective.additional_metric_names:
            message = f"{name!r} is in additionalMetricNames as well; list other metrics there only"
            yield Problem(path, message)
        before.append(name)


def _constraints(objective: Objective) -> Iterator[Problem]:
    for index, constraint in enumerate(objective.constraints):
        path = f"spec.objective.constraints[{index}]"
        low, high = constraint.min, constraint.max
        if not constraint.name:
            yield Problem(f"{path}.name", "is empty; name the metric that is to keep the bounds")
        if low is None and high is None:
            yield Problem(path, "has no bounds; give min, max or both")
        for field, bound in (("min", low), ("max", high)):
            if bound is not None and not math.isfinite(bound):
                yield Problem(f"{path}.{field}", f"is {bound}; must be a finite number")
        if low is not None and high is not None and low > high:
            yield Problem(f"{path}.min", f"is {low:g}; must not be above max, {high:g}")
    for name in _repeated([constraint.name for constraint in objective.constraints]):
        yield Problem("spec.objective.constraints", f"{name!r} has more than one constraint")


def _algorithm(spec: ExperimentSpec) -> Iterator[Problem]:
    if not spec.algorithm.algorithm_name:
        yield Problem("spec.algorithm.algorithmName", "is empty; name an algorithm")
    for name in _repeated([s.name for s in spec.algorithm.algorithm_settings]):
        yield Problem("spec.algorithm.algorithmSettings", f"{name!r} is set more than once")
    if spec.early_stopping is not None and not spec.early_stopping.algorithm_name:
        yield Problem("spec.earlyStopping.algorithmName", "is empty; name a rule")


def _space(spec: ExperimentSpec) -> Iterator[Problem]:
    if spec.nas_config is not None:
        if spec.parameters:
            yield Problem("spec", "has both parameters and nasConfig; only one is allowed")
        yield from _architecture(spec.nas_config)
    elif not spec.parameters:
        yield Problem("spec.parameters", "is empty; there is nothing to search")
    yield from _parameters(spec.parameters)


def _architecture(config: NasConfig) -> Iterator[Problem]:
    path = "spec.nasConfig"
    graph = config.graph_config
    if graph.num_layers is not None and graph.num_layers <= 0:
        yield Problem(
            f"{path}.graphConfig.numLayers", f"is {graph.num_layers}; must be greater than 0"
        )
    for field, sizes in (("inputSizes", graph.input_sizes), ("outputSizes", graph.output_sizes)):
        for size in sizes:
            if size <= 0:
                yield Problem(
                    f"{path}.graphConfig.{field}", f"contains {size}; must be greater than 0"
                )
    if not config.operations:
        yield Problem(f"{path}.operations", "is empty; there is nothing to search")
    for name in _repeated([operation.operation_type for operation in config.operations]):
        yield Problem(f"{path}.operations", f"{name!r} is the type of more than one operation")
    for index, operation in enumerate(config.operations):
        here = f"{path}.operations[{index}].parameters"
        for position, parameter in enumerate(operation.parameters):
            for field, message in parameter_problems(parameter):
                yield Problem(f"{here}[{position}].{field}", message)


def _parameters(parameters: tuple[Parameter, ...]) -> Iterator[Problem]:
    for index, parameter in enumerate(parameters):
        for field, message in parameter_problems(parameter):
            yield Problem(f"spec.parameters[{index}].{field}", message)
    names = [parameter.name for parameter in parameters]
    for name in _repeated(names):
        yield Problem("spec.parameters", f"{name!r} is the name of more than one parameter")
    yield from _conditions(parameters)


def _conditions(parameters: tuple[Parameter, ...]) -> Iterator[Problem]:
    names = [parameter.name for parameter in parameters]
    sound = True
    for index, parameter in enumerate(parameters):
        if parameter.when is None:
            continue
        path = f"spec.parameters[{index}].when"
        try:
            condition = ParameterCondition.parse(parameter.when)
        except ValueError as error:
            sound = False
            yield Problem(path, str(error))
            continue
        for name in sorted(condition.names - set(names)):
            sound = False
            yield Problem(path, f"{name!r} is no parameter{nearest(name, names)}")
    if sound:
        try:
            order(parameters)
        except ValueError as error:
            yield Problem("spec.parameters", str(error))


def _prior_knowledge(spec: ExperimentSpec) -> Iterator[Problem]:
    # The defaults of a notebook's cell name inactive parameters, too.
    for index, point in enumerate(spec.initial_points):
        yield from value_problems(spec.parameters, point, f"spec.initialPoints[{index}]")
    for index, point in enumerate(spec.enqueued_points):
        yield from point_problems(spec.parameters, point, f"spec.enqueuedPoints[{index}]")
    for index, name in enumerate(spec.warm_start):
        namespace, _, short = name.rpartition("/")
        if not (_NAMESPACE.fullmatch(namespace or "default") and _NAME.fullmatch(short)):
            message = f"{name!r} is no name of an experiment; write NAME or NAMESPACE/NAME"
            yield Problem(f"spec.warmStart[{index}]", message)
    for name in _repeated(spec.warm_start):
        yield Problem("spec.warmStart", f"contains {name!r} more than once")


def _repeated(names: tuple[str, ...] | list[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
