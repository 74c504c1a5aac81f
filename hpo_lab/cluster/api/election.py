"""One of several replicas leads: a Lease as that of client-go, by the same rules.

Nobody's wall clock is compared with another's. A candidate takes the lease when it has seen it
unchanged for its whole duration, by its own steady clock; the leader counts from before it asked
for the renewal, and gives up earlier than that. So two never lead at once, as long as steady clocks
run alike.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from hpo_lab.cluster.api.api_error import ApiError
from hpo_lab.cluster.api.client import ApiClient
from hpo_lab.cluster.api.resource import LEASES, Object

__all__ = ["Election", "LeadershipLost"]

_log = logging.getLogger(__name__)


class LeadershipLost(RuntimeError):
    """Another may lead: the process must end, since work that it has begun may not be over."""


class Election:
    """A candidate for a lease.

    Give it a client of its own: renewals must not wait behind other requests.

    Attributes:
        leader: The identity of the leader as last seen; empty for none.
    """

    def __init__(
        self,
        client: ApiClient,
        namespace: str,
        name: str,
        identity: str,
        *,
        duration: float = 15.0,
        renew_within: float = 10.0,
        retry_every: float = 2.0,
    ) -> None:
        """Prepare.

        Args:
            client: Asks the API server.
            namespace: That of the lease.
            name: That of the lease.
            identity: Who the candidate is; no two that live at the same time share it.
            duration: Seconds for which others wait for a leader that is silent; a whole number.
            renew_within: Seconds after which a leader that could not renew no longer leads.
            retry_every: Seconds between tries.
        """
        if not retry_every < renew_within < duration:
            raise ValueError("the times must be retry_every < renew_within < duration")
        self.leader = ""
        self._client = client
        self._namespace, self._name = namespace, name
        self._identity = identity
        self._duration = duration
        self._renew_within = renew_within
        self._retry_every = retry_every
        self._lease: Object | None = None
        self._observed = -math.inf
        self._renewed = -math.inf

    @property
    def is_leader(self) -> bool:
        """Whether this candidate leads at this moment, also if its loop was held up since."""
        return time.monotonic() < self._renewed + self._renew_within

    async def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """Wait for the lease, then do *work*, and renew the lease until that is over or cancelled.

        The lease is released at the end, so that another need not wait.

        Raises:
            LeadershipLost: It could not be renewed. The work is cancelled, but may not be over.
        """
        while not await self._try():
            await asyncio.sleep(self._retry_every * random.uniform(1, 1.2))
        _log.info("%s leads", self._identity)
        renewing = asyncio.ensure_future(self._renew())
        working = asyncio.ensure_future(work())
        both = (renewing, working)
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise LeadershipLost(f"{self._identity} could not renew the lease {self._name}")
            working.result()
        finally:
            working.cancel()
            # The lease is kept until the work is over; work of a leader no more is not waited for.
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait((working,), timeout=self._retry_every)
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            if working.done():
                await self._release()

    async def _renew(self) -> None:
        """Renew until that fails for too long."""
        while self.is_leader:
            await asyncio.sleep(min(self._retry_every, self._left()))
            with suppress(TimeoutError):
                async with asyncio.timeout(self._left()):
                    await self._try()

    def _left(self) -> float:
        return max(self._renewed + self._renew_within - time.monotonic(), 0.0)

    async def _try(self) -> bool:
        """Take or renew the lease, if it is free or this candidate's; whether that was done."""
        try:
            async with asyncio.timeout(self._renew_within / 2):
                return await self._take()
        except (ApiError, TimeoutError) as error:
            _log.info("lease %s: %s", self._name, error or "no answer in time")
            return False

    async def _take(self) -> bool:
        now = time.monotonic()
        if self.is_leader and self._lease is not None:
            claimed = {**self._lease, "spec": self._claim(self._lease["spec"])}
            try:
                return self._note(await self._client.replace(LEASES, claimed, self._namespace), now)
            except ApiError as error:
                if error.status != 409:
                    raise
                now = time.monotonic()
        try:
            lease = await self._client.get(LEASES, self._name, self._namespace)
        except ApiError as error:
            if error.status != 404:
                raise
            metadata = {"name": self._name, "namespace": self._namespace}
            lease = {"metadata": metadata, "spec": self._claim({})}
            return self._note(await self._client.create(LEASES, lease, self._namespace), now)
        spec = lease.get("spec") or {}
        if self._lease is None or (self._lease.get("spec") or {}) != spec:
            self._observed = time.monotonic()
        self._lease = lease
        self.leader = spec.get("holderIdentity") or ""
        if self.leader not in ("", self._identity):
            duration = max(spec.get("leaseDurationSeconds") or 0, self._duration)
            if time.monotonic() < self._observed + duration:
                self._renewed = -math.inf
                return False
        claimed = {**lease, "spec": self._claim(spec)}
        return self._note(await self._client.replace(LEASES, claimed, self._namespace), now)

    def _note(self, lease: Object, asked: float) -> bool:
        """Note that the lease is this candidate's, as of the moment at which it *asked*."""
        self._lease = lease
        self._observed = time.monotonic()
        self._renewed = asked
        self.leader = self._identity
        return True

    def _claim(self, spec: dict[str, Any]) -> dict[str, Any]:
        """What the lease says when it is this candidate's."""
        now = _timestamp()
        claim = {
            **spec,
            "holderIdentity": self._identity,
            "leaseDurationSeconds": math.ceil(self._duration),
            "renewTime": now,
        }
        if spec.get("holderIdentity") != self._identity:
            claim["acquireTime"] = now
            claim["leaseTransitions"] = (spec.get("leaseTransitions") or 0) + (
                "holderIdentity" in spec
            )
        return claim

    async def _release(self) -> None:
        """Let another lead at once."""
        if not self.is_leader or self._lease is None:
            return
        self._renewed = -math.inf
        self.leader = ""
        spec = {
            **self._lease["spec"],
            "holderIdentity": "",
            "leaseDurationSeconds": 1,
            "renewTime": _timestamp(),
        }
        with suppress(ApiError, TimeoutError):
            async with asyncio.timeout(self._retry_every):
                released = {**self._lease, "spec": spec}
                await self._client.replace(LEASES, released, self._namespace)


def _timestamp() -> str:
    """The present time as a Lease writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
