"""Whether a recorded experiment is that which a person wrote, and how it differs."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import starmap

from hpo_lab.counting import counted
from hpo_lab.experiment.identity import code_of, differences, is_same_but_code
from hpo_lab.experiment.model import API_VERSION, ExperimentDocument, ExperimentSpec, Parameter
from hpo_lab.experiment.space import space_text
from hpo_lab.notebook.trial_code import CodeChange, TrialCode
from hpo_lab.notebook.trial_notebook import TrialNotebook
from hpo_lab.options import OPTIONS
from hpo_lab.prepare.prepared import Prepared, PreparedCell, PreparedManifest
from hpo_lab.prepare.wording import Dialect, Wording
from hpo_lab.problems import Problem
from hpo_lab.trial.folder import NOTEBOOK
from hpo_lab.workload.local_settings import LOCAL, LocalSettings

__all__ = ["Recorded", "changes", "in_one_line", "is_same"]

_MOST_LINES = 8
"""How many lines of a change are shown."""
_MOST_PLACES = 4
_MOST_CHARACTERS = 50
"""The longest line that stands in a sentence."""
_KINDS = {"NotebookTrial": "a notebook", "FunctionTrial": "a function"}


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded experiment.

    Attributes:
        document: It.
        file: Reads one of its files by name; None where there is none.
    """

    document: ExperimentDocument
    file: Callable[[str], bytes | None]

    @property
    def notebook(self) -> TrialNotebook | None:
        """The notebook of its trials, None where there is none of ours."""
        content = self.file(NOTEBOOK)
        try:
            return TrialNotebook.read(content) if content else None
        except ValueError:
            return None

    @property
    def working_directory(self) -> str:
        """Where its trials work, empty where nothing says that."""
        template = self.document.spec.trial_template
        if template and template.trial_spec and template.kind[0] == API_VERSION:
            return str(template.trial_spec.get("spec", {}).get("workingDirectory", ""))
        return LocalSettings.read(self.document, self.file(LOCAL), "").directory


def is_same(recorded: Recorded, prepared: Prepared) -> bool:
    """Whether *prepared* searches what *recorded* does.

    Digests of code from other versions of Python or of hpo_lab are others; so where they
    differ, the notebooks are read and compared.
    """
    before, now = recorded.document.spec, prepared.experiment.spec
    if not is_same_but_code(before, now):
        return False
    if code_of(before) == code_of(now):
        return True
    codes = _codes(recorded, prepared)
    return codes is not None and codes[0].meaning == codes[1].meaning


@dataclass(frozen=True, slots=True)
class _Change:
    """A difference, in full and in a few words."""

    problem: Problem
    brief: str


def changes(recorded: Recorded, prepared: Prepared) -> list[Problem]:
    """What makes *prepared* another experiment than *recorded*, with the lines of code."""
    return [change.problem for change in _changes(recorded, prepared)]


def in_one_line(recorded: Recorded, prepared: Prepared) -> str:
    """The same without the code, in one line."""
    briefs = [change.brief for change in _changes(recorded, prepared)]
    more = len(briefs) - _MOST_PLACES
    return "; ".join([*briefs[:_MOST_PLACES], *([f"{more} more"] if more > 0 else [])])


def _changes(recorded: Recorded, prepared: Prepared) -> list[_Change]:
    before, now = recorded.document.spec, prepared.experiment.spec
    fields = differences(before, now)
    paths = [path for path, _ in fields]
    told = [*_parameters(recorded, prepared), *_options(recorded, prepared, paths)]
    goals = [_objective(spec) for spec in (now, before)]
    if goals[0] != goals[1]:
        told.append((prepared.wording.whole, f"the objective is {_now(*goals)}"))
    told += _others(prepared.wording, (before, now), fields)
    code = list(_code(recorded, prepared))
    if not told and not code:
        told = fields or [(prepared.wording.whole, "the code was read by another version")]
    # Within a file nobody needs its name.
    told = [(place.removeprefix(f"{prepared.file}, "), message) for place, message in told]
    problems = list(starmap(Problem, told))
    if isinstance(prepared, PreparedManifest):
        problems = list(map(prepared.in_its_words, problems))
    changed = [_Change(problem, str(problem)) for problem in problems]
    return [*changed, *code]


def _others(
    wording: Wording,
    specs: tuple[ExperimentSpec, ExperimentSpec],
    fields: Sequence[tuple[str, str]],
) -> list[tuple[str, str]]:
    """What no other part of the differences tells; who writes no manifest reads no paths."""
    told = [(path, change) for path, change in fields if not _is_told(path)]
    kinds = [spec.trial_template.kind[1] if spec.trial_template else "" for spec in specs]
    if wording.dialect is Dialect.FIELD or kinds[0] == kinds[1]:
        return told
    before, now = (_KINDS.get(kind, kind or "nothing") for kind in kinds)
    kept = [each for each in told if not each[0].startswith("spec.trialTemplate")]
    return [(wording.whole, f"its trials run {_now(now, before)}"), *kept]


