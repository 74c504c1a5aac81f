"""The dashboard in a notebook: a widget while it is used, a static picture in the file."""

from __future__ import annotations

import secrets
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

from hpo_lab.dashboard.html import style
from hpo_lab.dashboard.live import LiveProgress, can_update
from hpo_lab.dashboard.widget.board import PARTS, Board, problem_html
from hpo_lab.facade.experiments import Experiments
from hpo_lab.facade.follower import looks
from hpo_lab.facade.handle import Experiment
from hpo_lab.store import NotFound

__all__ = ["Dashboard"]

_PACE = 1.0
"""Seconds between two updates at the least, but for answers to what a person does."""
_REST = 120.0
"""Seconds after the last sign of a person until a dashboard of what is over becomes static."""
_ASK = 10.0
"""Seconds between two questions whether its page is open."""
_STILL = 30.0
"""Seconds between two static pictures for the file while the experiment runs."""
_NOT_DRAWN = (
    "The interactive dashboard needs anywidget where JupyterLab runs (pip install anywidget)."
)
"""Stands in what is shown where the front end draws no widgets."""
_VIEW = "application/vnd.jupyter.widget-view+json"


class Dashboard:
    """A live dashboard of an experiment in a notebook.

    It shows what the output of a tuned cell shows, with tabs for the search space, all trials,
    curves, importances and other experiments, and buttons that stop and resume it. In the saved
    notebook a static picture stands in its place, which needs no kernel; in the page it takes
    the place on `close()`, and when the experiment is over and nobody uses the dashboard.
    """

    def __init__(
        self,
        name: str | Experiment,
        *,
        namespace: str = "default",
        store: str | Path | None = None,
        compare: Iterable[str | Experiment] = (),
    ) -> None:
        """Make a dashboard, which is shown as the last value of a cell.

        Args:
            name: The experiment, or its name as `hpo_lab.get` takes it.
            namespace: Where *name* says none.
            store: Path of a SQLite file or URL of a database; by default `$HPO_LAB_STORE`, else
                the user's own store.
            compare: Other experiments, or their names, whose best values are shown beside it.

        Raises:
            InvalidInput: There is no such experiment, or there are several.
            ImportError: anywidget is not installed.
        """
        _widget_class()
        experiments = Experiments(store)

        def handle(which: str | Experiment) -> Experiment:
            # A handle of its own, whose follower no other view uses.
            if isinstance(which, Experiment):
                return Experiment.of(which.store, which.record)
            return experiments.find(which, namespace)

        self.experiment = handle(name)
        self._board = Board(self.experiment, map(handle, compare))
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._widget: Any = None
        self._shell: Any = None
        self._displays: list[str] = []
        self._used = time.monotonic()
        self._asked = 0.0
        self._still_at = 0.0
        self._still_of: tuple[int, str] | None = None

    def __repr__(self) -> str:
        return f"<Dashboard of {self.experiment.title}>"

    def _ipython_display_(self) -> None:
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython else None
        if not can_update(shell):
            print(self._board.outline()["text/plain"])
            return
        self.show(shell)

    def show(self, shell: Any) -> None:
        """Show the dashboard in the cell that *shell* runs.

        Args:
            shell: The IPython shell of a kernel.
        """
        with self._lock:
            self._shell = shell
            if self._closed.is_set():
                bundle = self._static.bundle()
            else:
                if self._widget is None:
                    self._open()
                view = {"version_major": 2, "version_minor": 0, "model_id": self._widget.model_id}
                bundle = {_VIEW: view, **self._board.outline(_NOT_DRAWN)}
            self._displays.append(secrets.token_hex(16))
            shell.display_pub.publish(bundle, transient={"display_id": self._displays[-1]})

    def close(self) -> None:
        """Put a static picture of the experiment as it is now into the place of the dashboard."""
        with self._lock:
            if self._closed.is_set():
                return
            self._closed.set()
            if self._shell is not None:
                bundle = self._static.bundle()
                for display_id in self._displays:
                    transient = {"display_id": display_id}
                    self._shell.display_pub.publish(bundle, transient=transient, update=True)
            if self._widget is not None:
                self._widget.close()

    def receive(self, message: Mapping[str, Any]) -> None:
        """Do what a person asks for in the front end, and show what came of it.

        It is called on whichever thread the kernel handles messages.

        Args:
            message: See `Board.handle`; `here` says that the page is open, `close` closes.
        """
        what = message.get("do")
        if what == "close":
            self.close()
            return
        if what == "here":
            if message.get("used"):
                self._used = time.monotonic()
            else:
                self._rest()
            return
        self._used = time.monotonic()
        self._board.handle(message)
        try:
            self._update(answered=message.get("id"))
        except NotFound:
            self.close()
        except Exception as error:
            self._say(f"It is not up to date: {type(error).__name__}: {error}")

    @cached_property
    def _static(self) -> LiveProgress:
        """What makes the picture for the file; it begins with the trials that are read already."""
        note = f'hpo_lab.Dashboard("{self.experiment.title}") opens the dashboard again.'
        return LiveProgress(self._shell, self.experiment, note=note)

    def _open(self) -> None:
        self._widget = _widget_class()(title=self.experiment.title, **self._board.parts())
        self._widget.view = self._widget.model_id
        self._widget.on_msg(lambda _, message, buffers: self.receive(message))
        threading.Thread(target=self._follow, name="hpo_lab", daemon=True).start()

    def _update(self, answered: object = None) -> None:
        """Send the pieces that have changed, and which message was *answered*.

        Raises:
            NotFound: The experiment was deleted.
        """
        with self._lock:
            if self._closed.is_set() or self._widget is None:
                return
            parts = self._board.parts()
            with self._widget.hold_sync():
                for name, html in parts.items():
                    # What has not changed is not sent.
                    setattr(self._widget, name, html)
                if isinstance(answered, int):
                    self._widget.answered = answered

    def _follow(self) -> None:
        """Keep the dashboard up to date until it is closed."""
        store = self.experiment.store
        while not self._closed.is_set():
            try:
                stop = self._closed.is_set
                for _ in looks(store, self._update, stop=stop, away=self._say_away):
                    self._keep_still()
                    self._ask()
                    self._closed.wait(_PACE)
            except NotFound:
                self.close()
            except Exception as error:
                self._say(f"It is not up to date: {type(error).__name__}: {error}")
                self._closed.wait(_ASK)

    def _keep_still(self) -> None:
        """Send what the notebook is saved with: seldom, and at once in another state."""
        now, seen = time.monotonic(), self._board.seen
        is_same_state = self._still_of is not None and self._still_of[1] == seen[1]
        if self._still_of == seen or (is_same_state and now < self._still_at + _STILL):
            return
        self._still_at, self._still_of = now, seen
        bundle = self._static.bundle()
        with self._lock:
            if not self._closed.is_set():
                self._widget.still = bundle

    def _say_away(self) -> None:
        self._say("The store does not answer; this is how it was.")

    def _say(self, problem: str) -> None:
        with self._lock:
            if not self._closed.is_set():
                self._widget.notice = problem_html(problem)

    def _is_used(self) -> bool:
        return time.monotonic() - self._used < _REST

    def _ask(self) -> None:
        """Ask whether the page is open: only there a static picture can take the place."""
        now = time.monotonic()
        if self._is_used() or now - self._asked < _ASK or self.experiment.is_live:
            return
        self._asked = now
        with self._lock:
            if not self._closed.is_set():
                self._widget.send({"ask": "here"})

    def _rest(self) -> None:
        """The page is open; what is over and not used becomes static."""
        if not self._is_used() and not self.experiment.is_live:
            self.close()


@cache
def _widget_class() -> Any:
    """The class of the widget, made when the first dashboard is.

    Raises:
        ImportError: anywidget is not installed.
    """
    try:
        import anywidget
        import traitlets
    except ImportError:
        message = "hpo_lab.Dashboard needs anywidget: pip install 'hpo_lab[widget]'"
        raise ImportError(message) from None

    folder = files("hpo_lab.dashboard.widget")
    own = folder.joinpath("widget.css").read_text("utf-8")
    traits = {name: traitlets.Unicode().tag(sync=True) for name in ("title", *PARTS)}
    return type(
        "DashboardWidget",
        (anywidget.AnyWidget,),
        {
            "_esm": folder.joinpath("widget.js").read_text("utf-8"),
            "_css": style() + own,
            "view": traitlets.Unicode().tag(sync=True),
            "still": traitlets.Dict().tag(sync=True),
            "answered": traitlets.Int(0).tag(sync=True),
            **traits,
        },
    )
