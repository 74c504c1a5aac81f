"""Which Jupyter kernel the trials of a notebook run in on this machine."""

from __future__ import annotations

import sys

from hpo_lab.experiment.model import API_VERSION, ExperimentDocument
from hpo_lab.options import OPTIONS
from hpo_lab.prepare.wording import Dialect
from hpo_lab.problems import InvalidInput, Problem, nearest

__all__ = ["OWN_KERNEL", "kernel_here", "starts_otherwise", "with_kernel_here"]

OWN_KERNEL = "python3"
"""The name that Jupyter gives to the kernel of the interpreter that it runs with."""
_KERNEL = next(option for option in OPTIONS if option.field == "kernel")


def kernel_here(
    recorded: str,
    asked: str | None,
    where: str,
    dialect: Dialect = Dialect.LINE,
    *,
    resumes: bool = False,
) -> tuple[str, tuple[Problem, ...]]:
    """The kernel for the trials of a Python notebook.

    Args:
        recorded: The name of the kernel that the notebook says.
        asked: The name of the kernel that a person chose instead.
        where: What to call the notebook.
        dialect: How an option is written.
        resumes: Whether a recorded experiment is continued, which takes no such option.

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
    chooses = f"run its file with {choice} to choose" if resumes else f"{choice} chooses"
    message = f"{missing}; the trials run in {chosen!r}, which is {program}"
    return chosen, (Problem(where, f"{message} ({chooses}; there are {listed})"),)


def starts_otherwise(name: str) -> str:
    """Why the kernel *name* may define names before the first cell; empty for an ordinary one."""
    if name == OWN_KERNEL:
        return ""
    from hpo_lab.execution.kernelspec import not_this_interpreter

    reason = not_this_interpreter(name)
    return reason and f"the trials fail unless their kernel does: {reason}"


def with_kernel_here(
    experiment: ExperimentDocument,
    asked: str | None,
    where: str,
    dialect: Dialect,
    *,
    resumes: bool = False,
) -> tuple[ExperimentDocument, tuple[Problem, ...]]:
    """An experiment with a kernel that this machine has, where it uses kernels.

    Args:
        experiment: As it is written in a manifest or recorded.
        asked: The name of the kernel that a person chose.
        where: What to call it.
        dialect: How an option is written.
        resumes: As of `kernel_here`.

    Returns:
        It, and a notice where that is another kernel than it says.

    Raises:
        InvalidInput: As `kernel_here`.
    """
    template = experiment.spec.trial_template
    if template is None or template.kind != (API_VERSION, "NotebookTrial"):
        return experiment, ()
    recorded = _KERNEL.of(experiment) or OWN_KERNEL
    name, notices = kernel_here(recorded, asked, where, dialect, resumes=resumes)
    return (_KERNEL.into(experiment, name) if notices else experiment), notices
