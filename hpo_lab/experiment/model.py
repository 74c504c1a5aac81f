"""The experiment document: Katib's v1beta1 Experiment with optional fields of our own.

Field names, defaults and meaning follow Katib's Go types
(`pkg/apis/controller/experiments/v1beta1/experiment_types.go`). Numbers are typed here
and written as strings only in a manifest, as Katib requires. Fields that Katib does not
know are marked *extension*.

The models check structure alone; what the values may be is checked by
`hpo_lab.experiment.rules`, so that every problem can be reported at once.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Any, Final, Literal

from pydantic import ConfigDict, Field

from hpo_lab.experiment.collector import MetricsCollector
from hpo_lab.experiment.document import Document, Text, Value
from hpo_lab.experiment.nas import NasConfig
from hpo_lab.experiment.parameter import Distribution, FeasibleSpace, Parameter, ParameterType
from hpo_lab.experiment.template import API_VERSION, TrialParameter, TrialTemplate

__all__ = [
    "API_VERSION",
    "KATIB_API_VERSION",
    "AdditionalObjective",
    "AlgorithmSetting",
    "AlgorithmSpec",
    "Distribution",
    "Document",
    "EarlyStopping",
    "ExperimentDocument",
    "ExperimentSpec",
    "FeasibleSpace",
    "Metadata",
    "MetricConstraint",
    "MetricStrategy",
    "MetricStrategyType",
    "MetricsCollector",
    "NasConfig",
    "Objective",
    "ObjectiveType",
    "Parameter",
    "ParameterType",
    "ResumePolicy",
    "TrialParameter",
    "TrialTemplate",
    "Value",
]

KATIB_API_VERSION: Final = "kubeflow.org/v1beta1"


class ObjectiveType(StrEnum):
    """Which direction is better."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"


class MetricStrategyType(StrEnum):
    """Which of a trial's reported values represents the trial."""

    MIN = "min"
    MAX = "max"
    LATEST = "latest"


class ResumePolicy(StrEnum):
    """Whether an experiment that ended at its trial budget can be continued."""

    NEVER = "Never"
    LONG_RUNNING = "LongRunning"
    FROM_VOLUME = "FromVolume"


class MetricStrategy(Document):
    """Which value of the metric `name` represents a trial."""

    name: str
    value: MetricStrategyType


class AdditionalObjective(Document):
    """*Extension.* A further metric to optimise."""

    type: ObjectiveType
    objective_metric_name: str


class MetricConstraint(Document):
    """*Extension.* Bounds that a metric must keep for a trial to be feasible."""

    name: str
    min: float | None = None
    max: float | None = None

    def violation(self, value: float) -> float:
        """By how much *value* breaks the bounds, 0 when it keeps them."""
        below = 0.0 if self.min is None else self.min - value
        above = 0.0 if self.max is None else value - self.max
        return max(0.0, below, above)


