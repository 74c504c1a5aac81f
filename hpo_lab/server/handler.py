"""The one handler: who asks is checked, then what is asked, then a thread answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from tornado import web

from hpo_lab.facade.another import AnotherExperiment
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.server.changes import ChangeEvents
from hpo_lab.server.request import ApiRequest, Content, Fields, read_fields
from hpo_lab.server.routes import Endpoint, Route
from hpo_lab.server.stores import Stores
from hpo_lab.store import NotFound, StoreUnavailable, outage

__all__ = ["RouteHandler"]

_LARGEST = 1 << 20
"""Bytes of a body."""


class RouteHandler(ExtensionHandlerMixin, APIHandler):
    """Answers the requests to one address."""

    SUPPORTED_METHODS = ("GET", "POST", "DELETE", "OPTIONS")
    auth_resource = "hpo_lab"

    def initialize(
        self, name: str, route: Route, stores: Stores, changes: ChangeEvents, threads: Executor
    ) -> None:
        """Take what the extension hands to every handler.

        Args:
            name: The extension.
            route: The address.
            stores: The stores that are shown.
            changes: Tells browsers of changes while they ask.
            threads: Where questions are answered.
        """
        super().initialize(name)
        self.route = route
        self.stores = stores
        self.changes = changes
        self.threads = threads

    @web.authenticated
    @authorized
    async def get(self, **path: str) -> None:
        """Answer with what is recorded."""
        await self._answer(path)

    @web.authenticated
    @authorized
    async def post(self, **path: str) -> None:
        """Do what a person asks for."""
        await self._answer(path)

    @web.authenticated
    @authorized
    async def delete(self, **path: str) -> None:
        """Delete."""
        await self._answer(path)

    async def _answer(self, path: Mapping[str, str]) -> None:
        self.changes.keep_up()
        endpoint = self.route.endpoints.get(str(self.request.method))
        if endpoint is None:
            self.set_header("Allow", ", ".join(self.route.endpoints))
            self._refuse(405, f"{self.request.method} is not possible here")
            return
        try:
            request = self._checked(endpoint, path)
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(self.threads, endpoint.answer, request)
        except AnotherExperiment as error:
            self._refuse(409, str(error), error.problems)
        except InvalidInput as error:
            self._refuse(400, str(error), error.problems)
        except NotFound as error:
            self._refuse(404, str(error))
        except Exception as error:
            reason = str(error) if isinstance(error, StoreUnavailable) else outage(error)
            if not reason:
                raise
            self.set_header("Retry-After", "5")
            self._refuse(503, f"the store does not answer: {reason}")
        else:
            self._send(endpoint, answer)

    def _checked(self, endpoint: Endpoint, path: Mapping[str, str]) -> ApiRequest:
        """The request, checked.

        Raises:
            InvalidInput: with every problem of the query, or of the body.
        """
        return ApiRequest(
            stores=self.stores,
            root=Path(self.settings["server_root_dir"]).expanduser(),
            path=path,
            query=read_fields(endpoint.query, self._query(endpoint.query), "query"),
            body=read_fields(endpoint.body, self._body(), "body"),
        )

    def _query(self, model: type[Fields]) -> dict[str, Any]:
        lists = {
            name for name, field in model.model_fields.items() if field.default_factory is list
        }
        # A request of a browser without cookies carries the token here.
        names = self.request.query_arguments.keys() - {"token", "_xsrf"}
        values = {name: self.get_query_arguments(name) for name in names}
        return {name: each if name in lists else each[-1] for name, each in values.items()}

    def _body(self) -> Mapping[str, Any]:
        if len(self.request.body) > _LARGEST:
            raise InvalidInput([Problem("body", f"is larger than {_LARGEST} bytes")])
        if not self.request.body.strip():
            return {}
        try:
            body = json.loads(self.request.body)
        except (ValueError, RecursionError) as error:
            raise InvalidInput([Problem("body", f"is no JSON: {error}")]) from None
        if not isinstance(body, dict):
            raise InvalidInput([Problem("body", f"found {body!r:.200}; an object is needed")])
        return body

    def _send(self, endpoint: Endpoint, answer: Mapping[str, Any] | Content | None) -> None:
        self.set_status(endpoint.status)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-store")
        if answer is None:
            self.finish()
        elif isinstance(answer, Content):
            # What a trial kept is never shown as a page of this server.
            self.set_header(
                "Content-Disposition", f"attachment; filename*=UTF-8''{quote(answer.name)}"
            )
            self.finish(answer.data, set_content_type=answer.media_type)
        else:
            self.finish(json.dumps(answer, ensure_ascii=False, allow_nan=False))

    def _refuse(self, status: int, message: str, problems: tuple[Problem, ...] = ()) -> None:
        self.set_status(status)
        listed = [{"where": each.where, "message": each.message} for each in problems]
        # Half of a surrogate pair, as wrong input may have it, cannot be sent.
        text = json.dumps({"message": message, "problems": listed})
        self.finish(text)
