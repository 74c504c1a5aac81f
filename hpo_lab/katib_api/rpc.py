"""gRPC: serving functions, and calling the functions of another process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc

from hpo_lab.katib_api import health_pb
from hpo_lab.katib_api.protobuf import method_classes
from hpo_lab.problems import InvalidInput

__all__ = ["RpcRefused", "Services", "answered", "call", "serving"]

Services = Mapping[str, Mapping[str, Callable[[Any], Any]]]
"""A function from request to reply, by full name of the service and name of the method."""

# More than requests are answered at a time, so that probes are answered beside them.
_THREADS = 16
_AT_ONCE = 64
_STOPPING = 1.0
# The trials of a long experiment exceed 4 MiB, the limit of gRPC by default.
_LONGEST = 64 * 2**20
_OPTIONS = [("grpc.max_receive_message_length", _LONGEST), ("grpc.max_send_message_length", -1)]
# Channels to the same address share a connection, and the pause after a failed attempt: a
# call to a service that has just started would fail during that pause.
_ALONE = ("grpc.use_local_subchannel_pool", 1)
# The probes of Katib's deployments ask for this name in every image.
_PROBED = "manager.v1beta1.Suggestion"


class RpcRefused(Exception):
    """A request that gets a status and no reply.

    Attributes:
        code: The status.
        reason: The details of the status, in words.
    """

    def __init__(self, code: grpc.StatusCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@contextmanager
def serving(services: Services, address: str) -> Iterator[int]:
    """Serve *services*, and `grpc.health.v1.Health` beside them, while the context lasts.

    A function that raises `InvalidInput` answers with the status `INVALID_ARGUMENT`. A message
    of more than 64 MiB, and a request beside 64 others, are refused.

    Args:
        services: The functions to serve.
        address: `host:port`; port 0 chooses a free port.

    Yields:
        The port.

    Raises:
        OSError: The address cannot be used.
    """
    # With `so_reuseport`, two servers could share a port, and each would get half of the calls.
    options = [*_OPTIONS, ("grpc.so_reuseport", 0)]
    threads = ThreadPoolExecutor(_THREADS, "grpc")
    server = grpc.server(threads, options=options, maximum_concurrent_rpcs=_AT_ONCE)
    names = {"", _PROBED, *services}
    served = {
        **services,
        "grpc.health.v1.Health": {"Check": lambda request: _health(request, names)},
    }
    for service, functions in served.items():
        classes = method_classes(service)
        handlers = {
            method: _handler(function, *classes[method]) for method, function in functions.items()
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    try:
        port: int = server.add_insecure_port(address)
    except RuntimeError as error:
        raise OSError(f"{address} cannot be used: {error}") from None
    server.start()
    try:
        yield port
    finally:
        server.stop(_STOPPING).wait()


def call(address: str, service: str, method: str, request: Any, *, timeout: float) -> Any:
    """Call a method of another process.

    Args:
        address: `host:port`.
        service: The full name of the service.
        method: The name of the method.
        request: The request message.
        timeout: The longest time for the answer, in seconds.

    Returns:
        The reply.

    Raises:
        RpcRefused: No server is there (`UNAVAILABLE`), the answer took too long
            (`DEADLINE_EXCEEDED`), or the server refused.
    """
    sent, received = method_classes(service)[method]
    with grpc.insecure_channel(address, options=[*_OPTIONS, _ALONE]) as channel:
        ask = channel.unary_unary(
            f"/{service}/{method}",
            request_serializer=sent.SerializeToString,
            response_deserializer=received.FromString,
        )
        try:
            return ask(request, timeout=timeout)
        except grpc.RpcError as error:
            raise RpcRefused(error.code(), error.details() or "") from None


def answered(function: Callable[[Any], Any], request: Any) -> Any:
    """The reply of *function* to *request*.

    Raises:
        RpcRefused: The request is refused: bad input is an invalid argument.
    """
    try:
        return function(request)
    except InvalidInput as error:
        details = "\n".join(map(str, error.problems))
        raise RpcRefused(grpc.StatusCode.INVALID_ARGUMENT, details) from None
    except MemoryError:
        reason = "the answer needs more memory than there is"
        raise RpcRefused(grpc.StatusCode.RESOURCE_EXHAUSTED, reason) from None


def _handler(function: Callable[[Any], Any], sent: Any, reply: Any) -> grpc.RpcMethodHandler:
    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return answered(function, request)
        except RpcRefused as error:
            context.abort(error.code, error.reason)

    return grpc.unary_unary_rpc_method_handler(
        answer, request_deserializer=sent.FromString, response_serializer=reply.SerializeToString
    )


def _health(
    request: health_pb.HealthCheckRequest, names: set[str]
) -> health_pb.HealthCheckResponse:
    if request.service not in names:
        raise RpcRefused(grpc.StatusCode.NOT_FOUND, f"there is no service {request.service!r} here")
    return health_pb.HealthCheckResponse(status="SERVING")
