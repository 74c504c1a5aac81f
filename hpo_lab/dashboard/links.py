"""Links from a notebook to files that a trial left, as JupyterLab opens them."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from hpo_lab.dashboard.html import cut
from hpo_lab.facade.best import BestTrial

__all__ = ["Served", "files_html", "served_below", "served_path"]

_FILES = 5


@dataclass(frozen=True, slots=True)
class Served:
    """Where links stand.

    Attributes:
        root: The folder that the Jupyter server serves.
        folder: That of the notebook, which is below it.
    """

    root: Path
    folder: Path


def files_html(best: BestTrial, served: Served | None = None) -> str:
    """The executed notebook of *best* and what it kept, as links where JupyterLab opens them.

    It opens what is below the folder that it serves and not hidden. Of other files the path is
    shown.

    Args:
        best: The trial.
        served: Where the links stand; by default in the notebook of this kernel.
    """
    notebook = best.notebook
    files = [("executed notebook", notebook)] if notebook else []
    kept = [(each.name, each.path) for each in best.kept if each.path]
    files += kept[:_FILES]
    if not files:
        return ""
    served = served or _served_here()
    pieces = [_file_html(name, path, served) for name, path in files]
    if len(kept) > _FILES:
        pieces.append(f"and {len(kept) - _FILES} more")
    links = " · ".join(pieces)
    return f'<p class="sm hpo-files"><span class="q">Trial {best.number}:</span> {links}</p>'


def _file_html(name: str, path: Path, served: Served | None) -> str:
    link = None if served is None else _link(path, served)
    if link is None:
        return f"{cut(name, 60)} <code>{cut(str(path), 300)}</code>"
    return f'<a href="{cut(quote(link), 600)}">{cut(name, 60)}</a>'


def _link(path: Path, served: Served) -> str | None:
    """The way from the notebook to *path*, None where the server does not lead there."""
    if not served.folder.is_relative_to(served.root) or served_below(path, served.root) is None:
        return None
    return Path(os.path.relpath(path, served.folder)).as_posix()


def served_path(path: Path) -> str | None:
    """*path* as the server of this kernel calls it, None where it does not serve the file."""
    root = _server_root()
    return None if root is None else served_below(path, root)


def served_below(path: Path, root: Path) -> str | None:
    """*path* as a server of the folder *root* calls it, None where it does not serve the file."""
    if not path.is_relative_to(root):
        return None
    below = path.relative_to(root)
    return None if any(part.startswith(".") for part in below.parts) else below.as_posix()


def _served_here() -> Served | None:
    """Where the notebook of this kernel is, None where there is none."""
    notebook = Path(os.environ.get("JPY_SESSION_NAME", ""))
    root = _server_root() if notebook.is_absolute() else None
    return None if root is None else Served(root, notebook.parent)


def _server_root() -> Path | None:
    """The folder that the Jupyter server of this kernel serves, as it has written down."""
    from ipykernel import get_connection_file

    server = os.environ.get("JPY_PARENT_PID", "")
    try:
        # Servers and kernels write into the same folder.
        written = Path(get_connection_file()).with_name(f"jpserver-{server}.json")
        return Path(json.loads(written.read_text("utf-8"))["root_dir"])
    except (OSError, RuntimeError, ValueError, KeyError):  # no kernel, or not of this server
        return None
