"""A dimension of a search space, as a manifest describes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from hpo_lab.experiment.document import Document, Number, Value, as_number, as_text

__all__ = ["Distribution", "FeasibleSpace", "Parameter", "ParameterType", "as_texts"]


class ParameterType(StrEnum):
    """How a parameter's feasible space is described (Katib's `parameterType`)."""

    DOUBLE = "double"
    INT = "int"
    DISCRETE = "discrete"
    CATEGORICAL = "categorical"


class Distribution(StrEnum):
    """How values are drawn between `min` and `max`.

    `normal` has its mean in the middle of the bounds and a standard deviation of a sixth of
    their distance, and is truncated to the bounds. The `log` forms are the same on a
    logarithmic scale.
    """

    UNIFORM = "uniform"
    LOG_UNIFORM = "logUniform"
    NORMAL = "normal"
    LOG_NORMAL = "logNormal"

    @property
    def is_log(self) -> bool:
        """Whether the distribution is that of the value's logarithm."""
        return self in (Distribution.LOG_UNIFORM, Distribution.LOG_NORMAL)


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
    """A dimension of the search space.

    `when` (*extension*) is a condition on other parameters, such as `opt == "sgd"`; the
    parameter is assigned only in trials where it holds.
    """

    name: str
    parameter_type: ParameterType
    feasible_space: FeasibleSpace
    when: str | None = None

    @property
    def distribution(self) -> Distribution:
        """The distribution; Katib's default (`uniform`) when the field is absent."""
        return self.feasible_space.distribution or Distribution.UNIFORM

    @property
    def choices(self) -> tuple[Value, ...]:
        """The listed values of a `discrete` or `categorical` parameter, typed."""
        values = self.feasible_space.list or ()
        if self.parameter_type is ParameterType.DISCRETE:
            return tuple(as_number(value) for value in values)
        return values

    def text_of(self, value: Value) -> str:
        """*value* as text; of a `discrete` parameter as its list writes it, `0.50` or `1e-3`."""
        if self.parameter_type is ParameterType.DISCRETE:
            for written, number in zip(self.feasible_space.list or (), self.choices, strict=True):
                if number == value:
                    return as_text(written)
        return as_text(value)


def as_texts(parameters: Sequence[Parameter], assignments: Mapping[str, Value]) -> dict[str, str]:
    """The texts of *assignments*, values by name, which a trial outside Python is given."""
    by_name = {parameter.name: parameter for parameter in parameters}
    return {
        name: by_name[name].text_of(value) if name in by_name else as_text(value)
        for name, value in assignments.items()
    }
