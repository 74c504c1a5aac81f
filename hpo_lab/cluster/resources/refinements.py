"""What the types of the models do not say: bounds, keys of lists, and rules in CEL.

The API server estimates the cost of every rule from the bounds of what the rule reads, and
refuses a definition whose rules may cost too much. So every list, map and text has a bound.

The rules are those of `hpo_lab.experiment.rules` that matter when an object is applied; the
controller checks all of them. A rule cannot read values that have no single type, which are
those of a parameter's `list` and of points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hpo_lab.experiment.collector import (
    Collector,
    CollectorKind,
    FileFormat,
    FileSystemPath,
    HttpGet,
)
from hpo_lab.experiment.document import Document
from hpo_lab.experiment.job_status import KINDS_WITH_CONDITIONS
from hpo_lab.experiment.model import (
    API_VERSION,
    AlgorithmSetting,
    AlgorithmSpec,
    EarlyStopping,
    ExperimentSpec,
    FeasibleSpace,
    MetricConstraint,
    Objective,
    Parameter,
    TrialParameter,
    TrialTemplate,
)
from hpo_lab.experiment.nas import GraphConfig, NasConfig, Operation
from hpo_lab.experiment.older import OLDER_COLLECTORS
from hpo_lab.experiment.template import GoTemplate

__all__ = ["NAME_RULES", "REFINEMENTS", "TRIAL_SPEC_RULES", "CelRule", "Refinement"]

_MOST_PARAMETERS = 1000
_MOST_COUNT = 2**31 - 1  # Katib's counts have 32 bits.


@dataclass(frozen=True, slots=True)
class CelRule:
    """A rule in CEL about a part of an object.

    Attributes:
        rule: The expression, true of what is allowed.
        message: What is wrong where it is false.
        field: The field of the part that the message is about; empty for the part itself.
    """

    rule: str
    message: str
    field: str = ""

    def to_document(self) -> dict[str, str]:
        """The rule as an entry of `x-kubernetes-validations`."""
        path = {"fieldPath": f".{self.field}"} if self.field else {}
        return {"rule": self.rule, "message": self.message, **path}


@dataclass(frozen=True, slots=True)
class Refinement:
    """What is added to the schema of a model.

    Attributes:
        fields: By name in a manifest, what is merged into the schema of the field.
        rules: The rules about the whole part.
    """

    fields: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rules: tuple[CelRule, ...] = ()


def _unchangeable(*names: str) -> tuple[CelRule, ...]:
    """Rules that each of the fields *names* is what it was when the object was created."""
    return tuple(
        CelRule(
            f"has(self.{name}) == has(oldSelf.{name}) && "
            f"(!has(self.{name}) || self.{name} == oldSelf.{name})",
            "decides what the trials mean and cannot be changed; create another Experiment",
            name,
        )
        for name in names
    )


def _is_integer(bound: str) -> CelRule:
    """The rule that a *bound* of an integer is one; 64 bits hold no larger one to compare with."""
    path = f"self.feasibleSpace.{bound}"
    is_large = f"double({path}) < -9.0e18 || double({path}) > 9.0e18"
    return CelRule(
        f"self.parameterType != 'int' || !has({path}) || {is_large} || "
        f"double(int(double({path}))) == double({path})",
        f"{bound} of a parameter of type int must be an integer",
        "feasibleSpace",
    )


def _keyed(key: str, most: int) -> dict[str, Any]:
    """A list of mappings that have different values of the field *key*."""
    return {
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": [key],
        "maxItems": most,
    }


def _names(most: int) -> dict[str, Any]:
    """A list of different texts."""
    return {"x-kubernetes-list-type": "set", "maxItems": most}


_FORMATS = [form.value for form in FileFormat]
_COUNT = {"minimum": 1, "maximum": _MOST_COUNT}
_SIZES = {"maxItems": 32, "items": _COUNT}
_NEEDED = {"minLength": 1}
_TYPE = {"type": "string", "minLength": 1, "maxLength": 317}
_SECONDS = {"minimum": 0, "exclusiveMinimum": True}
_POINTS = {"maxItems": 10_000, "items": {"maxProperties": _MOST_PARAMETERS}}
_ALGORITHM = Refinement(
    {"algorithmName": {**_NEEDED, "maxLength": 253}, "algorithmSettings": _keyed("name", 256)}
)
_WITH_CONDITIONS = ", ".join(f"'{group}/{kind}'" for group, kind in KINDS_WITH_CONDITIONS)

NAME_RULES: Final = (
    CelRule("size(self.metadata.name) <= 40", "metadata.name must have at most 40 characters"),
    CelRule(
        "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
        "metadata.name must consist of lower-case letters, digits and '-', start with a letter "
        "and not end with '-'",
    ),
)
"""The rules about the name of an Experiment, which leave room for the names of its trials."""

TRIAL_SPEC_RULES: Final = (
    CelRule("self == oldSelf", "is what the search has answered and cannot be changed"),
)

REFINEMENTS: Final[Mapping[type[Document], Refinement]] = {
    AlgorithmSetting: Refinement({"name": _NEEDED, "value": {"maxLength": 4096}}),
    AlgorithmSpec: _ALGORITHM,
    EarlyStopping: _ALGORITHM,
    MetricConstraint: Refinement(
        {"name": _NEEDED},
        (
            CelRule("has(self.min) || has(self.max)", "has no bounds; give min, max or both"),
            CelRule(
                "!has(self.min) || !has(self.max) || self.min <= self.max",
                "must not be above max",
                "min",
            ),
        ),
    ),
    Objective: Refinement(
        {
            "objectiveMetricName": _NEEDED,
            "additionalMetricNames": _names(100),
            "metricStrategies": _keyed("name", 100),
            "additionalObjectives": _keyed("objectiveMetricName", 32),
            "constraints": _keyed("name", 100),
        },
        (
            CelRule(
                "!has(self.additionalMetricNames) || "
                "!(self.objectiveMetricName in self.additionalMetricNames)",
                "contains the objective; list other metrics only",
                "additionalMetricNames",
            ),
            *_unchangeable(
                "type",
                "objectiveMetricName",
                "additionalMetricNames",
                "metricStrategies",
                "additionalObjectives",
                "constraints",
            ),
        ),
    ),
    FeasibleSpace: Refinement(
        {"list": {"maxItems": 10_000}},
        (
            CelRule(
                "!has(self.min) || !has(self.max) || double(self.min) <= double(self.max)",
                "must not be above max",
                "min",
            ),
            CelRule(
                "!has(self.distribution) || !self.distribution.startsWith('log') || "
                "!has(self.min) || double(self.min) > 0.0",
                "a logarithmic distribution needs a number above 0",
                "min",
            ),
            CelRule(
                "!has(self.step) || double(self.step) > 0.0", "must be a number above 0", "step"
            ),
        ),
    ),
    Parameter: Refinement(
        {"name": {**_NEEDED, "maxLength": 253}, "when": {"maxLength": 4096}},
        (
            CelRule(
                "self.parameterType in ['discrete', 'categorical'] || "
                "has(self.feasibleSpace.min) == has(self.feasibleSpace.max)",
                "a parameter of type double or int needs min and max",
                "feasibleSpace",
            ),
            CelRule(
                "self.parameterType in ['double', 'int'] || !(has(self.feasibleSpace.min) || "
                "has(self.feasibleSpace.max) || has(self.feasibleSpace.step))",
                "a parameter of type discrete or categorical has a list alone",
                "feasibleSpace",
            ),
            *(_is_integer(bound) for bound in ("min", "max", "step")),
        ),
    ),
    Operation: Refinement(
        {"operationType": {**_NEEDED, "maxLength": 253}, "parameters": _keyed("name", 16)}
    ),
    NasConfig: Refinement({"operations": _keyed("operationType", 32)}),
    GraphConfig: Refinement(
        {
            "numLayers": _COUNT,
            "inputSizes": _SIZES,
            "outputSizes": _SIZES,
        }
    ),
    TrialParameter: Refinement(
        {
            "name": {**_NEEDED, "maxLength": 253, "pattern": "^[^{}]+$"},
            "reference": _NEEDED,
            "description": {"maxLength": 4096},
        }
    ),
    GoTemplate: Refinement({"rawTemplate": {"maxLength": 262_144}}),
    TrialTemplate: Refinement(
        {
            "trialParameters": _keyed("name", _MOST_PARAMETERS),
            "successCondition": {"maxLength": 4096},
            "failureCondition": {"maxLength": 4096},
            "trialSpec": {
                "properties": {"apiVersion": _TYPE, "kind": _TYPE},
                "required": ["apiVersion", "kind"],
            },
        },
        (
            CelRule(
                "[has(self.trialSpec), has(self.configMap), has(self.goTemplate)]"
                ".exists_one(given, given)",
                "exactly one of trialSpec, configMap, goTemplate is needed",
            ),
            CelRule(
                "!has(self.trialSpec) || (has(self.successCondition) && "
                f"has(self.failureCondition)) || self.trialSpec.apiVersion == '{API_VERSION}' || "
                "self.trialSpec.apiVersion.split('/')[0] + '/' + self.trialSpec.kind "
                f"in [{_WITH_CONDITIONS}]",
                "successCondition and failureCondition are needed for this kind of trialSpec: "
                "nothing else tells when such an object is done",
            ),
        ),
    ),
    Collector: Refinement(
        {"kind": {"enum": [*(kind.value for kind in CollectorKind), *OLDER_COLLECTORS]}},
        (
            CelRule(
                "!has(self.kind) || self.kind != 'Custom' || has(self.customCollector)",
                "is missing; a collector of kind Custom needs a container",
                "customCollector",
            ),
        ),
    ),
    FileSystemPath: Refinement(
        {
            "path": {"pattern": "^(/.*)?$", "maxLength": 4096},
            # The spellings in lower case are read, too.
            "format": {"enum": [text for form in _FORMATS for text in (form, form.lower())]},
        }
    ),
    HttpGet: Refinement(
        {"httpHeaders": {"maxItems": 32}, "path": {"pattern": "^(/.*)?$", "maxLength": 4096}}
    ),
    ExperimentSpec: Refinement(
        {
            "parameters": _keyed("name", _MOST_PARAMETERS),
            "parallelTrialCount": _COUNT,
            "maxTrialCount": _COUNT,
            "maxFailedTrialCount": {"minimum": 0, "maximum": _MOST_COUNT},
            "seed": {"minimum": 0},
            "initialPoints": _POINTS,
            "enqueuedPoints": _POINTS,
            "warmStart": {**_names(100), "items": {"maxLength": 105}},
            "activeDeadlineSeconds": _SECONDS,
            "trialActiveDeadlineSeconds": _SECONDS,
        },
        (
            CelRule(
                "has(self.trialTemplate)", "is missing; say what a trial runs", "trialTemplate"
            ),
            CelRule(
                "has(self.nasConfig) != (has(self.parameters) && size(self.parameters) > 0)",
                "exactly one of parameters and nasConfig is needed",
            ),
            CelRule(
                "!has(self.maxTrialCount) || self.parallelTrialCount <= self.maxTrialCount",
                "must be less than or equal to maxTrialCount",
                "parallelTrialCount",
            ),
            # More failures than trials say that none of them ends the experiment.
            CelRule(
                "!has(self.maxTrialCount) || !has(self.maxFailedTrialCount) || "
                "self.maxFailedTrialCount <= self.maxTrialCount || (has(self.trialTemplate) && "
                "has(self.trialTemplate.trialSpec) && "
                f"self.trialTemplate.trialSpec.apiVersion == '{API_VERSION}')",
                "must be less than or equal to maxTrialCount",
                "maxFailedTrialCount",
            ),
            *_unchangeable(
                "parameters",
                "algorithm",
                "earlyStopping",
                "trialTemplate",
                "metricsCollectorSpec",
                "nasConfig",
                "seed",
                "warmStart",
            ),
        ),
    ),
}
"""By model, what is added to its schema."""
