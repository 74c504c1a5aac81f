"""Which Jupyter kernels a fork of this process can stand for."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

__all__ = ["not_this_interpreter"]


def not_this_interpreter(name: str) -> str:
    """Why the kernel *name* cannot be a fork of this process; empty when it can."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        spec = KernelSpecManager().get_kernel_spec(name)
    except NoSuchKernel:
        return f"there is no kernel {name!r}"
    if spec.language.lower() != "python" or "ipykernel_launcher" not in spec.argv:
        return f"the kernel {name!r} is not IPython's"
    if spec.env:
        return f"the kernel {name!r} sets environment variables"
    program = spec.argv[0]
    # Jupyter takes these for the interpreter that it runs with itself.
    if program in ("python", "python3", f"python3.{sys.version_info.minor}"):
        return ""
    path = shutil.which(program)
    if path is None or Path(path).absolute() != Path(sys.executable).absolute():
        return f"the kernel {name!r} is another interpreter, {program}"
    return ""
