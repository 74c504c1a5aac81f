"""What the double answers instead of what it was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Refusal(Exception):
    """A Status object with its code."""

    def __init__(
        self, code: int, reason: str, message: str, causes: Sequence[dict[str, str]] = ()
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.causes = list(causes)

    def document(self) -> dict[str, Any]:
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "details": {"causes": self.causes} if self.causes else {},
            "code": self.code,
        }


def bad_request(message: str) -> Refusal:
    return Refusal(400, "BadRequest", message)


def conflict(message: str) -> Refusal:
    return Refusal(409, "Conflict", message)


def expired(message: str) -> Refusal:
    return Refusal(410, "Expired", message)


def not_found(message: str) -> Refusal:
    return Refusal(404, "NotFound", message)


def invalid(what: str, problems: Sequence[tuple[str, str]]) -> Refusal:
    causes = [
        {"reason": "FieldValueInvalid", "message": message, "field": field}
        for field, message in problems
    ]
    text = "; ".join(f"{field}: {message}" for field, message in problems)
    return Refusal(422, "Invalid", f"{what} is invalid: {text}", causes)
