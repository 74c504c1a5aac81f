"""The magics of a shell: `%%tune` tunes a notebook cell, `%hpo` looks after what was started.

Nothing here blocks the kernel but `%hpo wait`: the
experiment runs in processes of its own, and its progress is read from the store.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand

from hpo_lab.api import Experiments
from hpo_lab.dashboard.live import publish
from hpo_lab.dashboard.preview import preview_html, preview_text
from hpo_lab.magics.best import run_in_place
from hpo_lab.magics.commands import COMMANDS, Commands
from hpo_lab.magics.completing import install
from hpo_lab.notebook.document import cell_ids
from hpo_lab.notebook.parsed_cell import FAILS_TAG, ParsedCell
from hpo_lab.notebook.slicing import Decision
from hpo_lab.options import LINE_OPTIONS, parse_line
from hpo_lab.prepare import Prepared, notebook_here, prepare_cell, project_here
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.store import NotFound

__all__ = ["HpoLabMagics", "MagicError", "load"]

_CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class MagicError(Exception):
    """What a magic refused to do; shown without a traceback, and the cell counts as failed."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return [f"\x1b[31m{self}\x1b[0m"]


@contextmanager
def _without_traceback() -> Iterator[None]:
    try:
        yield
    except (InvalidInput, NotFound, TimeoutError) as error:
        raise MagicError(str(error)) from None


@magics_class
class HpoLabMagics(Magics):
    """`%%tune` and `%hpo` of one shell."""

    def __init__(self, shell: Any) -> None:
        """Start to take note of the cells that fail."""
        super().__init__(shell)
        self._shell = shell
        self._failed: dict[int, bool] = {}
        self._seconds: dict[int, float] = {}
        self._ids: dict[int, str] = {}
        self._started = time.monotonic()
        self._unstored: list[tuple[ParsedCell, bool]] = []
        self._commands = Commands(shell)
        shell.events.register("pre_run_cell", self._start_clock)
        shell.events.register("post_run_cell", self._note)
        install(shell)
        shell.set_hook("complete_command", _complete_hpo, str_key="%hpo")

    def _start_clock(self, _: Any) -> None:
        self._started = time.monotonic()

    def _note(self, result: Any) -> None:
        info, seconds = result.info, time.monotonic() - self._started
        is_interrupted = isinstance(result.error_in_exec, KeyboardInterrupt)
        if not info.store_history and not info.silent:
            label = f"unnumbered cell {len(self._unstored) + 1}"
            cell = ParsedCell(info.raw_cell, _tags(result.success), label, seconds)
            self._unstored.append((cell, is_interrupted))
        elif result.execution_count is not None:
            self._seconds[result.execution_count] = seconds
            self._ids[result.execution_count] = self._cell_id()
            if not result.success:
                self._failed[result.execution_count] = is_interrupted

    @no_var_expand
    @cell_magic
    def tune(self, line: str, cell: str) -> None:
        """Tune the annotated values of this cell in the background.

        A value is annotated by a comment on its line; the cell assigns the objective:

            %%tune maximize accuracy --trials 30
            lr = 0.01     # tune: loguniform(1e-4, 1e-1)
            units = 64    # tune: int(16, 256)
            accuracy = train(lr, units)

        The cells that ran before run in each trial too, as far as this one needs them. The
        cell is not run here: `%hpo best --run` runs it with the best values found. Run again,
        the cell continues or shows the same experiment.

        Options:
        """
        with _without_traceback():
            self._tune(line, cell)

    tune.__doc__ = (tune.__doc__ or "").rstrip() + "".join(
        f"\n          {f'{option.flag} {option.form}':34} {option.help}" for option in LINE_OPTIONS
    )

    @no_var_expand
    @line_magic
    def hpo(self, line: str) -> None:
        """Look after the experiments of this session and those recorded before.

        NAME is by default the experiment that this kernel started last, else the newest of this
        folder.
        Each command takes --store LOCATION.

        Commands:
        """
        __tracebackhide__ = True
        with _without_traceback():
            try:
                source = self._commands.run(line)
            except KeyboardInterrupt:
                raise MagicError(self._commands.interrupted) from None
        if source:
            run_in_place(self._shell, source, line)

    hpo.__doc__ = (hpo.__doc__ or "").rstrip() + "".join(
        f"\n          {name} {command.form}\n              {command.help}"
        for name, command in COMMANDS.items()
    )

    def _tune(self, line: str, cell: str) -> None:
        number, first_line = self._place(cell)
        where = f"In [{number}]"
        options, extras, problems = parse_line(line, where=f"{where}, line {first_line - 1}")
        variable = extras.get("-o")
        if variable is not None and not variable.isidentifier():
            message = f"-o: {variable!r} is no variable's name"
            problems.append(Problem(f"{where}, line {first_line - 1}", message))
        cells = self._earlier(number)
        if number == len(self._shell.history_manager.input_hist_raw):
            # A front end that keeps no history, such as a test runner, has run the others
            # in the same way; elsewhere such cells are those of tools that look inside.
            cells += self._unstored
        notebook = notebook_here()
        prepared = prepare_cell(
            cell,
            [earlier for earlier, is_interrupted in cells if not is_interrupted],
            options,
            where=where,
            name=notebook.stem if notebook else f"tune-{options.metric or 'cell'}",
            file=notebook.name if notebook else "",
            cell=self._cell_id(),
            working_directory=Path.cwd(),
            first_line=first_line,
            types=_types(self._shell.user_ns),
            provided=list(getattr(self._shell, "user_ns_hidden", ())),
            problems=problems,
        )
        prepared = replace(prepared, project=project_here(), cells=self._cells(notebook))
        self._commands.halves = prepared.halves
        decisions = _with_interrupted(cells, prepared.decisions)
        if "--dry-run" in extras:
            experiment = prepared.experiment
            bundle = {
                "text/html": preview_html(experiment, decisions),
                "text/plain": preview_text(experiment, decisions),
            }
            publish(self._shell, bundle)
            return
        prepared = replace(prepared, fresh="--fresh" in extras)
        self._start(prepared, decisions, extras.get("--store"), variable)

    def _start(
        self,
        prepared: Prepared,
        decisions: tuple[Decision, ...],
        location: str | None,
        variable: str | None,
    ) -> None:
        experiment, enrolled = Experiments(location).run(prepared, fresh=prepared.fresh)
        self._commands.last = experiment
        self._commands.location = location
        if variable is not None:
            self._shell.push({variable: experiment})
        self._commands.show(experiment, decisions, enrolled.said)

    def _cell_id(self) -> str:
        """The id of the running cell, where the front end tells one that a file may hold."""
        parent: dict[str, Any] = getattr(self._shell, "get_parent", dict)()
        cell = str(parent.get("metadata", {}).get("cellId", ""))
        return cell if _CELL_ID.fullmatch(cell) else ""

    def _cells(self, notebook: Path | None) -> frozenset[str] | None:
        """The ids of the cells that the notebook has, or that ran here; None where neither tells.

        The file may be behind what is shown, and has no ids in a format older than 4.5.
        """
        if notebook is None:
            return None
        try:
            saved = cell_ids(json.loads(notebook.read_text(encoding="utf-8")))
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return None
        return saved.union(self._ids.values())

    def _place(self, cell: str) -> tuple[int, int]:
        """The number of the running input, and the line of it on which *cell* begins."""
        inputs = self._shell.history_manager.input_hist_raw
        magic = ParsedCell(inputs[-1]).tune_magic
        if magic is None or magic.body.strip() != cell.strip():
            # Run without a history: by another magic, or silently.
            return len(inputs), 2
        return len(inputs) - 1, magic.first_line

    def _earlier(self, number: int) -> list[tuple[ParsedCell, bool]]:
        """The inputs before *number* in the order of execution; whether each was interrupted."""
        inputs = self._shell.history_manager.input_hist_raw[:number]
        return [
            (
                ParsedCell(
                    source,
                    _tags(count not in self._failed),
                    f"In [{count}]",
                    self._seconds.get(count),
                    id=self._ids.get(count, ""),
                ),
                self._failed.get(count, False),
            )
            for count, source in enumerate(inputs)
            if source.strip()
        ]


def _tags(succeeded: bool) -> frozenset[str]:
    """The tags of a cell that ran: one that failed half-way may do so again."""
    return frozenset() if succeeded else frozenset({FAILS_TAG})


def _types(namespace: Mapping[str, object]) -> dict[str, str]:
    """The qualified names of the types of the values in *namespace*."""
    return {
        name: f"{type(value).__module__}.{type(value).__qualname__}"
        for name, value in namespace.items()
    }


def _with_interrupted(
    cells: list[tuple[ParsedCell, bool]], decisions: tuple[Decision, ...]
) -> tuple[Decision, ...]:
    """The decisions on all cells; *decisions* are those on the cells not interrupted."""
    others = iter(decisions)
    return tuple(
        Decision(
            cell,
            kept=False,
            reason="interrupted when it ran; what it changed is missing in a trial",
        )
        if is_interrupted
        else next(others)
        for cell, is_interrupted in cells
    )


def _complete_hpo(_: Any, event: Any) -> list[str]:
    """What may stand on the line of `%hpo`; IPython picks what fits the word begun."""
    words = event.line.split()
    command = COMMANDS.get(words[1]) if len(words) > 1 else None
    return list(command.flags if command else COMMANDS)


def load(shell: Any) -> None:
    """Register the magics in *shell*, an IPython shell."""
    shell.register_magics(HpoLabMagics(shell))
