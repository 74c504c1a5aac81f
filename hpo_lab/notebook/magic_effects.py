"""What IPython's magics mean for the cells below them."""

from __future__ import annotations

import re
from enum import Enum, auto

__all__ = [
    "BINDING",
    "MEASURING",
    "QUIET",
    "SHELLS",
    "MagicKind",
    "bound_names",
    "handle_names",
    "is_install",
    "kind_of",
    "names_in_text",
    "without_options",
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


class MagicKind(Enum):
    """What becomes of a magic when a notebook is cut down to what a trial needs."""

    CODE = auto()
    """Runs its text as Python: `%time x = f()`."""
    OUTPUT = auto()
    """Shows something and leaves nothing behind: `%timeit`, `%who`, `x?`."""
    OTHER = auto()
    """May do anything: kept when in doubt."""


_CODE = frozenset({"capture", "prun", "time"})
_OUTPUT = _words(
    """
    HTML SVG alias_magic debug doctest_mode edit hist history hpo html javascript js latex load
    lprun lsmagic magic markdown memit mprun notebook page pastebin pdef pdoc pfile pinfo pinfo2
    pprint precision psearch psource quickref recall rerun reset reset_selective save svg tb
    timeit tune who who_ls whos xmode
    """
)
BINDING = frozenset({"aimport", "edit", "macro", "pylab", "rerun", "run", "store"})
"""Line magics that define names which their text does not show."""
QUIET = _words(
    """
    ! !! autosave bash bookmark cd cmd colors conda config dirs env file gui ls mamba matplotlib
    mkdir pip popd pushd pwd rehashx script set_env sh sx system tensorboard uv writefile
    """
)
"""Magics that may do anything but define names, apart from those that their options name."""
MEASURING = frozenset({"memit", "timeit"})
"""Magics that run their text as the body of a function, and leave no name behind."""
SHELLS = frozenset({"!", "bash", "cmd", "script", "sh", "sx", "system"})
"""Cell magics that hand their body to a shell."""
_OPTIONS = re.compile(r"^(?:\s*-(?:[nrpt]\s*\d+|[a-zA-Z]+))*\s*")
_INSTALLS = re.compile(
    r"(?:sudo\s+)?(?:\S*python[\d.]*\s+-m\s+)?(?:uv\s+)?(?:pip[\d.]*|conda|mamba|apt|apt-get|brew)\s+"
    r"(?:-\S+\s+)*(?:install|uninstall|update|upgrade|list|show|freeze|sync)\b[^|;&>]*(?:&>\s*\S+|"
    r">\s*/dev/null(?:\s*2>&1)?|2>&1)*\s*"
)
_OUT_OPTION = re.compile(r"--(?:out|err|proc)\s+(\w+)")
_HANDLE = re.compile(r"(?<!\S)-o[\s=]+(\w+)")
_INTERPOLATED = re.compile(r"(?<!\{)\{\s*([^\W\d]\w*)|(?<!\$)\$([^\W\d]\w*)")


def kind_of(name: str) -> MagicKind:
    """What the magic *name* (`!` for a shell command) is."""
    if name in _CODE:
        return MagicKind.CODE
    return MagicKind.OUTPUT if name in _OUTPUT else MagicKind.OTHER


def bound_names(name: str, arguments: str) -> list[str]:
    """The names that the cell magic `%%name arguments` assigns."""
    if name == "capture":
        return [word for word in arguments.split() if word.isidentifier()][:1]
    return [] if name in _OUTPUT else _OUT_OPTION.findall(arguments)


def handle_names(name: str, arguments: str) -> list[str]:
    """The names that the cell magic `%%name arguments` gives to experiments."""
    return _HANDLE.findall(arguments) if name == "tune" else []


def names_in_text(text: str) -> list[str]:
    """The Python names that IPython fills into *text*, written `{name}` or `$name`."""
    return [braced or dollar for braced, dollar in _INTERPOLATED.findall(text)]


def without_options(text: str) -> str:
    """What a measuring magic runs, without the options in front of it."""
    return _OPTIONS.sub("", text, count=1)


def is_install(name: str, text: str) -> bool:
    """Whether a magic, or a line of a shell, installs or lists packages and does nothing else."""
    if name in ("pip", "conda", "mamba", "uv"):
        text = f"{name} {text}"
    elif name not in ("!", "sx", "system"):
        return False
    return _INSTALLS.fullmatch(text.strip()) is not None
