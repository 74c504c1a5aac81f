"""`hpo-lab suggestion-service`: the search algorithms for an existing Katib."""

from __future__ import annotations

import signal
import threading
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import TYPE_CHECKING

import click

from hpo_lab.cli.arguments import PlainCommand
from hpo_lab.problems import InvalidInput, Problem

if TYPE_CHECKING:
    from hpo_lab.katib_api.rpc import Services

__all__ = ["suggestion_service_command"]

_PORT, _EARLY_STOPPING_PORT = 6789, 6788


@click.command("suggestion-service", cls=PlainCommand)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help=f"Where suggestions are served; {_PORT} by default, 0 takes a free port.",
)
@click.option(
    "--early-stopping-port",
    type=click.IntRange(0, 65535),
    help=f"Where early stopping is served; {_EARLY_STOPPING_PORT} by default.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen at; [::] for every other machine, which needs no password.",
)
def suggestion_service_command(
    port: int | None, early_stopping_port: int | None, host: str
) -> None:
    """Serve the search algorithms and early stopping to Katib, over gRPC, until interrupted.

    Both are served, or, when one port is given, that service alone: Katib runs the two as
    containers of one pod, where a port can be used once.
    """
    try:
        from hpo_lab.katib_api.apart import suggestions_apart
        from hpo_lab.katib_api.early_stopping_service import early_stopping_service
        from hpo_lab.katib_api.rpc import serving
    except ModuleNotFoundError as error:
        message = f"there is no {error.name}; install hpo_lab[grpc]"
        raise InvalidInput([Problem("suggestion-service", message)]) from None
    if port is None and early_stopping_port is None:
        port, early_stopping_port = _PORT, _EARLY_STOPPING_PORT
    offers: list[tuple[str, int | None, str, AbstractContextManager[Services]]] = [
        ("--port", port, "suggestions", suggestions_apart()),
        (
            "--early-stopping-port",
            early_stopping_port,
            "early stopping",
            nullcontext(early_stopping_service()),
        ),
    ]
    ended = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: ended.set())
    with ExitStack() as servers:
        for flag, wanted, what, offer in offers:
            if wanted is None:
                continue
            services = servers.enter_context(offer)
            try:
                got = servers.enter_context(serving(services, f"{host}:{wanted}"))
            except OSError as error:
                raise InvalidInput([Problem(flag, str(error))]) from None
            click.echo(f"{what} on port {got}", err=True)
        ended.wait()