def _now(now: str, before: str) -> str:
    return f"{now} now, {before} before"


def _objective(spec: ExperimentSpec) -> str:
    return ", ".join(f"{way.value} {metric}" for metric, way in spec.objective.objectives)


def _is_told(path: str) -> bool:
    """Whether another part of the differences tells that of *path*."""
    own = ("spec.parameters", "spec.objective", "spec.trialTemplate.trialSpec.spec.source")
    return path.startswith((*own, "spec.initialPoints")) or any(
        path.startswith(option.path) for option in OPTIONS
    )


def _options(
    recorded: Recorded, prepared: Prepared, paths: Sequence[str]
) -> Iterator[tuple[str, str]]:
    dialect = prepared.wording.dialect
    if isinstance(prepared, PreparedManifest):
        # Its fields are told, whatever beside it may be said by options.
        dialect = Dialect.FIELD
    for option in OPTIONS:
        if option.is_budget or not any(path.startswith(option.path) for path in paths):
            continue
        try:
            texts = [
                dialect.text(option, option.of(document)) or "not set"
                for document in (prepared.experiment, recorded.document)
            ]
        except ValueError:
            continue
        yield dialect.option(option), _now(*texts)


def _parameters(recorded: Recorded, prepared: Prepared) -> Iterator[tuple[str, str]]:
    before = {each.name: each for each in recorded.document.spec.parameters}
    now = {each.name: each for each in prepared.experiment.spec.parameters}
    notebook = recorded.notebook
    assignments = notebook.assignments if notebook else {}
    written = {name: each.annotation for name, each in assignments.items()}
    wording = prepared.wording
    for name in dict.fromkeys([*now, *before]):
        place = wording.place(name)
        subject = "" if place.endswith(f"[{name!r}]") else f"{name} "
        if name not in before:
            yield place, f"{subject}is new: {wording.spaces.get(name) or space_text(now[name])}"
        elif name not in now:
            yield place, f"{subject}is gone; it was {written.get(name) or space_text(before[name])}"
        elif _compared(before[name]) != _compared(now[name]):
            texts = (wording.spaces.get(name, ""), written.get(name, ""))
            if "" in texts or texts[0] == texts[1]:
                texts = (space_text(now[name]), space_text(before[name]))
            yield place, f"{subject}is {_now(*texts)}"


def _compared(parameter: Parameter) -> tuple[Parameter, str]:
    """A parameter, and its choices as they are written: 1, 1.0 and True are other values."""
    return parameter, repr(parameter.feasible_space.list)


def _code(recorded: Recorded, prepared: Prepared) -> Iterator[_Change]:
    code = code_of(prepared.experiment.spec)
    if not code or code == code_of(recorded.document.spec):
        return
    codes = _codes(recorded, prepared)
    if codes is not None and codes[0].meaning == codes[1].meaning:
        return
    places = codes[1].changes(codes[0]) if codes else []
    for change in places[:_MOST_PLACES]:
        cell = change.cell.removeprefix(f"{prepared.file}, ")
        where = f"{cell}, line {change.line}"
        yield _Change(Problem(where, f"has changed\n{_diff(change)}"), f"{where}{_brief(change)}")
    if len(places) > _MOST_PLACES:
        count = len(places) - _MOST_PLACES
        more = counted(
            count, "more place of the code has changed", "more places of the code have changed"
        )
        yield _Change(Problem(prepared.wording.whole, more), more)
    if not places:
        yield _Change(
            Problem(prepared.wording.whole, "the code has changed"), "the code has changed"
        )


def _codes(recorded: Recorded, prepared: Prepared) -> tuple[TrialCode, TrialCode] | None:
    """What the trials of notebooks ran before and run now, where it is known."""
    notebook = recorded.notebook
    if notebook is None or NOTEBOOK not in prepared.files:
        return None
    if isinstance(prepared, PreparedCell):
        return notebook.code, prepared.code
    return notebook.code, TrialNotebook.read(prepared.files[NOTEBOOK][1]).code


def _diff(change: CodeChange) -> str:
    lines = [*(f"- {line}" for line in change.before), *(f"+ {line}" for line in change.now)]
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES - 1 :] = [f"  ... {len(lines) - _MOST_LINES + 1} more lines"]
    return textwrap.indent("\n".join(lines), " " * 6)


def _brief(change: CodeChange) -> str:
    match [line.strip() for line in change.before], [line.strip() for line in change.now]:
        case [before], [now] if before == now and len(now) <= _MOST_CHARACTERS:
            # What has changed is masked.
            return f": `{now}` has changed"
        case [before], [now] if len(before) <= _MOST_CHARACTERS and len(now) <= _MOST_CHARACTERS:
            return f": `{now}` now, `{before}` before"
        case [], [now] if len(now) <= _MOST_CHARACTERS:
            return f": `{now}` is new"
        case [before], [] if len(before) <= _MOST_CHARACTERS:
            return f": `{before}` is gone"
    return " has changed"
