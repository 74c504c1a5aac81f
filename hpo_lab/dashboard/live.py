"""A display of an experiment that changes in place while the kernel does other things."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hpo_lab.dashboard.progress import progress_html, progress_text
from hpo_lab.dashboard.summary import summarise
from hpo_lab.store import Store

if TYPE_CHECKING:
    from hpo_lab.notebook.slicing import Decision

__all__ = ["Bundle", "LiveProgress", "can_update", "publish"]

Bundle = dict[str, str]
"""What to display, by MIME type."""

_INTERVAL = 0.25
_SHARE = 10
"""A look at the store is followed by a pause of at least this many times its length."""
_PATIENCE = 20
"""Looks at the store that may fail one after the other, before a follower gives up."""


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
        store: Store,
        uid: str,
        *,
        decisions: Sequence[Decision] = (),
        note: str = "",
    ) -> None:
        """Prepare a display.

        Args:
            shell: The IPython shell.
            store: Where the experiment is recorded.
            uid: The experiment.
            decisions: Which earlier cells its trials run, and why.
            note: A sentence about how the experiment came to be shown.
        """
        self._publisher = shell.display_pub
        self._updates = can_update(shell)
        self._store = store
        self._uid = uid
        self._decisions = decisions
        self._note = note
        self._transient = {"display_id": secrets.token_hex(16)}
        self._shown: Bundle | None = None

    def refresh(self) -> bool:
        """Show the experiment as it is now, where that is not shown already.

        Returns:
            Whether it is over or was deleted, so that nothing more will change.
        """
        bundle, over = self._frame()
        first = self._shown is None
        # Where nothing can be changed in place, the beginning and the end are enough.
        if first or (bundle != self._shown and (self._updates or over)):
            self._shown = bundle
            self._publisher.publish(bundle, transient=self._transient, update=not first)
        return over

    def follow(self, until: float | None = None) -> bool:
        """Keep the display up to date until the experiment is over.

        Args:
            until: When to stop at the latest, on the clock of `time.monotonic`.

        Returns:
            Whether the experiment is over.
        """
        failures = 0
        while True:
            began = time.monotonic()
            try:
                if self.refresh():
                    return True
                failures = 0
            except Exception:
                # A store that is busy or away for a moment, or an output that is gone.
                failures += 1
                if failures == _PATIENCE:
                    raise
            now = time.monotonic()
            if until is not None and now >= until:
                return False
            time.sleep(max(_INTERVAL, _SHARE * (now - began)))

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

    def _frame(self) -> tuple[Bundle, bool]:
        record = self._store.experiment_by_uid(self._uid)
        if record is None:
            text = "This experiment was deleted."
            return {"text/html": f"<div>{text}</div>", "text/plain": text}, True
        trials = self._store.trials(self._uid)
        summary = summarise(record, trials, time.time())
        bundle = {
            "text/html": progress_html(summary, trials, self._decisions, self._note),
            "text/plain": progress_text(summary, self._note),
        }
        return bundle, summary.is_over
