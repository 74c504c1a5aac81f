"""A display of an experiment that changes in place while the kernel does other things."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from hpo_lab.dashboard.html import cut
from hpo_lab.dashboard.panel import Panel
from hpo_lab.dashboard.progress import progress_text, status_line
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.summary import Summary
from hpo_lab.store import NotFound

if TYPE_CHECKING:
    from hpo_lab.notebook.slicing import Decision

__all__ = ["EXPERIMENT", "Bundle", "LiveProgress", "can_update", "publish"]

Bundle = dict[str, Any]
"""What to display, by MIME type."""

EXPERIMENT = "application/vnd.hpo-lab.experiment+json"
"""The MIME type of an experiment as data, for front ends that draw it themselves."""


def can_update(shell: Any) -> bool:
    """Whether the front end of *shell* can change what it has displayed: that of a kernel."""
    return getattr(shell, "kernel", None) is not None


def publish(shell: Any, bundle: Bundle) -> None:
    """Display *bundle* in the running cell."""
    shell.display_pub.publish(bundle)


class LiveProgress:
    """The progress of one experiment in the output of one cell.

    Updates go to the display by its id. They are sent through the publisher that the cell
    had, since another cell may meanwhile capture what it displays itself.
    """

    def __init__(
        self,
        shell: Any,
        experiment: Experiment,
        *,
        decisions: Sequence[Decision] = (),
        note: str = "",
        in_line: bool = False,
    ) -> None:
        """Prepare a display.

        Args:
            shell: The IPython shell.
            experiment: The experiment.
            decisions: Which earlier cells its trials run, and why.
            note: A sentence about how the experiment came to be shown.
            in_line: Whether a line is shown, as beside another display of the experiment.
        """
        self._publisher = shell.display_pub
        self._updates = can_update(shell)
        self._experiment = experiment
        self._follower = experiment.follower.twin()
        self._panel = Panel(experiment, self._follower, decisions)
        self._note = note
        self._in_line = in_line
        self._transient = {"display_id": secrets.token_hex(16)}
        self._shown: Bundle | None = None
        self._last: Summary | None = None

    @property
    def updates(self) -> bool:
        """Whether it changes in place."""
        return self._updates

    def refresh(self) -> bool:
        """Show the experiment as it is now, where that is not shown already.

        Returns:
            Whether it is over or was deleted, so that nothing more will change.
        """
        try:
            return self._show(self._follower.look())
        except NotFound:
            return self._show(None)

    def bundle(self) -> Bundle:
        """What is displayed of the experiment as it is now."""
        try:
            return self._bundle(self._follower.look())
        except NotFound:
            return self._bundle(None)

    def follow(self, until: float | None = None) -> bool:
        """Keep the display up to date until the experiment is over.

        Args:
            until: When to stop at the latest, on the clock of `time.monotonic`.

        Returns:
            Whether the experiment is over.
        """
        try:
            return any(map(self._show, self._follower.follow(until, away=self._say_away)))
        except NotFound:
            return self._show(None)

    def follow_in_background(self) -> None:
        """Show the experiment, and keep the display up to date while other cells run."""
        if not self.refresh() and self._updates:
            threading.Thread(target=self._follow_quietly, name="hpo_lab", daemon=True).start()

    def _follow_quietly(self) -> None:
        try:
            self.follow()
        except Exception:
            # What this thread wrote would turn up in the output of some other cell.
            name = self._experiment.title
            self._say(
                f"No longer updated since {self._panel.as_of}; %hpo show {name} shows it again."
            )

    def _show(self, summary: Summary | None) -> bool:
        bundle, over = self._bundle(summary), summary is None or summary.is_over
        # Where nothing can be changed in place, the beginning and the end are enough.
        if self._shown is None or self._updates or over:
            self._publish(bundle)
        if (
            over
            and summary is not None
            and not self._in_line
            and not self._panel.pictures.is_complete
        ):
            if self._updates:
                threading.Thread(target=self._complete, name="hpo_lab", daemon=True).start()
            else:
                self._complete()
        return over

    def _complete(self) -> None:
        """Show the end once more, with the pictures that take their time."""
        with suppress(Exception):  # as in `_follow_quietly`
            self._panel.pictures.complete()
            assert self._last is not None
            self._publish(self._frame(self._last, self._note))

    def _bundle(self, summary: Summary | None) -> Bundle:
        if summary is None:
            return self._deleted()
        self._last = summary
        self._panel.take(summary)
        return self._frame(summary, self._note)

    def _publish(self, bundle: Bundle) -> None:
        before, self._shown = self._shown, bundle
        if bundle != before:
            update = before is not None
            self._publisher.publish(bundle, transient=self._transient, update=update)

    def _say_away(self) -> None:
        self._say(f"The store has not answered since {self._panel.as_of}.")

    def _say(self, text: str) -> None:
        """Show what was seen last, with *text* in place of the note."""
        if self._last is not None and self._updates:
            self._publish(self._frame(self._last, text))

    def _frame(self, summary: Summary, note: str) -> Bundle:
        if self._in_line:
            line = status_line(summary)
            return {"text/html": f"<div>{cut(line, 400)}</div>", "text/plain": line}
        return {
            EXPERIMENT: self._data(summary),
            "text/html": self._panel.html(summary, note),
            "text/plain": progress_text(summary, note, self._panel.as_of),
        }

    def _data(self, summary: Summary) -> dict[str, Any]:
        """Which experiment this is, so that a front end can ask its server for it; and as it is.

        What changes with the clock alone is left out, so that nothing is sent again for its
        sake, and the front, which may be long.
        """
        data = summary.to_json()
        for name in ("elapsedSeconds", "secondsLeft", "paretoFront"):
            data.pop(name, None)
        return {
            "version": 1,
            "uid": summary.uid,
            "store": str(self._experiment.store),
            "revision": self._follower.revision,
            "isOver": summary.is_over,
            "summary": data,
        }

    def _deleted(self) -> Bundle:
        text = "This experiment was deleted."
        return {"text/html": f"<div>{text}</div>", "text/plain": text}
