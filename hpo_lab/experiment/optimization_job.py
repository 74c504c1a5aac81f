"""Kubeflow Trainer's `OptimizationJob`, the successor of Katib's Experiment, with its rules.

Follows `pkg/apis/trainer/v1alpha1/optimizationjob_types.go` of github.com/kubeflow/trainer at
8c0f5059 (August 2026): defaults, limits and CEL rules. A rule about one value is that of its
type here; rules about several values are `relation_problems`, which reads plain data, so that
they are told beside a wrong type elsewhere.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import AfterValidator, Field, Strict, ValidationInfo, field_validator

from hpo_lab.experiment.document import Document
from hpo_lab.experiment.environment import variable_problems
from hpo_lab.experiment.model import Metadata
from hpo_lab.experiment.structure import RuleBroken, shown
from hpo_lab.problems import Problem

__all__ = [
    "DOUBLE",
    "MOST",
    "MOST_CHARACTERS",
    "PREFIX",
    "TRAINER_API_VERSION",
    "CategoricalSpace",
    "LogUniformSpace",
    "OptimizationJob",
    "OptimizationObjective",
    "OptimizationParameter",
    "OptimizationSpec",
    "RandomAlgorithm",
    "SearchAlgorithm",
    "SearchSpace",
    "TrainJobTemplate",
    "UniformSpace",
    "relation_problems",
]

TRAINER_API_VERSION: Final = "trainer.kubeflow.org/v1alpha1"
PREFIX: Final = "KUBEFLOW_TRAINER_OPT_"
"""Begins the variable of every parameter; see `hpo_lab.experiment.environment`."""

MOST: Final = 100
"""The most trials, parameters, and choices of a parameter."""
MOST_CHARACTERS: Final = 64
"""The most characters of a name, a number and a choice."""
DOUBLE: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
"""The texts that are numbers."""

_SPACES: Final = ("uniform", "logUniform", "categorical")
_ALGORITHMS: Final = ("random", "grid")
_SEEDS: Final = range(2**63)

Checked = TypeVar("Checked")


def _checked(message: Callable[[Checked], str]) -> AfterValidator:
    """A check by *message*, which says what is wrong with a value, or nothing."""

    def check(value: Checked) -> Checked:
        if text := message(value):
            raise RuleBroken(text)
        return value

    return AfterValidator(check)


def _length(text: str) -> str:
    is_allowed = 0 < len(text) <= MOST_CHARACTERS
    return "" if is_allowed else f"has {len(text)} characters; allowed are 1 to {MOST_CHARACTERS}"


def _count(count: int) -> str:
    return "" if 1 <= count <= MOST else f"found {count}; allowed are 1 to {MOST}"


def _seed(seed: int) -> str:
    # The type allows numbers below 0, which have no meaning for the search here.
    return "" if seed in _SEEDS else f"found {seed}; allowed are 0 to {_SEEDS[-1]}"


def _entries(entries: tuple[Any, ...]) -> str:
    is_allowed = 1 <= len(entries) <= MOST
    return "" if is_allowed else f"has {len(entries)} entries; allowed are 1 to {MOST}"


def _single(entries: tuple[Any, ...]) -> str:
    return "" if len(entries) == 1 else f"has {len(entries)} entries; exactly 1 is allowed"


def _number(text: str) -> str:
    if DOUBLE.fullmatch(text) and len(text) <= MOST_CHARACTERS and math.isfinite(float(text)):
        return ""
    needed = f'a number is needed, such as "0.5", "-3" or "1e-4", of at most {MOST_CHARACTERS}'
    return f"found {shown(text)}; {needed} characters"


def _choices(choices: tuple[str, ...]) -> str:
    for choice, count in Counter(choices).items():
        if len(choice) > MOST_CHARACTERS:
            return f"contains a text of {len(choice)} characters; allowed are {MOST_CHARACTERS}"
        if count > 1:
            return f"contains {choice!r} more than once"
    return ""


Name = Annotated[str, _checked(_length)]
Count = Annotated[int, Strict(), _checked(_count)]
Double = Annotated[str, _checked(_number)]


class OptimizationObjective(Document):
    """The metric to optimise."""

    metric: Name
    direction: Literal["Maximize", "Minimize"] = "Minimize"


class RandomAlgorithm(Document):
    """Random search."""

    seed: Annotated[int, Strict(), _checked(_seed)] | None = None


class GridAlgorithm(Document):
    """Grid search, over choices alone."""


class SearchAlgorithm(Document):
    """One of the two algorithms."""

    random: RandomAlgorithm | None = None
    grid: GridAlgorithm | None = None


class UniformSpace(Document):
    """Numbers between `min` and `max`, which are texts."""

    # Before the bounds, which have to be whole numbers for `Int`.
    type: Literal["Int", "Float"] = "Float"
    min: Double
    max: Double

    @field_validator("min", "max")
    @classmethod
    def _is_whole(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("type") == "Int" and not float(value).is_integer():
            raise RuleBroken(f"found {value!r}; a whole number is needed with type Int")
        return value

    @field_validator("max")
    @classmethod
    def _is_above_min(cls, value: str, info: ValidationInfo) -> str:
        low = info.data.get("min")
        if low is not None and float(low) >= float(value):
            raise RuleBroken(f"found {value!r}; must be above min, {low!r}")
        return value


class LogUniformSpace(UniformSpace):
    """The same, on a logarithmic scale."""

    @field_validator("min")
    @classmethod
    def _is_positive(cls, value: str) -> str:
        if float(value) <= 0:
            raise RuleBroken(f"found {value!r}; must be above 0")
        return value


class CategoricalSpace(Document):
    """Texts to choose from."""

    choices: Annotated[tuple[str, ...], _checked(_entries), _checked(_choices)]


class SearchSpace(Document):
    """One of the three distributions."""

    uniform: UniformSpace | None = None
    log_uniform: LogUniformSpace | None = None
    categorical: CategoricalSpace | None = None


class OptimizationParameter(Document):
    """A dimension of the search space."""

    name: Name
    search_space: SearchSpace


class TrainJobTemplate(Document):
    """The TrainJob of each trial; its structure is checked as that of every trial's object."""

    metadata: dict[str, Any] = Field(default_factory=dict)
    spec: dict[str, Any]


