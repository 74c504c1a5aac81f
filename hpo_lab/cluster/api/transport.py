"""Requests to an API server: paced, counted, repeated where that is safe, and limited in time."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from hpo_lab.cluster.api.api_error import ApiError
from hpo_lab.cluster.api.authentication import Credentials
from hpo_lab.cluster.api.pace import BackOff, RateLimit

if TYPE_CHECKING:
    import aiohttp

__all__ = ["Transport", "read_json"]

_JSON: Final = "application/json"
_CONNECT = 10.0
_LONGEST_REQUEST = 60.0
_LONGEST_ERROR = 1 << 20
_MOST_TRIES = 5
_MOST_TRIES_WHEN_TOO_MANY = 12
_UNCERTAIN = (0, 500, 502, 503, 504)
"""Statuses after which a request may have been carried out."""


class Transport:
    """Sends requests over a pool of connections."""

    def __init__(
        self,
        credentials: Credentials,
        requests: Counter[tuple[str, int]],
        rate: float,
        burst: int,
        user_agent: str,
    ) -> None:
        """Prepare.

        Args:
            credentials: Where the server is, and as whom it is asked.
            requests: Where requests are counted, by verb and status.
            rate: Requests a second that may be sent for long.
            burst: Requests that may be sent at once.
            user_agent: The header of that name.
        """
        self._credentials = credentials
        self._requests = requests
        self._limit = RateLimit(rate, burst)
        self._user_agent = user_agent
        self._session: aiohttp.ClientSession | None = None

    def open(self) -> None:
        """Make the pool, in the loop that uses it."""
        import aiohttp

        self._session = aiohttp.ClientSession(
            # Every watch and every followed log holds a connection.
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60),
            headers={"User-Agent": self._user_agent},
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def ask(
        self,
        verb: str,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        *,
        content_type: str = _JSON,
        repeatable: bool = True,
    ) -> dict[str, Any]:
        """The answer to a request.

        It is repeated after 429, which says that it was not carried out; after the first 401, with
        credentials looked up again; where nothing took the connection; and, if it is *repeatable*,
        after a lost reply or an error of the server.

        Args:
            verb: For the count of requests.
            method: That of HTTP.
            path: Of the address.
            query: Of the address.
            body: What is sent as JSON; None for nothing.
            content_type: What the body is.
            repeatable: Whether to do it twice is to do it once.

        Raises:
            ApiError: The server refused, or did not answer.
        """
        payload = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        pauses = BackOff(0.25, 8)
        tries = 0
        while True:
            tries += 1
            try:
                async with self.reply(verb, method, path, query, payload, content_type) as reply:
                    answer: dict[str, Any] = read_json(await reply.read())
                    return answer
            except ApiError as error:
                is_too_many = error.status == 429
                is_uncertain = error.status in _UNCERTAIN and error.reason != "Unreachable"
                if not (
                    is_too_many
                    or error.reason == "Unreachable"
                    or (error.status == 401 and tries == 1)
                    or (is_uncertain and repeatable)
                ):
                    raise
                if tries >= (_MOST_TRIES_WHEN_TOO_MANY if is_too_many else _MOST_TRIES):
                    raise
                pause = max(pauses.next(), error.retry_after or 0)
            await asyncio.sleep(pause)

    @asynccontextmanager
    async def reply(
        self,
        verb: str,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        payload: bytes | None = None,
        content_type: str = _JSON,
        *,
        silence: float | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A reply of the server that is none of its errors, whose body is still to be read.

        Args:
            verb: For the count of requests.
            method: That of HTTP.
            path: Of the address.
            query: Of the address.
            payload: The body of the request.
            content_type: What the body is.
            silence: For a stream, seconds without a byte after which it counts as dead; None for a
                reply that comes as a whole.
        """
        import aiohttp

        assert self._session is not None, "the client is used outside of its async with statement"
        await self._limit.take()
        access = await self._credentials.access()
        headers = {"Accept": _JSON if verb != "log" else "*/*"}
        if access.authorization:
            headers["Authorization"] = access.authorization
        if payload is not None:
            headers["Content-Type"] = content_type
        status = 0  # that is counted, unless the reply begins
        try:
            async with self._session.request(
                method,
                self._credentials.host + path,
                params=query,
                data=payload,
                headers=headers,
                ssl=access.ssl or True,
                server_hostname=access.server_name,
                proxy=access.proxy,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    total=_LONGEST_REQUEST if silence is None else None,
                    sock_connect=_CONNECT,
                    sock_read=silence,
                ),
            ) as reply:
                status = reply.status
                self._requests[verb, status] += 1
                if status == 401:
                    self._credentials.refused()
                if not 200 <= status < 300:
                    text = await reply.content.read(_LONGEST_ERROR)
                    raise ApiError.of_reply(status, text, reply.headers.get("Retry-After"))
                yield reply
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise ApiError(0, "Unreachable", f"{self._credentials.host}: {error}") from error
        except TimeoutError as error:
            message = f"{method} {path}: no answer of {self._credentials.host} in time"
            raise ApiError(0, "Timeout", message) from error
        except (aiohttp.ClientError, OSError) as error:
            message = f"{method} {path}: {type(error).__name__}: {error}"
            raise ApiError(0, "Disconnected", message) from error
        finally:
            if not status:
                self._requests[verb, 0] += 1


def read_json(text: bytes) -> Any:
    """What JSON says.

    Raises:
        ApiError: It is none, as a proxy in between may send.
    """
    try:
        return json.loads(text)
    except ValueError as error:
        raise ApiError(0, "Unreadable", f"the server sent what is no JSON: {error}") from error
