"""What a request asks for, checked, and what an answer may be beside plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from hpo_lab.problems import InvalidInput, Problem, nearest
from hpo_lab.server.stores import Stores

__all__ = ["Answer", "ApiRequest", "Body", "Content", "Fields", "Nothing", "read_fields"]


class Fields(BaseModel):
    """The fields of a query or a body; what is no field of it is a problem."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Body(Fields):
    """The fields of a body, which says the type of each value itself."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Nothing(Body):
    """No fields."""


AnyFields = TypeVar("AnyFields", bound=Fields)


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request, checked.

    Attributes:
        stores: The stores that the server shows.
        root: The folder that the server serves; files of requests are below it.
        path: What stands in the address, by name.
        query: What stands behind the question mark.
        body: What was sent.
    """

    stores: Stores
    root: Path
    path: Mapping[str, str]
    query: Any
    body: Any

    @property
    def uid(self) -> str:
        """The experiment that the address names."""
        return self.path["uid"]

    @property
    def number(self) -> int:
        """The trial that the address names."""
        return int(self.path["number"])


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a file as an answer.

    Attributes:
        data: The bytes.
        media_type: What they are, as whoever kept them says.
        name: What to call the file where it is saved.
    """

    data: bytes
    media_type: str
    name: str


Answer: TypeAlias = Callable[[ApiRequest], Mapping[str, Any] | Content | None]
"""Answers a request, in a thread; None is an answer without content.

It raises `InvalidInput` for what cannot be done, and `NotFound` for what is not there.
"""


def read_fields(model: type[AnyFields], fields: Mapping[str, Any], where: str) -> AnyFields:
    """The *fields* of a query or a body as *model*.

    Args:
        model: Which fields there are.
        fields: What was sent.
        where: Where, for a problem with all of them.

    Raises:
        InvalidInput: with every problem.
    """
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        names = [field.alias or name for name, field in model.model_fields.items()]
        raise InvalidInput([_problem(each, names, where) for each in error.errors()]) from None


def _problem(error: Any, names: list[str], where: str) -> Problem:
    place = ".".join(map(str, error["loc"])) or where
    if error["type"] == "extra_forbidden":
        name = str(error["loc"][-1])
        there = f"; there are {', '.join(names)}" if names else "; there is none"
        return Problem(place, f"is no field of the {where}{nearest(name, names) or there}")
    if error["type"] == "missing":
        return Problem(place, f"is missing in the {where}")
    message = error["msg"][:1].lower() + error["msg"][1:]
    return Problem(place, f"found {error['input']!r:.200}; {message}")
