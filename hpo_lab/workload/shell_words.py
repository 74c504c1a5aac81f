"""How a shell reads the words of a container, as in Katib.

Where Katib collects metrics from the output or from files, it joins the command and the arguments
of the primary container with spaces and hands the line to `sh -c`, or to the `sh -c` or `bash -c`
that the command begins with (`wrapWorkerContainer` of `pkg/webhook/v1beta1/pod/utils.go`). So
quotation marks inside words disappear, a word with spaces becomes several, and `&&` works.

Some words make no sense in such a line: the code of `python -c`, the arguments of a script, and
words that no shell can read. These stay whole here. In Katib every such trial fails.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from hpo_lab.workload.replicas import Replica, chosen
from hpo_lab.workload.settings import WorkloadSettings

__all__ = ["is_read_by_shell", "reading_notes", "shell_reading"]

_JOINING: Final = ("StdOut", "File", "TensorFlowEvent")
"""The collectors for which Katib joins the words (`NeedWrapWorkerMetricsCollectorList`)."""

_POSITIONAL = re.compile(r"\$(?:[0-9@*#]|\{#?[0-9@*])")
_INTERPRETER = re.compile(r"(?:.*/)?(?:python[0-9.]*|(?:ba|da|k|z)?sh)")
_QUOTED = re.compile(r"\"([^\"]*)\"|'[^']*'")
# Without these a line is words and quotation marks, which `shlex` reads as a shell does.
_SYNTAX = re.compile(r"[$`\\|&;<>()*?#~\n]")
_IN_QUOTES = re.compile(r"[^$`\\]")
_RESERVED: Final = (
    *(".", ":", "!", "{", "case", "cd", "command", "eval", "exec", "exit", "export", "for", "if"),
    *("set", "source", "time", "trap", "ulimit", "umask", "unset", "until", "wait", "while"),
)


def is_read_by_shell(
    container: Mapping[str, Any], replica: Replica, settings: WorkloadSettings, *, is_primary: bool
) -> bool:
    """Whether Katib would hand the words of *container* to a shell.

    Args:
        container: A container of *replica*.
        replica: A pod of the trial.
        settings: The settings of the experiment.
        is_primary: Whether the metrics of *replica* count.
    """
    return (
        settings.collector in _JOINING
        and bool(container.get("command"))
        and container.get("name") == chosen(replica, settings.container).get("name")
        and (is_primary or settings.pod_labels.items() <= replica.labels.items())
    )


def shell_reading(words: Sequence[str]) -> list[str]:
    """The words of the process where Katib's shell reads *words*, of which there is one at least.

    A line of words and quotation marks is read here; any other line is left to the shell.
    """
    kept = _kept(words)
    if _has_script(words):
        return [*words] if kept or len(words) < 4 else [*words[:2], " ".join(words[2:])]
    line = _joined(words, kept)
    if not _has_syntax(line):
        read = shlex.split(line)
        if read and read[0] not in _RESERVED and "=" not in read[0]:
            return read
    return ["sh", "-c", line]


def reading_notes(words: Sequence[str]) -> Iterator[str]:
    """Sentences about the *words* that a shell reads otherwise than a container's process."""
    kept = _kept(words)
    if kept:
        whole = _listed(words[index] for index in kept)
        would = "add to the script" if _has_script(words) else "take apart"
        yield f"Katib's shell would {would} {whole}, which stays as it is here"
    rest = [word for index, word in enumerate(words) if index not in kept]
    if _has_script(words):
        changed = [] if kept else rest[3:]
    else:
        changed = [word for word in rest if _splits(word) or shlex.split(word) != [word]]
    if changed:
        yield f"a shell reads the command, as in Katib, and changes {_listed(changed)}"


def _has_script(words: Sequence[str]) -> bool:
    """Whether Katib takes the shell that *words* name, and not one of its own."""
    return words[0] in ("sh", "bash") and words[1:2] == ["-c"]


def _kept(words: Sequence[str]) -> list[int]:
    """The indexes of the *words* that stay whole although Katib's shell would not keep them so."""
    if _has_script(words):
        takes_arguments = len(words) > 3 and _POSITIONAL.search(words[2])
        return [*range(3, len(words))] if takes_arguments else []
    is_code = len(words) > 2 and _INTERPRETER.fullmatch(words[0])
    kept = [2] if is_code and re.fullmatch("-[a-z]*c", words[1]) and _splits(words[2]) else []
    if _is_readable(_joined(words, kept)):
        return kept
    return [index for index, word in enumerate(words) if _splits(word)]


def _joined(words: Sequence[str], kept: Sequence[int]) -> str:
    return " ".join(
        shlex.quote(word) if index in kept else word for index, word in enumerate(words)
    )


def _has_syntax(line: str) -> bool:
    """Whether a shell would do more with *line* than take quotation marks away."""
    outside = _QUOTED.sub(lambda match: _IN_QUOTES.sub("", match[1] or ""), line)
    return _SYNTAX.search(outside) is not None


def _splits(word: str) -> bool:
    """Whether a shell would make something else than exactly one word of *word*."""
    try:
        return _has_syntax(word) or len(shlex.split(word)) != 1
    except ValueError:
        return True


@lru_cache(maxsize=64)
def _is_readable(line: str) -> bool:
    """Whether *line* has the syntax of a shell's command line."""
    if _has_syntax(line):
        check = subprocess.run(["sh", "-n", "-c", line], capture_output=True, check=False)
        return check.returncode == 0
    try:
        return bool(shlex.split(line))
    except ValueError:
        return False


def _listed(words: Iterable[str]) -> str:
    texts = [repr(word) for word in words]
    return ", ".join(text if len(text) <= 40 else f"{text[:37]}..." for text in texts)
