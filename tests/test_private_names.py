"""What other packages do not promise, and `hpo_lab` uses all the same.

`pyproject.toml` bounds these packages above. Where a test fails here after a bound was raised,
its message says what is gone and which module of `hpo_lab` needs it.
"""

from __future__ import annotations

import asyncio
import atexit
import inspect
import logging
import tomllib
from importlib import import_module
from importlib.metadata import version
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"

NAMES = [
    # module, name in it, arguments that are passed, who needs it
    ("ipykernel.ipkernel", "IPythonKernel._forward_input", "allow_stdin", "warm/shell.py"),
    ("ipykernel.ipkernel", "IPythonKernel.do_execute", "code silent", "warm/shell.py"),
    ("ipykernel.ipkernel", "IPythonKernel.instance", "", "warm/shell.py"),
    ("ipykernel.ipkernel", "IPythonKernel.iopub_socket", None, "warm/shell.py"),
    ("ipykernel.ipkernel", "IPythonKernel.language_info", None, "warm/zygote.py"),
    ("ipykernel.ipkernel", "IPythonKernel.profile_dir", None, "warm/shell.py"),
    ("ipykernel.kernelapp", "IPKernelApp.init_code", "", "warm/shell.py"),
    ("ipykernel.kernelapp", "IPKernelApp.init_extensions", "", "warm/shell.py"),
    ("ipykernel.kernelapp", "IPKernelApp.init_gui_pylab", "", "warm/shell.py"),
    ("ipykernel.kernelapp", "IPKernelApp.init_path", "", "warm/shell.py"),
    ("ipykernel.kernelapp", "IPKernelApp.init_pdb", "", "warm/shell.py"),
    ("ipykernel.kernelapp", "IPKernelApp.init_shell", "", "warm/shell.py"),
    ("ipykernel.kernelapp", "IPKernelApp.kernel", None, "warm/shell.py"),
    ("ipykernel.compiler", "XCachingCompiler.ast_parse", "source filename", "warm/compiler.py"),
    ("ipykernel.compiler", "XCachingCompiler.extra_flags", "flags", "warm/compiler.py"),
    ("ipykernel.compiler", "XCachingCompiler.get_code_name", "raw_code", "warm/compiler.py"),
    ("ipykernel.zmqshell", "ZMQInteractiveShell.init_environment", "", "warm/shell.py"),
    ("ipykernel.zmqshell", "ZMQInteractiveShell.run_cell_async",
     "raw_cell store_history transformed_cell preprocessing_exc_tuple", "warm/shell.py"),
    ("ipykernel.zmqshell", "ZMQInteractiveShell.set_hook", "name hook str_key", "magics.py"),
    ("ipykernel.zmqshell", "ZMQInteractiveShell.ast_node_interactivity", None, "warm/compiler.py"),
    ("ipykernel.zmqshell", "ZMQInteractiveShell.ast_transformers", None, "warm/compiler.py"),
    ("ipykernel.zmqshell", "ZMQInteractiveShell.autoawait", None, "warm/compiler.py"),
    ("ipykernel.zmqshell", "ZMQInteractiveShell.input_transformers_post", None, "warm/compiler.py"),
    ("IPython.core.application", "BaseIPythonApplication.initialize", "argv", "warm/shell.py"),
    ("IPython.core.history", "HistoryManager._i", None, "warm/shell.py"),
    ("IPython.core.history", "HistoryManager._i00", None, "warm/shell.py"),
    ("IPython.core.history", "HistoryManager._ii", None, "warm/shell.py"),
    ("IPython.core.history", "HistoryManager._iii", None, "warm/shell.py"),
    ("IPython.core.history", "HistoryManager.dir_hist", None, "warm/shell.py"),
    ("IPython.core.history", "HistoryManager.input_hist_raw", None, "magics.py"),
    ("IPython.core.history", "HistoryManager.store_inputs", "line_num source", "warm/shell.py"),
    ("IPython.core.inputtransformer2", "TransformerManager.transform_cell", "cell",
     "notebook/cell_source.py"),
    ("IPython.core.payload", "PayloadManager.clear_payload", "", "warm/shell.py"),
    ("jupyter_client.session", "Session.msg", "msg_type content", "warm/shell.py"),
    ("jupyter_client.session", "Session.pack", None, "warm/shell.py"),
    ("jupyter_client.session", "Session.send", "stream msg_or_type content", "warm/shell.py"),
    ("jupyter_client.session", "Session.unpack", None, "warm/shell.py"),
    ("nbclient.client", "NotebookClient._cleanup_kernel", "", "notebook/kernel.py"),
    ("nbclient.client", "NotebookClient.create_kernel_manager", "", "notebook/kernel.py"),
    ("nbclient.client", "NotebookClient.output", "outs msg", "notebook/kernel.py"),
    ("nbclient.client", "NotebookClient.start_new_kernel", "kwargs", "notebook/kernel.py"),
    ("nbclient.exceptions", "CellTimeoutError.error_from_timeout_and_cell", "msg timeout cell",
     "warm/engine.py"),
    ("numpy.random.mtrand", "_rand._bit_generator", None, "warm/randomness.py"),
    ("papermill.clientwrap", "PapermillNotebookClient.execute", "", "notebook/kernel.py"),
    ("papermill.engines", "NBClientEngine.execute_managed_notebook",
     "nb_man kernel_name log_output stdout_file stderr_file execution_timeout", "warm/engine.py"),
    ("papermill.engines", "NotebookExecutionManager.autosave_cell", "", "warm/engine.py"),
    ("papermill.engines", "NotebookExecutionManager.cell_complete", "cell cell_index",
     "warm/engine.py"),
    ("papermill.engines", "NotebookExecutionManager.cell_exception", "cell cell_index",
     "warm/engine.py"),
    ("papermill.engines", "NotebookExecutionManager.cell_start", "cell cell_index",
     "warm/engine.py"),
    ("papermill.engines", "papermill_engines.register", "name engine", "notebook/kernel.py"),
    ("papermill.log", "logger.info", None, "warm/engine.py"),
    ("tensorboard.backend.event_processing.event_file_loader", "EventFileLoader.Load", "",
     "collectors/tensorflow_event.py"),
    ("tensorboard.util.tensor_util", "make_ndarray", "tensor", "collectors/tensorflow_event.py"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("module", "name", "arguments", "user"), NAMES, ids=[f"{row[0]}.{row[1]}" for row in NAMES]
)
def test_a_name_is_there(module: str, name: str, arguments: str | None, user: str) -> None:
    package = module.partition(".")[0]
    broken = f"{package} {version(package)} broke hpo_lab/{user}: "
    try:
        value = attrgetter(name)(import_module(module))
    except (ImportError, AttributeError) as error:
        pytest.fail(f"{broken}{module} has no {name} ({error})", pytrace=False)
    if arguments is not None:
        parameters = inspect.signature(value).parameters
        missing = set(arguments.split()) - {*parameters}
        assert not missing, f"{broken}{module}.{name}{inspect.signature(value)} lacks {missing}"


def test_packages_that_are_leaned_on_are_bounded_above() -> None:
    project: dict[str, Any] = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    lines = project["dependencies"] + project["optional-dependencies"]["tensorboard"]
    bounds = {canonicalize_name(r.name): r.specifier for r in map(Requirement, lines)}

    for package in {canonicalize_name(module.partition(".")[0]) for module, *_ in NAMES}:
        assert any(bound.operator == "<" for bound in bounds[package]), package


def test_the_shell_tells_whether_showing_a_value_failed() -> None:
    if Version(version("ipykernel")) < Version("7"):
        pytest.skip("ipykernel tells it from version 7 on")
    from ipykernel.zmqshell import ZMQInteractiveShell

    assert "_last_traceback_during_displayhook" in inspect.getsource(ZMQInteractiveShell), (
        f"ipykernel {version('ipykernel')} broke hpo_lab/warm/shell.py: a cell whose last value "
        "cannot be shown counts as succeeded"
    )


def test_the_standard_library_has_what_forks_need() -> None:
    loop = asyncio.new_event_loop()
    try:
        assert hasattr(loop, "_thread_id"), "hpo_lab/warm/loop.py marks who runs a loop by it"
    finally:
        loop.close()
    setter = asyncio.events._set_running_loop
    assert callable(setter), "hpo_lab/warm/loop.py runs a cell without making the loop by it"
    for name in ("_clear", "_run_exitfuncs"):
        assert callable(getattr(atexit, name)), "hpo_lab/warm/fork.py ends a fork by it"


def test_the_logger_that_announces_studies_is_where_it_was(
    caplog: pytest.LogCaptureFixture,
) -> None:
    import optuna

    optuna.logging.enable_propagation()
    try:
        with caplog.at_level(logging.INFO, "optuna"):
            optuna.create_study(storage=optuna.storages.InMemoryStorage())
    finally:
        optuna.logging.disable_propagation()

    announcements = {record.name for record in caplog.records}
    assert announcements == {"optuna.storages._in_memory"}, (
        "hpo_lab/search/parzen.py silences this logger"
    )
