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
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel

__all__ = [
    "API_VERSION",
    "KATIB_API_VERSION",
    "Algorithm",
    "Distribution",
    "Document",
    "EarlyStopping",
    "Experiment",
    "ExperimentSpec",
    "FeasibleSpace",
    "Metadata",
    "MetricStrategy",
    "MetricStrategyType",
    "Objective",
    "ObjectiveType",
    "Parameter",
    "ParameterType",
    "ResumePolicy",
    "Setting",
    "TrialParameter",
    "TrialTemplate",
    "Value",
]

API_VERSION: Final = "hpolab.dev/v1beta1"
KATIB_API_VERSION: Final = "kubeflow.org/v1beta1"

Value = bool | int | float | str | None
"""What a parameter can be assigned: a Python literal that is a scalar."""


class ParameterType(StrEnum):
    """How a parameter's feasible space is described (Katib's `parameterType`)."""

    DOUBLE = "double"
    INT = "int"
    DISCRETE = "discrete"
    CATEGORICAL = "categorical"


class Distribution(StrEnum):
    """How values are drawn between `min` and `max`.

    `normal` has its mean in the middle of the bounds, a standard deviation of a sixth of
    their distance, and is truncated to them; the `log` forms are the same on a log scale.
    """

    UNIFORM = "uniform"
    LOG_UNIFORM = "logUniform"
    NORMAL = "normal"
    LOG_NORMAL = "logNormal"

    @property
    def is_log(self) -> bool:
        """Whether the logarithm of the value is what is distributed."""
        return self in (Distribution.LOG_UNIFORM, Distribution.LOG_NORMAL)


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


def _number(value: Any) -> Any:
    """A manifest's number: text becomes an int where it looks like one, else a float."""
    if not isinstance(value, str):
        return value
    try:
        return int(value)
    except ValueError:
        return float(value)


def _text(value: Any) -> Any:
    """A manifest's text: YAML reads unquoted numbers and booleans as such."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _as_text(value: int | float) -> str:
    return repr(value)


Number = Annotated[
    int | float, BeforeValidator(_number), PlainSerializer(_as_text, return_type=str)
]
Text = Annotated[str, BeforeValidator(_text)]


class Document(BaseModel):
    """Base of every part of a document: camelCase outside, snake_case inside, frozen."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="forbid",
        frozen=True,
        allow_inf_nan=True,
        use_enum_values=False,
    )

    def to_document(self) -> dict[str, Any]:
        """The part as plain data with the manifest's names; unset fields are left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class FeasibleSpace(Document):
    """The values a parameter may take.

    `double` and `int` use `min`, `max`, `step` and `distribution`; `discrete` and
    `categorical` use `list`.
    """

    min: Number | None = None
    max: Number | None = None
    step: Number | None = None
    list: tuple[Value, ...] | None = None
    distribution: Distribution | None = None


class Parameter(Document):
    """One dimension of the search space.

    `when` (*extension*) is a condition on other parameters, such as `opt == "sgd"`; the
    parameter is assigned only in trials where it holds.
    """

    name: str
    parameter_type: ParameterType
    feasible_space: FeasibleSpace
    when: str | None = None

    @property
    def distribution(self) -> Distribution:
        """The distribution, Katib's default (`uniform`) when none is given."""
        return self.feasible_space.distribution or Distribution.UNIFORM

    @property
    def choices(self) -> tuple[Value, ...]:
        """The listed values of a `discrete` or `categorical` parameter, typed."""
        values = self.feasible_space.list or ()
        if self.parameter_type is ParameterType.DISCRETE:
            return tuple(_number(value) for value in values)
        return values


class MetricStrategy(Document):
    """Which value of the metric `name` represents a trial."""

    name: str
    value: MetricStrategyType


class Objective(Document):
    """What is optimised, and what else is recorded."""

    type: ObjectiveType
    goal: float | None = None
    objective_metric_name: str
    additional_metric_names: tuple[str, ...] = ()
    metric_strategies: tuple[MetricStrategy, ...] = ()

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The objective and the additional metrics, the objective first."""
        return (self.objective_metric_name, *self.additional_metric_names)

    def strategy(self, metric: str) -> MetricStrategyType:
        """The strategy of *metric*: the one given, else `min` or `max` as the objective."""
        for strategy in self.metric_strategies:
            if strategy.name == metric:
                return strategy.value
        if self.type is ObjectiveType.MINIMIZE:
            return MetricStrategyType.MIN
        return MetricStrategyType.MAX

    def is_better(self, value: float, than: float) -> bool:
        """Whether *value* is strictly better than *than*."""
        return value < than if self.type is ObjectiveType.MINIMIZE else value > than

    def reaches_goal(self, value: float) -> bool:
        """Whether a goal is set and *value* is at least as good as it."""
        if self.goal is None or math.isnan(value):
            return False
        return not self.is_better(self.goal, than=value)


class Setting(Document):
    """One named setting of an algorithm; Katib writes every value as text."""

    name: str
    value: Text


class Algorithm(Document):
    """The search algorithm and its settings."""

    algorithm_name: str
    algorithm_settings: tuple[Setting, ...] = ()

    @property
    def settings(self) -> dict[str, str]:
        """The settings by name."""
        return {setting.name: setting.value for setting in self.algorithm_settings}


class EarlyStopping(Algorithm):
    """The early-stopping rule and its settings."""


class TrialParameter(Document):
    """How a parameter is called in a trial template."""

    name: str
    reference: str
    description: str | None = None


class TrialTemplate(Document):
    """What a trial runs.

    `trial_spec` is any object with `apiVersion` and `kind`. The kinds that a notebook
    makes (`NotebookTrial`, `FunctionTrial` of `hpolab.dev/v1beta1`) take the assignment
    as it is and need no `trialParameters`.
    """

    trial_spec: dict[str, Any] | None = None
    trial_parameters: tuple[TrialParameter, ...] = ()
    primary_container_name: str | None = None
    retain: bool | None = None

    @property
    def kind(self) -> tuple[str, str]:
        """`apiVersion` and `kind` of the trial object; empty where not given."""
        spec = self.trial_spec or {}
        return str(spec.get("apiVersion", "")), str(spec.get("kind", ""))


class ExperimentSpec(Document):
    """What to search, how, how often, and what a trial is."""

    parameters: tuple[Parameter, ...] = ()
    objective: Objective
    algorithm: Algorithm
    early_stopping: EarlyStopping | None = None
    parallel_trial_count: int = Field(default=3)
    max_trial_count: int | None = None
    max_failed_trial_count: int | None = None
    resume_policy: ResumePolicy = ResumePolicy.NEVER
    trial_template: TrialTemplate | None = None

    seed: int | None = None
    """*Extension.* Makes the search reproducible: trial `n` then learns from the trials up
    to `n - parallelTrialCount` only, so that the order of arrival does not matter."""
    initial_points: tuple[dict[str, Value], ...] = ()
    """*Extension.* Assignments of the first trials, before the algorithm is asked."""
    active_deadline_seconds: float | None = None
    """*Extension.* Wall-clock budget of the experiment, in seconds of running."""
    trial_active_deadline_seconds: float | None = None
    """*Extension.* Wall-clock limit of one trial, in seconds."""


class Metadata(Document):
    """Name and namespace; other metadata of a manifest is kept as it is."""

    model_config = ConfigDict(extra="allow")

    name: str
    namespace: str = "default"
    labels: dict[str, Text] | None = None
    annotations: dict[str, Text] | None = None


class Experiment(Document):
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
        """`metadata.namespace`, `default` when none is given."""
        return self.metadata.namespace
