"""What the tests of the cluster share."""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Iterator

import pytest

from tests.cluster import contract
from tests.conftest import Require


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine in a loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture(scope="session")
def cluster_kubeconfig(require: Require) -> str:
    """The path of the kubeconfig of a cluster on which tests may do anything."""
    path = os.environ.get("HPO_LAB_TEST_KUBECONFIG", "")
    require(
        "cluster", path, "set HPO_LAB_TEST_KUBECONFIG to the kubeconfig of a throw-away cluster"
    )
    return path


@pytest.fixture(scope="session")
def real(cluster_kubeconfig: str) -> Iterator[contract.Enter]:
    yield contract.real(cluster_kubeconfig)
    asyncio.run(contract.clean(cluster_kubeconfig))


@pytest.fixture(params=["double", "cluster"])
def enter(request: pytest.FixtureRequest) -> contract.Enter:
    entered: contract.Enter = (
        contract.double if request.param == "double" else request.getfixturevalue("real")
    )
    return entered