class OptimizationSpec(Document):
    """What is searched, and what a trial runs."""

    objectives: Annotated[tuple[OptimizationObjective, ...], _checked(_single)]
    search_algorithm: SearchAlgorithm = SearchAlgorithm(random=RandomAlgorithm())
    parameters: Annotated[tuple[OptimizationParameter, ...], _checked(_entries)]
    num_trials: Count = 1
    parallel_trials: Count = 1
    train_job_template: TrainJobTemplate


class OptimizationJob(Document):
    """A document of the kind; its status is that of a controller, and is not read."""

    api_version: Literal["trainer.kubeflow.org/v1alpha1"]
    kind: Literal["OptimizationJob"]
    metadata: Metadata
    spec: OptimizationSpec
    status: dict[str, Any] | None = None


def relation_problems(document: Mapping[str, Any]) -> Iterator[Problem]:
    """The rules about several values that *document*, plain data, breaks.

    What has not the type for a rule is left to the models.
    """
    spec = _mapping(document.get("spec"))
    algorithm = spec.get("searchAlgorithm")
    if isinstance(algorithm, Mapping):
        yield from _exactly_one(algorithm, _ALGORITHMS, "spec.searchAlgorithm")
    listed = spec.get("parameters")
    parameters = [_mapping(each) for each in (listed if isinstance(listed, list) else ())]
    for index, parameter in enumerate(parameters):
        space, path = parameter.get("searchSpace"), f"spec.parameters[{index}].searchSpace"
        if isinstance(space, Mapping):
            yield from _exactly_one(space, _SPACES, path)
            for name in _SPACES[:2] if _is_given(algorithm, "grid") else ():
                if _is_given(space, name):
                    message = "is not allowed with searchAlgorithm.grid, which needs categorical"
                    yield Problem(f"{path}.{name}", message)
    texts = [each.get("name") for each in parameters]
    names = [text if isinstance(text, str) else "" for text in texts]
    for repeated, count in Counter(filter(None, names)).items():
        if count > 1:
            message = f"{repeated!r} is the name of more than one parameter"
            yield Problem("spec.parameters", message)
    for index, message in variable_problems(PREFIX, names):
        yield Problem(f"spec.parameters[{index}].name", message)
    most, parallel = spec.get("numTrials", 1), spec.get("parallelTrials", 1)
    if type(most) is int and type(parallel) is int and 1 <= most < parallel <= MOST:
        message = f"found {parallel}; must be at most numTrials, {most}"
        yield Problem("spec.parallelTrials", message)
    yield from _template(_mapping(spec.get("trainJobTemplate")), "spec.trainJobTemplate")


def _template(template: Mapping[str, Any], path: str) -> Iterator[Problem]:
    for field in ("name", "namespace"):
        if _is_given(template.get("metadata"), field):
            message = "is not allowed in a template; every trial has its own"
            yield Problem(f"{path}.metadata.{field}", message)
    job = template.get("spec")
    if not isinstance(job, Mapping):
        return
    runtime = job.get("runtimeRef")
    if not _mapping(runtime).get("name"):
        message = "is missing; a TrainJob names the training runtime that it is run by"
        yield Problem(f"{path}.spec.runtimeRef.name", message)
    trainer = _mapping(job.get("trainer"))
    for part, where, field, least in (
        (trainer, "spec.trainer", "numNodes", 0),
        (trainer, "spec.trainer", "numProcPerNode", 1),
        (job, "spec", "activeDeadlineSeconds", 1),
    ):
        value = part.get(field)
        if type(value) is int and value < least:
            yield Problem(f"{path}.{where}.{field}", f"found {value}; must be at least {least}")


def _exactly_one(part: Mapping[str, Any], names: tuple[str, ...], path: str) -> Iterator[Problem]:
    names_there = [name for name in names if _is_given(part, name)]
    # A field of another name is told by the models, and is probably what is needed.
    is_misspelt = not names_there and any(field not in names for field in part)
    if len(names_there) != 1 and not is_misspelt:
        state = f"has {' and '.join(names_there)}" if names_there else "has none of them"
        yield Problem(path, f"{state}; exactly one of {', '.join(names)} is needed")


def _is_given(part: Any, field: str) -> bool:
    """Whether *part* has *field*; null and empty text are as not given, as in every document."""
    return _mapping(part).get(field) not in (None, "")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
