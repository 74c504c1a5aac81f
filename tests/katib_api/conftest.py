"""The services at real ports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from hpo_lab.katib_api.rpc import Services, serving
from hpo_lab.katib_api.suggestion import suggestion_service
from tests.katib_api.asking import Client

Serve = Callable[[Services], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """`serve(services)` is the address where they are served until the end of the test."""
    with ExitStack() as servers:
        yield (
            lambda services: f"127.0.0.1:{servers.enter_context(serving(services, '127.0.0.1:0'))}"
        )


@pytest.fixture
def client(serve: Serve) -> Client:
    """A client of a new suggestion service."""
    return Client(serve(suggestion_service()))
