"""Links from a notebook to files that a trial left, as JupyterLab opens them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import quote

from hpo_lab.dashboard.html import cut
from hpo_lab.facade.best import BestTrial

__all__ = ["files_html", "served_below", "served_path"]

_FILES = 5


def files_html(best: BestTrial) -> str:
    """The executed notebook of *best* and what it kept, as links where JupyterLab opens them.

    It opens what is below the folder that it serves and not hidden. Of other files the path is
    shown.
    """
    notebook = best.notebook
    files = [("executed notebook", notebook)] if notebook else []
    kept = [(each.name, each.path) for each in best.kept if each.path]
    files += kept[:_FILES]
    if not files:
        return ""
    folder = _folder_of_notebook()
    pieces = [_file_html(name, path, folder) for name, path in files]
    if len(kept) > _FILES:
        pieces.append(f"and {len(kept) - _FILES} more")
    links = " · ".join(pieces)
    return f'<p class="sm hpo-files"><span class="q">Trial {best.number}:</span> {links}</p>'


def _file_html(name: str, path: Path, folder: Path | None) -> str:
    link = None if folder is None else _link(path, folder)
    if link is None:
        return f"{cut(name, 60)} <code>{cut(str(path), 300)}</code>"
    return f'<a href="{cut(quote(link), 600)}">{cut(name, 60)}</a>'


def _link(path: Path, folder: Path) -> str | None:
    """The way from *folder* to *path*, None where the server does not lead there."""
    root = _server_root()
    if root is None or not folder.is_relative_to(root) or served_path(path) is None:
        return None
    return Path(os.path.relpath(path, folder)).as_posix()


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


def _folder_of_notebook() -> Path | None:
    notebook = Path(os.environ.get("JPY_SESSION_NAME", ""))
    return notebook.parent if notebook.is_absolute() else None


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
