"""A display of an experiment that changes in place while the kernel does other things."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hpo_lab.dashboard.html import cut
from hpo_lab.dashboard.links import files_html
from hpo_lab.dashboard.progress import progress_html, progress_text, status_line
from hpo_lab.facade.follower import Follower
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.summary import Summary
from hpo_lab.store import NotFound

if TYPE_CHECKING:
    from hpo_lab.notebook.slicing import Decision

__all__ = ["Bundle", "LiveProgress", "can_update", "publish"]

Bundle = dict[str, str]
"""What to display, by MIME type."""


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
        self._follower = Follower(experiment.store, experiment.uid)
        self._decisions = decisions
        self._note = note
        self._in_line = in_line
        self._transient = {"display_id": secrets.token_hex(16)}
        self._shown: Bundle | None = None

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

    def follow(self, until: float | None = None) -> bool:
        """Keep the display up to date until the experiment is over.

        Args:
            until: When to stop at the latest, on the clock of `time.monotonic`.

        Returns:
            Whether the experiment is over.
        """
        try:
            return any(map(self._show, self._follower.follow(until)))
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
            return

    def _show(self, summary: Summary | None) -> bool:
        bundle, over = self._deleted(), True
        if summary is not None:
            bundle, over = self._frame(summary), summary.is_over
        first = self._shown is None
        # Where nothing can be changed in place, the beginning and the end are enough.
        if first or (bundle != self._shown and (self._updates or over)):
            self._shown = bundle
            self._publisher.publish(bundle, transient=self._transient, update=not first)
        return over

    def _frame(self, summary: Summary) -> Bundle:
        if self._in_line:
            line = status_line(summary)
            return {"text/html": f"<div>{cut(line, 400)}</div>", "text/plain": line}
        files = files_html(self._experiment.with_me(summary.best)) if summary.best else ""
        html = progress_html(summary, self._follower.tally, self._decisions, self._note, files)
        return {"text/html": html, "text/plain": progress_text(summary, self._note)}

    def _deleted(self) -> Bundle:
        text = "This experiment was deleted."
        return {"text/html": f"<div>{text}</div>", "text/plain": text}
