"""The rule for every text of a document: it is one that a file and a database can hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from hpo_lab.problems import Problem

__all__ = ["text_problems"]


def text_problems(part: object, path: str) -> Iterator[Problem]:
    """A problem for each text in *part* that UTF-8 cannot hold, which is half of a pair.

    Args:
        part: A part of a document, or plain data.
        path: Where it stands.
    """
    match part:
        case str():
            if not _is_text(part):
                yield Problem(path, f"is {part!r}, which has a character that is no text")
        case BaseModel():
            for name, field in type(part).model_fields.items():
                yield from text_problems(getattr(part, name), f"{path}.{field.alias or name}")
        case Mapping():
            for name, value in part.items():
                yield from text_problems(name, path)
                yield from text_problems(value, f"{path}.{name}")
        case tuple() | list():
            for index, value in enumerate(part):
                yield from text_problems(value, f"{path}[{index}]")


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
