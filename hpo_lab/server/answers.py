"""From a request to a reply, whatever serves it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hpo_lab.facade.another import AnotherExperiment
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.server.changes import ChangeEvents
from hpo_lab.server.request import ApiRequest, Content, Fields, read_fields
from hpo_lab.server.routes import Endpoint, match
from hpo_lab.server.stores import Stores, silence
from hpo_lab.store import NotFound

__all__ = ["Answers", "Reply"]

_log = logging.getLogger(__name__)

_JSON = "application/json"
_EXACT = 2**53 - 1
_LARGEST = 1 << 20
"""Bytes of a body."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent back."""

    status: int
    content: bytes = b""
    media_type: str = _JSON
    headers: Mapping[str, str] = field(default_factory=dict)


class Answers:
    """Answers requests about the experiments of some stores; for many threads."""

    def __init__(
        self,
        locations: Sequence[str],
        root: Path,
        tell: Callable[[Mapping[str, Any]], None],
    ) -> None:
        """Answer about stores.

        Args:
            locations: Paths of SQLite files or URLs of databases; by default the user's own.
            root: The folder that the server serves; files to run are below it.
            tell: Called with the data of an event, in a thread of its own, when something changed.

        Raises:
            InvalidInput: A location cannot be read.
        """
        self._stores = Stores([*locations] or [None])
        self._root = root
        self._changes = ChangeEvents(self._stores, tell)

    def close(self) -> None:
        """Stop watching the stores."""
        self._changes.close()

    def reply(self, method: str, path: str, query: Mapping[str, list[str]], body: bytes) -> Reply:
        """Answer a request, whose sender was found to be allowed to ask.

        Args:
            method: `GET`, `POST` or `DELETE`.
            path: What stands in the address behind `hpo-lab/api`.
            query: The values behind the question mark, by name.
            body: What was sent.
        """
        self._changes.keep_up()
        route, names = match(path)
        if route is None:
            return _refusal(404, f"there is no address {path}")
        endpoint = route.endpoints.get(method)
        if endpoint is None:
            allowed = ", ".join(route.endpoints)
            return _refusal(405, f"{method} is not possible here", headers={"Allow": allowed})
        try:
            request = self._checked(endpoint, names, query, body)
            return _sent(endpoint, endpoint.answer(request), path)
        except AnotherExperiment as error:
            return _refusal(409, str(error), error.problems)
        except InvalidInput as error:
            return _refusal(400, str(error), error.problems)
        except NotFound as error:
            return _refusal(404, str(error))
        except Exception as error:
            reason = silence(error)
            if not reason:
                raise
            message = f"the store does not answer: {reason}"
            return _refusal(503, message, headers={"Retry-After": "5"})

    def _checked(
        self,
        endpoint: Endpoint,
        names: Mapping[str, str],
        query: Mapping[str, list[str]],
        body: bytes,
    ) -> ApiRequest:
        """The request with its query and body read.

        Raises:
            InvalidInput: with every problem of the query, or of the body.
        """
        return ApiRequest(
            stores=self._stores,
            root=self._root,
            path=names,
            query=read_fields(endpoint.query, _single(query, endpoint.query), "query"),
            body=read_fields(endpoint.body, _plain(body), "body"),
        )


def _single(query: Mapping[str, list[str]], model: type[Fields]) -> dict[str, Any]:
    """The values of *query*: all of a field that is a list, and the last one of another."""
    lists = {name for name, each in model.model_fields.items() if each.default_factory is list}
    return {name: each if name in lists else each[-1] for name, each in query.items()}


def _plain(body: bytes) -> Mapping[str, Any]:
    if len(body) > _LARGEST:
        raise InvalidInput([Problem("body", f"is larger than {_LARGEST} bytes")])
    if not body.strip():
        return {}
    try:
        document = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidInput([Problem("body", f"is no JSON: {error}")]) from None
    if not isinstance(document, dict):
        raise InvalidInput([Problem("body", f"found {document!r:.200}; an object is needed")])
    return document


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _sent(endpoint: Endpoint, answer: Mapping[str, Any] | Content | None, path: str) -> Reply:
    if answer is None:
        return Reply(endpoint.status)
    if isinstance(answer, Content):
        # What a trial kept is never shown as a page of this server.
        name = f"filename*=UTF-8''{quote(answer.name)}"
        headers = {"Content-Disposition": f"attachment; {name}"}
        return Reply(endpoint.status, answer.data, answer.media_type, headers)
    document = _exact(answer)
    try:
        text = json.dumps(document, allow_nan=False)
    except ValueError as error:
        _log.warning("The answer of %s has null for a number: %s", path, error)
        finite = json.loads(json.dumps(document), parse_constant=lambda _: None)
        text = json.dumps(finite)
    return Reply(endpoint.status, text.encode())


def _exact(answer: Any) -> Any:
    """*answer* with integers that JavaScript cannot hold as texts."""
    if isinstance(answer, Mapping):
        return {name: _exact(value) for name, value in answer.items()}
    if isinstance(answer, list | tuple):
        return [_exact(value) for value in answer]
    is_large = isinstance(answer, int) and abs(answer) > _EXACT
    return str(answer) if is_large else answer


def _refusal(
    status: int,
    message: str,
    problems: Sequence[Problem] = (),
    headers: Mapping[str, str] | None = None,
) -> Reply:
    listed = [{"where": each.where, "message": each.message} for each in problems]
    document = {"message": message, "problems": listed}
    return Reply(status, json.dumps(document).encode(), headers=headers or {})
