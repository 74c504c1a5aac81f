"""The base class of every part of a document, and its conversion of numbers and text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, model_validator
from pydantic.alias_generators import to_camel

__all__ = ["OPTIMIZATION_JOB", "Document", "Number", "Text", "Value", "as_number", "as_text"]

OPTIMIZATION_JOB: Final = "OptimizationJob"
"""The kind of Kubeflow Trainer's form of an experiment."""

Value = bool | int | float | str | None
"""A value of a parameter: a Python literal that is a scalar."""


def as_number(value: Any) -> Any:
    """A manifest's number: text becomes an int where it looks like an int, else a float.

    Raises:
        ValueError: *value* is text and no number.
    """
    if not isinstance(value, str):
        return value
    try:
        return int(value)
    except ValueError:
        return float(value)


def as_text(value: Value) -> str:
    """*value* as a manifest or a command line shows it: `true`, `null`, `0.01`, `sgd`."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return value
        case _:
            return repr(value)


def _text(value: Any) -> Any:
    """A manifest's text: YAML reads unquoted numbers and booleans as such."""
    return as_text(value) if isinstance(value, bool | int | float) else value


Number = Annotated[int | float, BeforeValidator(as_number), PlainSerializer(repr, return_type=str)]
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

    @model_validator(mode="before")
    @classmethod
    def _without_what_is_not_given(cls, data: Any) -> Any:
        """The *data* without null, and without empty text in optional fields, as Go reads them."""
        if not isinstance(data, Mapping):
            return data
        return {name: value for name, value in data.items() if cls._is_given(name, value)}

    @classmethod
    def _is_given(cls, name: Any, value: Any) -> bool:
        if value is not None and value != "":
            return True
        fields = cls.model_fields
        field = fields.get(name) or next((f for f in fields.values() if f.alias == name), None)
        return field is None or (value == "" and field.is_required())

    def to_document(self) -> dict[str, Any]:
        """The part as plain data with the manifest's names; unset fields are left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
