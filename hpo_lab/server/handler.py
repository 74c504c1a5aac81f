"""The one handler: who asks is checked here, and a thread answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TYPE_CHECKING

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from tornado import web

if TYPE_CHECKING:
    from hpo_lab.server.answers import Answers

__all__ = ["RouteHandler"]

_WITHOUT_COOKIES = {"token", "_xsrf"}
"""What a request of a browser without cookies carries behind the question mark."""


class RouteHandler(ExtensionHandlerMixin, APIHandler):
    """Answers the requests to all addresses."""

    SUPPORTED_METHODS = ("GET", "POST", "DELETE", "OPTIONS")
    auth_resource = "hpo_lab"

    def initialize(self, name: str, answers: Callable[[], Answers], threads: Executor) -> None:
        """Take what the extension hands to every handler.

        Args:
            name: The extension.
            answers: Gives what answers; called in a thread, since it loads much at first.
            threads: Where requests are answered.
        """
        super().initialize(name)
        self.answers = answers
        self.threads = threads

    @web.authenticated
    @authorized
    async def get(self, path: str | None) -> None:
        """Answer with what is recorded."""
        await self._answer(path or "")

    @web.authenticated
    @authorized
    async def post(self, path: str | None) -> None:
        """Do what a person asks for."""
        await self._answer(path or "")

    @web.authenticated
    @authorized
    async def delete(self, path: str | None) -> None:
        """Delete."""
        await self._answer(path or "")

    async def _answer(self, path: str) -> None:
        method, body = str(self.request.method), self.request.body
        names = self.request.query_arguments.keys() - _WITHOUT_COOKIES
        query = {name: self.get_query_arguments(name) for name in names}
        loop = asyncio.get_running_loop()
        reply = await loop.run_in_executor(
            self.threads, lambda: self.answers().reply(method, path, query, body)
        )
        self.set_status(reply.status)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-store")
        for header, value in reply.headers.items():
            self.set_header(header, value)
        self.finish(reply.content or None, set_content_type=reply.media_type)