class Objective(Document):
    """The metrics to optimise, and the metrics to record beside them."""

    type: ObjectiveType
    goal: float | None = None
    objective_metric_name: str
    additional_metric_names: tuple[str, ...] = ()
    metric_strategies: tuple[MetricStrategy, ...] = ()

    additional_objectives: tuple[AdditionalObjective, ...] = ()
    """*Extension.* With these the optimum is the Pareto front of all objectives."""
    constraints: tuple[MetricConstraint, ...] = ()
    """*Extension.* A trial that breaks a constraint is never optimal."""

    @property
    def metric_names(self) -> tuple[str, ...]:
        """Every metric that the experiment uses, without repetition, the objective first."""
        names = (
            self.objective_metric_name,
            *(objective.objective_metric_name for objective in self.additional_objectives),
            *self.additional_metric_names,
            *(constraint.name for constraint in self.constraints),
        )
        return tuple(dict.fromkeys(names))

    @property
    def objectives(self) -> tuple[tuple[str, ObjectiveType], ...]:
        """Every metric to optimise with its direction, the main objective first."""
        return (
            (self.objective_metric_name, self.type),
            *(
                (objective.objective_metric_name, objective.type)
                for objective in self.additional_objectives
            ),
        )

    def strategy(self, metric: str) -> MetricStrategyType:
        """The strategy of *metric*.

        `metricStrategies` decides where it names *metric*. Else the direction decides, by
        `min` or `max`: an additional objective has a direction of its own, all other metrics
        share that of the first objective. A metric that only has bounds gets `latest`, since
        it may break them while the trial runs.
        """
        for strategy in self.metric_strategies:
            if strategy.name == metric:
                return strategy.value
        type = dict(self.objectives).get(metric)
        if type is None and any(constraint.name == metric for constraint in self.constraints):
            return MetricStrategyType.LATEST
        smaller = (type or self.type) is ObjectiveType.MINIMIZE
        return MetricStrategyType.MIN if smaller else MetricStrategyType.MAX

    def is_better(self, value: float, than: float) -> bool:
        """Whether *value* is strictly better than *than*."""
        return value < than if self.type is ObjectiveType.MINIMIZE else value > than

    def reaches_goal(self, value: float) -> bool:
        """Whether a goal is set and *value* is at least as good as it."""
        if self.goal is None or math.isnan(value):
            return False
        return not self.is_better(self.goal, than=value)


class AlgorithmSetting(Document):
    """One named setting of an algorithm; Katib writes every value as text."""

    name: str
    value: Text


class AlgorithmSpec(Document):
    """The search algorithm and its settings."""

    algorithm_name: str
    algorithm_settings: tuple[AlgorithmSetting, ...] = ()

    @property
    def settings(self) -> dict[str, str]:
        """The settings by name."""
        return {setting.name: setting.value for setting in self.algorithm_settings}


class EarlyStopping(AlgorithmSpec):
    """The early-stopping rule and its settings."""


class ExperimentSpec(Document):
    """The search space, objective, algorithm, budgets and trial template of an experiment."""

    parameters: tuple[Parameter, ...] = ()
    objective: Objective
    algorithm: AlgorithmSpec
    early_stopping: EarlyStopping | None = None
    parallel_trial_count: int = Field(default=3)
    max_trial_count: int | None = None
    max_failed_trial_count: int | None = None
    resume_policy: ResumePolicy = ResumePolicy.NEVER
    trial_template: TrialTemplate | None = None
    metrics_collector_spec: MetricsCollector | None = None
    nas_config: NasConfig | None = None

    seed: int | None = None
    """*Extension.* Makes the search reproducible: trial `n` then learns from the trials up
    to `n - parallelTrialCount` only, so that the order of arrival does not matter."""
    initial_points: tuple[dict[str, Value], ...] = ()
    """*Extension.* Assignments of the first trials, before the algorithm is asked."""
    enqueued_points: tuple[dict[str, Value], ...] = ()
    """*Extension.* Assignments that a person added while the experiment ran. They become the
    next new trials, in their order."""
    warm_start: tuple[str, ...] = ()
    """*Extension.* Names of experiments whose trials the search learns from."""
    active_deadline_seconds: float | None = None
    """*Extension.* Wall-clock budget of the experiment, in seconds of running."""
    trial_active_deadline_seconds: float | None = None
    """*Extension.* Wall-clock limit of each trial, in seconds."""


class Metadata(Document):
    """Name and namespace; other metadata of a manifest is kept as it is."""

    model_config = ConfigDict(extra="allow")

    name: str
    namespace: str = "default"
    labels: dict[str, Text] | None = None
    annotations: dict[str, Text] | None = None


class ExperimentDocument(Document):
    """A hyperparameter experiment."""

    api_version: Literal["hpolab.dev/v1beta1", "kubeflow.org/v1beta1"] = API_VERSION
    kind: Literal["Experiment"] = "Experiment"
    metadata: Metadata
    spec: ExperimentSpec
    status: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """`metadata.name`."""
        return self.metadata.name

    @property
    def namespace(self) -> str:
        """`metadata.namespace`; `default` when the field is absent."""
        return self.metadata.namespace
