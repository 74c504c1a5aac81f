"""What other packages do not promise, and `hpo_lab` uses all the same.

`pyproject.toml` bounds these packages above. Where a test fails here after a bound was raised,
its message says what is gone and which module of `hpo_lab` needs it.
"""

from __future__ import annotations

import asyncio
import atexit
import inspect
import logging
import threading
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

PACKAGE = Path(__file__).parent.parent / "hpo_lab"
PYPROJECT = PACKAGE.parent / "pyproject.toml"

USES: dict[str, list[tuple[str, str, str | None]]] = {
    "collectors/tensorflow_event.py": [
        ("tensorboard.backend.event_processing.event_file_loader", "EventFileLoader.Load", ""),
        ("tensorboard.util.tensor_util", "make_ndarray", "tensor"),
    ],
    "execution/compiler.py": [
        ("ipykernel.compiler", "XCachingCompiler.ast_parse", "source filename"),
        ("ipykernel.compiler", "XCachingCompiler.extra_flags", "flags"),
        ("ipykernel.compiler", "XCachingCompiler.get_code_name", "raw_code"),
        ("ipykernel.zmqshell", "ZMQInteractiveShell.ast_node_interactivity", None),
        ("ipykernel.zmqshell", "ZMQInteractiveShell.ast_transformers", None),
        ("ipykernel.zmqshell", "ZMQInteractiveShell.autoawait", None),
        ("ipykernel.zmqshell", "ZMQInteractiveShell.input_transformers_post", None),
    ],
    "execution/kernel_engine.py": [
        ("nbclient.client", "NotebookClient._cleanup_kernel", ""),
        ("nbclient.client", "NotebookClient.create_kernel_manager", ""),
        ("nbclient.client", "NotebookClient.output", "outs msg"),
        ("nbclient.client", "NotebookClient.start_new_kernel", "kwargs"),
        ("papermill.clientwrap", "PapermillNotebookClient.execute", ""),
        ("papermill.engines", "papermill_engines.register", "name engine"),
    ],
    "execution/papermill_engine.py": [
        ("nbclient.exceptions", "CellTimeoutError.error_from_timeout_and_cell", "msg timeout cell"),
        (
            "papermill.engines",
            "NBClientEngine.execute_managed_notebook",
            "nb_man kernel_name log_output stdout_file stderr_file execution_timeout",
        ),
        ("papermill.engines", "NotebookExecutionManager.autosave_cell", ""),
        ("papermill.engines", "NotebookExecutionManager.cell_complete", "cell cell_index"),
        ("papermill.engines", "NotebookExecutionManager.cell_exception", "cell cell_index"),
        ("papermill.engines", "NotebookExecutionManager.cell_start", "cell cell_index"),
        ("papermill.log", "logger.info", None),
    ],
    "execution/randomness.py": [
        ("numpy.random.mtrand", "_rand._bit_generator", None),
    ],
    "execution/shell.py": [
        ("IPython.core.application", "BaseIPythonApplication.initialize", "argv"),
        ("IPython.core.history", "HistoryManager._i", None),
        ("IPython.core.history", "HistoryManager._i00", None),
        ("IPython.core.history", "HistoryManager._ii", None),
        ("IPython.core.history", "HistoryManager._iii", None),
        ("IPython.core.history", "HistoryManager.dir_hist", None),
        ("IPython.core.history", "HistoryManager.store_inputs", "line_num source"),
        ("IPython.core.payload", "PayloadManager.clear_payload", ""),
        ("ipykernel.ipkernel", "IPythonKernel._forward_input", "allow_stdin"),
        ("ipykernel.ipkernel", "IPythonKernel.do_execute", "code silent"),
        ("ipykernel.ipkernel", "IPythonKernel.instance", ""),
        ("ipykernel.ipkernel", "IPythonKernel.iopub_socket", None),
        ("ipykernel.ipkernel", "IPythonKernel.profile_dir", None),
        ("ipykernel.kernelapp", "IPKernelApp.init_code", ""),
        ("ipykernel.kernelapp", "IPKernelApp.init_extensions", ""),
        ("ipykernel.kernelapp", "IPKernelApp.init_gui_pylab", ""),
        ("ipykernel.kernelapp", "IPKernelApp.init_path", ""),
        ("ipykernel.kernelapp", "IPKernelApp.init_pdb", ""),
        ("ipykernel.kernelapp", "IPKernelApp.init_shell", ""),
        ("ipykernel.kernelapp", "IPKernelApp.kernel", None),
        ("ipykernel.zmqshell", "ZMQInteractiveShell.init_environment", ""),
        (
            "ipykernel.zmqshell",
            "ZMQInteractiveShell.run_cell_async",
            "raw_cell store_history transformed_cell preprocessing_exc_tuple",
        ),
        ("jupyter_client.session", "Session.msg", "msg_type content"),
        ("jupyter_client.session", "Session.pack", None),
        ("jupyter_client.session", "Session.send", "stream msg_or_type content"),
        ("jupyter_client.session", "Session.unpack", None),
    ],
    "execution/zygote.py": [
        ("ipykernel.ipkernel", "IPythonKernel.language_info", None),
    ],
    "notebook/parsed_cell.py": [
        ("IPython.core.inputtransformer2", "TransformerManager.do_one_token_transform", "lines"),
    ],
    "magics/shell.py": [
        ("IPython.core.history", "HistoryManager.input_hist_raw", None),
        ("ipykernel.zmqshell", "ZMQInteractiveShell.set_hook", "name hook str_key"),
    ],
}
"""By module of `hpo_lab`: module, name in it, arguments passed to it (None: it is not called)."""

NAMES = [(*use, user) for user, uses in USES.items() for use in uses]


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


def test_a_listed_name_is_used_where_the_list_says() -> None:
    for module, name, _, user in NAMES:
        assert name.rpartition(".")[2] in (PACKAGE / user).read_text(encoding="utf-8"), (
            f"hpo_lab/{user} uses {module}.{name} no longer"
        )


def test_packages_that_are_leaned_on_are_bounded_above() -> None:
    project: dict[str, Any] = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    lines = project["dependencies"] + project["optional-dependencies"]["tensorboard"]
    bounds = {canonicalize_name(r.name): r.specifier for r in map(Requirement, lines)}

    for package in {canonicalize_name(module.partition(".")[0]) for module, *_ in NAMES}:
        assert any(bound.operator == "<" for bound in bounds[package]), package


def test_the_shell_tells_whether_showing_a_value_failed() -> None:
    if Version(version("ipykernel")) < Version("7.3"):
        pytest.skip("ipykernel tells it from version 7.3 on")
    from ipykernel.zmqshell import ZMQInteractiveShell

    assert "_last_traceback_during_displayhook" in inspect.getsource(ZMQInteractiveShell), (
        f"ipykernel {version('ipykernel')} broke hpo_lab/execution/shell.py: "
        "a cell whose last value cannot be shown counts as succeeded"
    )


def test_the_standard_library_has_what_forks_need() -> None:
    loop = asyncio.new_event_loop()
    try:
        assert hasattr(loop, "_thread_id"), "hpo_lab/execution/loop.py marks who runs a loop by it"
    finally:
        loop.close()
    setter = asyncio.events._set_running_loop
    assert callable(setter), "hpo_lab/execution/loop.py runs a cell without making the loop by it"
    for name in ("_clear", "_run_exitfuncs"):
        assert callable(getattr(atexit, name)), "hpo_lab/execution/fork.py ends a fork by it"
    shutdown = threading._shutdown  # type: ignore[attr-defined]
    assert callable(shutdown), "hpo_lab/execution/function_server.py waits for threads by it"


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
