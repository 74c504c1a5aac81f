"""The outputs of a notebook's cells, made of the messages that a kernel would publish.

Does with a message what `nbclient` does, and what JupyterLab does with streams: successive
texts of the same stream are a single output.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["OUTPUT_LIMIT", "Cell", "Outputs", "cut_off", "plain"]

OUTPUT_LIMIT = 16 * 1024 * 1024
"""How many bytes of output a trial keeps by default."""

Cell = dict[str, Any]
"""A code cell of a notebook in format 4, as JSON."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Outputs:
    """The outputs of a notebook, cell by cell.

    Attributes:
        cell: The cell that runs.
        updated: Whether a display was updated, which may be of an earlier cell.
        left: How many more bytes of output are kept; then a notice ends the outputs.
    """

    def __init__(self, limit: int) -> None:
        """Begin without a cell.

        Args:
            limit: Most bytes of output that are kept, over all cells.
        """
        self.cell: Cell = {"outputs": []}
        self.updated = False
        self.left = limit
        self._limit = limit
        self._clear_first = False
        self._displays: dict[str, list[dict[str, Any]]] = {}
        # Widgets that take what is put out now, the innermost last, and what they have taken.
        self._widgets: list[str] = [""]
        self._takers: dict[int, str] = {}

    def restrict(self, limit: int) -> None:
        """Lower the limit to *limit* bytes, what was kept so far not counted."""
        if limit < self.left:
            self.left = self._limit = limit

    def begin(self, cell: Cell) -> None:
        """Make *cell*, without its old outputs, the cell that runs."""
        cell["outputs"] = []
        self.cell = cell
        self._clear_first = False
        self._widgets, self._takers = [""], {}

    def take(self, kind: str, content: Mapping[str, Any]) -> None:
        """Take a message of the type *kind*; a message that is no output is ignored."""
        if "execution_count" in content:
            self.cell["execution_count"] = content["execution_count"]
        match kind:
            case "stream":
                self._text(content["name"], content["text"])
            case "display_data" | "execute_result":
                self._show(kind, content)
            case "update_display_data":
                self.updated = True
                for shown in self._displays.get(_display_id(content), []):
                    shown["data"] = content["data"]
                    shown["metadata"] = content["metadata"]
            case "comm_msg":
                self._enter_or_leave(content)
            case "error" if self._widgets[-1]:
                # The widget shows it, and the cell goes on.
                self._text("stderr", "\n".join(content["traceback"]) + "\n")
            case "error":
                names = ("ename", "evalue", "traceback")
                self._append(kind, {name: content[name] for name in names})
            case "clear_output" if content.get("wait"):
                self._clear_first = True
            case "clear_output":
                self._clear()

    def _enter_or_leave(self, content: Mapping[str, Any]) -> None:
        """Follow an `ipywidgets.Output`, which takes all outputs from its beginning to its end."""
        state = content.get("data", {}).get("state", {})
        if "msg_id" in state:
            self._widgets = [each for each in self._widgets if each != content["comm_id"]]
            self._clear_first = False
            if state["msg_id"]:
                self._widgets.append(content["comm_id"])

    def _show(self, kind: str, content: Mapping[str, Any]) -> None:
        identifier = _display_id(content)
        for shown in self._displays.get(identifier, []):
            shown["data"], shown["metadata"] = content["data"], content["metadata"]
        output = {"data": content["data"], "metadata": content["metadata"]}
        if kind == "execute_result":
            output["execution_count"] = content["execution_count"]
        if not self._spend(_size(str(content["data"]))):
            return
        added = self._append(kind, output)
        if identifier:
            self._displays.setdefault(identifier, []).append(added)

    def _text(self, name: str, text: str) -> None:
        before = self.left
        if not self._spend(_size(text)):
            text = _bytes(text)[: max(before, 0)].decode(errors="ignore")
        if not text:
            return
        last = self.cell["outputs"][-1] if self.cell["outputs"] else {}
        if self._takers.get(id(last), "") != self._widgets[-1]:
            last = {}
        if last.get("output_type") == "stream" and last["name"] == name and not self._clear_first:
            last["text"] += text
        else:
            self._append("stream", {"name": name, "text": text})
        if self.left < 0 <= before:
            self._append("stream", {"name": "stderr", "text": f"\n{cut_off(self._limit)}"})

    def _spend(self, size: int) -> bool:
        """Whether an output of *size* bytes is within the limit."""
        if self.left < 0:
            return False
        self.left -= size
        return self.left >= 0

    def _append(self, kind: str, output: dict[str, Any]) -> dict[str, Any]:
        if self._clear_first:
            self._clear()
        output["output_type"] = kind
        self.cell["outputs"].append(output)
        if self._widgets[-1]:
            self._takers[id(output)] = self._widgets[-1]
        return output

    def _clear(self) -> None:
        self._clear_first = False
        outputs = self.cell["outputs"]
        # What is cleared is what the widget has taken, or what no widget has.
        gone = {id(each) for each in outputs if self._takers.get(id(each), "") == self._widgets[-1]}
        # In place: an update must not reach what is no longer shown.
        outputs[:] = [each for each in outputs if id(each) not in gone]
        for each in gone:
            self._takers.pop(each, None)
        for shown in self._displays.values():
            shown[:] = [output for output in shown if id(output) not in gone]


def cut_off(limit: int) -> str:
    """The notice that follows *limit* bytes of output."""
    return f"[hpo_lab: the outputs of this trial are cut off after {limit} bytes]\n"


def plain(traceback: Iterable[str]) -> str:
    """The lines of a *traceback* without colours."""
    return _COLOUR.sub("", "\n".join(traceback))


def _bytes(text: str) -> bytes:
    # Half of a surrogate pair is no reason to lose an output.
    return text.encode(errors="surrogatepass")


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(_bytes(text))


def _display_id(content: Mapping[str, Any]) -> str:
    return (content.get("transient") or {}).get("display_id") or ""
