"""A Python kernel without its sockets: cells run in this process, messages go to a function.

It is ipykernel's own kernel and shell, so that formatters, magics, tracebacks, top-level
`await` and what libraries find by `get_ipython()` are those of any notebook.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from IPython.core.application import BaseIPythonApplication
from jupyter_client.session import Session
from traitlets.config import Config

from hpo_lab.execution.compiler import Compiler
from hpo_lab.execution.loop import LateLoop, run_without_waiting
from hpo_lab.execution.streams import Streams

__all__ = ["Shell"]

Emit = Callable[[str, Mapping[str, Any]], None]

_INSTALLED = ("site-packages", "dist-packages")

_MAY_AWAIT = re.compile(r"\b(?:async|await)\b")


class _Outbox(Session):
    """A session whose messages are handed over instead of being sent."""

    def send(
        self,
        stream: object,
        msg_or_type: dict[str, Any] | str,
        content: dict[str, Any] | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> dict[str, Any]:
        if isinstance(msg_or_type, str):
            msg_or_type = self.msg(msg_or_type, content)
        message: dict[str, Any] = msg_or_type
        # As on a wire: tuples become lists, and whatever JSON does not know is an error.
        content = self.unpack(self.pack(message["content"]))
        self.deliver(message["header"]["msg_type"], content)
        return message

    def deliver(self, kind: str, content: Mapping[str, Any]) -> None:
        """Set by the shell."""


@contextlib.contextmanager
def _without_debugger() -> Iterator[None]:
    """Keep the kernel from importing debugpy: no debugger attaches to a trial."""
    debugger = sys.modules.get("debugpy")
    sys.modules["debugpy"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if debugger is None:
            del sys.modules["debugpy"]
        else:
            sys.modules["debugpy"] = debugger


class Shell:
    """The only IPython shell of this process.

    Attributes:
        emit: Called with the type and the content of every message.
        streams: Its standard streams.
        user_ns: The variables of the notebook.
    """

    def __init__(self, log: int) -> None:
        """Make the shell and take `sys.stdout`, `sys.stderr` and `sys.displayhook` over.

        What is run before `begin` is not of the user's session.

        Args:
            log: Descriptor of the file that gets the text of both streams at once.
        """
        self.emit: Emit = lambda kind, content: None
        self.streams = Streams(
            lambda name, text: self.emit("stream", {"name": name, "text": text}), log
        )
        sys.stdout, sys.stderr = self.streams.stdout, self.streams.stderr
        session = _Outbox()
        session.deliver = self._deliver  # type: ignore[method-assign]
        app: Any = IPKernelApp.instance()
        cast(Any, BaseIPythonApplication).initialize(app, ["--HistoryManager.enabled=False"])
        # Libraries tell a notebook from a terminal by this key.
        app.update_config(Config({"IPKernelApp": {"connection_file": ""}}))
        with _without_debugger():
            self._kernel = cast(Any, IPythonKernel).instance(
                parent=app,
                session=session,
                iopub_socket=object(),
                profile_dir=app.profile_dir,
                log=app.log,
            )
        self._kernel.shell_channel_thread = SimpleNamespace(parent_thread=threading.main_thread())
        self._kernel._forward_input(allow_stdin=False)
        app.kernel = self._kernel
        app.init_pdb()
        app.init_path()
        app.init_shell()
        self._app = app
        self._shell = cast(Any, self._kernel.shell)
        self._logs, self._shell.logger.log_active = self._shell.logger.log_active, False
        sys.displayhook = self._shell.displayhook
        self._forget_cells()

    def _forget_cells(self) -> None:
        self._compiler = self._shell.compile = Compiler()
        self._loop = LateLoop()
        asyncio.set_event_loop(self._loop)
        # The same for all cells, as in a kernel: some settings are context variables, NumPy's too.
        self._context = contextvars.copy_context()

    def begin(self) -> None:
        """Begin a session: what ran before is forgotten, what the user configured runs."""
        self._shell.reset()
        history = self._shell.history_manager
        history._i00 = history._i = history._ii = history._iii = ""
        self._shell.logger.log_active = self._logs
        self._forget_cells()
        self._app.init_gui_pylab()
        self._app.init_extensions()
        self._app.init_code()

    @property
    def user_ns(self) -> dict[str, Any]:
        """The variables of the notebook."""
        names: dict[str, Any] = self._shell.user_ns
        return names

    def _deliver(self, kind: str, content: Mapping[str, Any]) -> None:
        with self.streams.lock:
            self.emit(kind, content)

    def run(self, source: str) -> bool:
        """Run a cell; whether it came to its end without an error."""
        self._deliver("execute_input", {"execution_count": self._shell.execution_count})
        # Not by `Runner.run`, which handles an interrupt at the price of half a cell.
        transformed = self._compiler.transformed(source, self._shell)
        if transformed is not None:
            work = self._run(source, transformed)
            succeeded = run_without_waiting(self._loop, work, self._context)
        else:
            task = self._loop.create_task(self._execute(source), context=self._context)
            succeeded = self._loop.run_until_complete(task)
        self.streams.flush()
        return succeeded

    def act(self, source: str, action: Callable[[], None]) -> bool:
        """Do at once what the cell *source* would do, which the program itself wrote.

        It counts as a cell like any other. Where *action* fails, having done nothing, the
        cell runs, for the sake of its traceback.
        """
        try:
            action()
        except Exception:
            return self.run(source)
        shell = self._shell
        self._deliver("execute_input", {"execution_count": shell.execution_count})
        shell.history_manager.store_inputs(shell.execution_count, source)
        shell.execution_count += 1
        self.streams.flush()
        return True

    def foresee(self, sources: Iterable[str]) -> None:
        """Do beforehand what is the same whenever one of the cells *sources* runs."""
        as_now = True
        for source in sources:
            self._compiler.name(source)
            # It changes how the cells below are compiled.
            as_now = as_now and "__future__" not in source
            if as_now:
                self._compiler.foresee(source, self._shell)

    async def _execute(self, source: str) -> bool:
        """Do what the kernel does for an `execute_request`, without what only a reply needs.

        A cell without `await` takes half the time this way.
        """
        if _MAY_AWAIT.search(source):
            reply = await self._kernel.do_execute(source, silent=False)
            return bool(reply["status"] == "ok")
        try:
            transformed = self._shell.transform_cell(source)
        except Exception:
            return await self._run(source, source, sys.exc_info())
        return await self._run(source, transformed)

    async def _run(self, source: str, transformed: str, problem: object = None) -> bool:
        shell, result = self._shell, None
        shell._last_traceback_during_displayhook = False
        try:
            result = await shell.run_cell_async(
                source,
                store_history=True,
                transformed_cell=transformed,
                preprocessing_exc_tuple=problem,
            )
        finally:
            shell.events.trigger("post_execute")
            shell.events.trigger("post_run_cell", result)
            shell.payload_manager.clear_payload()
        return bool(result.success) and not shell._last_traceback_during_displayhook

    def end_loop(self) -> int:
        """Close the event loop, of which forks have their own; how many tasks were pending."""
        pending = len(asyncio.all_tasks(self._loop)) if self._loop.is_made else 0
        if self._loop.is_made:
            # What still runs in a thread of the loop is not waited for.
            loop: Any = self._loop
            if loop._default_executor is not None:
                loop._default_executor.shutdown(wait=False)
                loop._default_executor = None
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.get_loop()
        self._loop = LateLoop()
        asyncio.set_event_loop(self._loop)
        return pending

    def set_folder(self, path: str) -> None:
        """Be in another folder, in which the session began, and import what lies there.

        As in a kernel, an empty path stands before the installed packages. A process of ours
        begins without one, since until now nothing of the user's may be imported.
        """
        os.chdir(path)
        if "" not in sys.path:
            places = (place for place, each in enumerate(sys.path) if Path(each).name in _INSTALLED)
            sys.path.insert(next(places, 0), "")
        self._shell.history_manager.dir_hist[:] = [Path.cwd()]
        self._shell.starting_dir = path

    def set_environment(self, environment: Mapping[str, str]) -> None:
        """Replace the environment by another, in which this is a kernel."""
        os.environ.clear()
        os.environ.update(environment)
        self._shell.init_environment()
        os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
