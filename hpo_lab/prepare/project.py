"""Where the one who asks is: in the notebook, the script or the folder of this process."""

from __future__ import annotations

import functools
import inspect
import os
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["function_place", "names_of_function", "notebook_here", "project_here"]


def project_here() -> str:
    """The folder of the script or notebook that this process runs, else the current folder."""
    script, notebook = _script(), notebook_here()
    if script is not None:
        return os.path.realpath(script.parent)
    if notebook is not None and notebook.is_absolute() and notebook.parent.is_dir():
        return os.path.realpath(notebook.parent)
    return os.path.realpath(Path.cwd())


def notebook_here() -> Path | None:
    """The notebook of this kernel, where the server tells its name."""
    main = sys.modules.get("__main__")
    if hasattr(main, "__file__"):
        return None  # A script that was started from a notebook.
    # VS Code tells it to the notebook, a Jupyter server to the kernel.
    name = getattr(main, "__vsc_ipynb_file__", None) or os.environ.get("JPY_SESSION_NAME")
    return Path(name) if name else None


def function_place(function: Callable[..., Any]) -> tuple[str, str]:
    """The name of the file in which *function* was written, empty for none, and its own."""
    while isinstance(function, functools.partial):
        function = function.func
    name = getattr(function, "__qualname__", type(function).__qualname__)
    code = getattr(inspect.unwrap(function), "__code__", None)
    file = Path(code.co_filename) if code else _script()
    notebook = notebook_here()
    # A cell's code has a name that is no file, or is one of this process alone.
    if file is None or not file.is_file() or f"ipykernel_{os.getpid()}" in file.parts:
        file = notebook
    return file.name if file else "", name


def names_of_function(file: str, name: str) -> list[str]:
    """What to call the experiment of the function *name* in *file*, the best first."""
    stem, own = Path(file).stem, name.rpartition(".")[2]
    if file.endswith(".ipynb"):
        return [stem, f"{stem}-{own}"]
    return [f"{stem}-{own}", own] if file else [own]


def _script() -> Path | None:
    """The script that this process runs; an installed program is none."""
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    if file is None:
        return None
    path = Path(file).resolve()
    programs = [Path(sysconfig.get_path("scripts")), Path(__file__).parent.parent]
    is_program = "site-packages" in path.parts or any(
        path.is_relative_to(folder.resolve()) for folder in programs
    )
    return None if is_program else path
