"""What an API server answers instead of what it was asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["ApiError"]

_LONGEST_TEXT = 300


class ApiError(RuntimeError):
    """The API server refused, or did not answer.

    Attributes:
        status: The HTTP status; 0 where no whole reply came.
        reason: A CamelCase word: that of the server's Status object (`AlreadyExists`, `Conflict`,
            `Expired`), or `Unreachable` where nothing took the connection, `Timeout`,
            `Disconnected` where it ended, `Unreadable` where the reply is no JSON.
        message: For a person.
        details: Those of the Status object, such as the `causes` of `Invalid`.
        retry_after: Seconds after which to ask again, as the server says; None if it does not.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        details: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{message} ({status or 'no reply'}, {reason})")
        self.status = status
        self.reason = reason
        self.message = message
        self.details = dict(details or {})
        self.retry_after = retry_after

    @classmethod
    def of_status(cls, document: Mapping[str, Any], retry_after: float | None = None) -> ApiError:
        """The error that a Status object tells."""
        details = document.get("details") or {}
        if retry_after is None:
            retry_after = details.get("retryAfterSeconds")
        status = document.get("code") or 0
        reason = document.get("reason") or "Unknown"
        return cls(status, reason, document.get("message") or reason, details, retry_after)

    @classmethod
    def of_reply(cls, status: int, payload: bytes, retry_after: str | None) -> ApiError:
        """The error of a reply with an HTTP *status* of 400 or more.

        Args:
            status: The HTTP status.
            payload: The body: a Status object, or whatever a proxy in between wrote.
            retry_after: The header of that name, in seconds.
        """
        seconds = float(retry_after) if retry_after and retry_after.isdecimal() else None
        try:
            document = json.loads(payload)
        except ValueError:
            document = None
        if isinstance(document, dict) and document.get("kind") == "Status":
            return cls.of_status({**document, "code": status}, seconds)
        text = " ".join(payload.decode(errors="replace").split())[:_LONGEST_TEXT]
        return cls(status, "Unknown", text or f"HTTP status {status}", None, seconds)
