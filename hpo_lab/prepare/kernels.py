"""Which Jupyter kernel the trials of a notebook run in on this machine."""

from __future__ import annotations

import sys
from dataclasses import replace

from hpo_lab.experiment.model import API_VERSION
from hpo_lab.options import OPTIONS
from hpo_lab.prepare.prepared import PreparedManifest
from hpo_lab.prepare.wording import Dialect
from hpo_lab.problems import InvalidInput, Problem, nearest

__all__ = ["OWN_KERNEL", "kernel_here", "with_kernel_here"]

OWN_KERNEL = "python3"
"""The name that Jupyter gives to the kernel of the interpreter that it runs with."""
_KERNEL = next(option for option in OPTIONS if option.field == "kernel")


def kernel_here(
    recorded: str, asked: str | None, where: str, dialect: Dialect = Dialect.LINE
) -> tuple[str, tuple[Problem, ...]]:
    """The kernel for the trials of a Python notebook.

    Args:
        recorded: The name of the kernel that the notebook says.
        asked: The name of the kernel that a person chose instead.
        where: What to call the notebook.
        dialect: How an option is written.

    Returns:
        The name, and a notice where it is not the kernel that the notebook says.

    Raises:
        InvalidInput: This machine does not have the kernel, with those that it has.
    """
    name = recorded if asked is None else asked
    if name == OWN_KERNEL:
        # Jupyter makes it wherever ipykernel is; to look for kernels takes half a second.
        return name, ()
    from hpo_lab.execution.kernelspec import kernels, not_this_interpreter

    option = dialect.option(_KERNEL)
    here = kernels()
    python = [each for each, (language, _) in here.items() if language == "python"]
    listed = ", ".join(python) or "none"
    if name in python:
        return name, ()
    if asked is not None:
        if asked in here:
            message = f"the kernel {asked!r} speaks {here[asked][0]!r}; only Python can be tuned"
        else:
            message = f"this machine has no kernel {asked!r}"
        hint = nearest(asked, python)
        raise InvalidInput([Problem(option, f"{message}; those of Python are {listed}{hint}")])
    missing = f"this machine does not have its kernel {name!r}"
    if not python:
        raise InvalidInput([Problem(where, f"{missing} nor another of Python; install ipykernel")])
    own = [each for each in python if not not_this_interpreter(each)]
    fit = own or python
    chosen = OWN_KERNEL if OWN_KERNEL in fit else fit[0]
    program = sys.executable if own else here[chosen][1]
    choice = {Dialect.LINE: f"{option} NAME", Dialect.ARGUMENT: f"{option}=NAME"}.get(
        dialect, option
    )
    message = f"{missing}; the trials run in {chosen!r}, which is {program}"
    return chosen, (Problem(where, f"{message} ({choice} chooses; there are {listed})"),)


def with_kernel_here(
    prepared: PreparedManifest, asked: str | None, where: str, dialect: Dialect
) -> PreparedManifest:
    """The experiment of a manifest with a kernel that this machine has, where it uses kernels.

    Args:
        prepared: The experiment.
        asked: The name of the kernel that a person chose.
        where: What to call the manifest.
        dialect: How an option is written.

    Raises:
        InvalidInput: As `kernel_here`.
    """
    template = prepared.experiment.spec.trial_template
    if template is None or template.kind != (API_VERSION, "NotebookTrial"):
        return prepared
    recorded = _KERNEL.of(prepared.experiment) or OWN_KERNEL
    name, notices = kernel_here(recorded, asked, where, dialect)
    if not notices:
        return prepared
    experiment = _KERNEL.into(prepared.experiment, name)
    return replace(prepared, experiment=experiment, warnings=(*prepared.warnings, *notices))
