"""The Jupyter kernels of this machine, and which of them a fork of this process can stand for."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["kernels", "not_this_interpreter"]

_ARGUMENTS = ("-m", "ipykernel_launcher", "-f", "{connection_file}")


def kernels() -> Mapping[str, tuple[str, str]]:
    """The language and the program of each kernel that this machine has, by its name."""
    from jupyter_client.kernelspec import KernelSpecManager

    specs: dict[str, Any] = KernelSpecManager().get_all_specs()
    return {
        name: (str(each["spec"].get("language", "")).lower(), (each["spec"]["argv"] or [""])[0])
        for name, each in sorted(specs.items())
    }


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
    own = [part for part in spec.argv[1:] if part not in _ARGUMENTS and part[:2] != "-X"]
    if own:
        return f"the kernel {name!r} starts with {' '.join(own)}"
    program = spec.argv[0]
    # Jupyter takes these for the interpreter that it runs with itself.
    if program in ("python", "python3", f"python3.{sys.version_info.minor}"):
        return ""
    path = shutil.which(program)
    if path is None or Path(path).absolute() != Path(sys.executable).absolute():
        return f"the kernel {name!r} is another interpreter, {program}"
    return ""
