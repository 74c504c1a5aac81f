"""Bringing what a person wrote into the store: it is continued, begun, revised or refused."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from hpo_lab.experiment.identity import identity
from hpo_lab.experiment.model import ExperimentDocument
from hpo_lab.facade.another import AnotherExperiment, recorded_files
from hpo_lab.facade.enrolled import BY_FIELD, Enrolled
from hpo_lab.facade.handle import Experiment
from hpo_lab.facade.origin import Origin
from hpo_lab.prepare import Prepared, Recorded, changes, in_one_line, is_same
from hpo_lab.prepare.prepared import LONGEST_NAME
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.running.enrol import Enrolment, create, revise
from hpo_lab.store import ExperimentRecord, NameTaken, Store

__all__ = ["enrol_prepared", "recorded_as", "stop_described"]

_MOST_COMPARED = 20
"""With how many of the latest revisions a new one is compared."""


def enrol_prepared(
    store: Store,
    prepared: Prepared,
    *,
    fresh: bool = False,
    agrees: Callable[[Experiment], bool] = lambda experiment: True,
) -> Enrolled:
    """Continue the recorded experiment that *prepared* is, or create it.

    An experiment whose name nobody chose continues that of its project which means the same,
    whatever that is called; and where none does, it is a new revision of that of its cell.

    Args:
        store: The store.
        prepared: What to run.
        fresh: Whether it takes the place of a recorded experiment, which is deleted: of the
            same experiment, of that with the name that a person chose, or of the nearest of its
            cell where the file is known.
        agrees: Asked before that; the answer False leaves everything as it is.

    Raises:
        InvalidInput: Another experiment has the name that a person chose, each difference being
            a problem; it cannot learn from those that it names; or *agrees* said no.
    """
    while True:
        try:
            return _enrol(store, prepared, fresh, agrees)
        except NameTaken:
            # Another process has created it after the look; that is not to be replaced.
            fresh = False


def recorded_as(store: Store, prepared: Prepared) -> ExperimentRecord | None:
    """What is recorded of *prepared*: the same experiment, else the nearest of its name or cell."""
    return _look_up(store, prepared).nearest


def stop_described(store: Store, prepared: Prepared) -> None:
    """Stop the recorded experiment that *prepared* is.

    Raises:
        InvalidInput: There is none, or another experiment has its name, each difference being a
            problem.
    """
    recorded = _look_up(store, prepared)
    record, name = recorded.nearest, prepared.experiment.name
    if record is not None and recorded.is_same:
        store.request_stop(record.uid)
        return
    there = f"there is none called {name!r}"
    if record is not None:
        there = f"{record.title!r} is another experiment"
    problem = Problem("spec.maxTrialCount", f"is 0, which stops an experiment; {there}")
    differing = changes(recorded_files(store, record), prepared) if record else []
    raise InvalidInput([problem, *differing])


@dataclass(frozen=True, slots=True)
class _Recorded:
    """What is recorded of an experiment.

    Attributes:
        nearest: The same experiment, else that of its name, or the nearest of its cell.
        is_same: Whether that is the same.
        taken: The names that are taken in its project.
        away: What has its name in a folder that is not here.
    """

    nearest: ExperimentRecord | None
    is_same: bool
    taken: frozenset[str]
    away: ExperimentRecord | None = None


def _enrol(
    store: Store, prepared: Prepared, fresh: bool, agrees: Callable[[Experiment], bool]
) -> Enrolled:
    recorded = _look_up(store, prepared)
    nearest, name = recorded.nearest, prepared.experiment.name
    origin, note = None, ""
    if prepared.names:
        family = Origin.of(nearest).family if nearest else _free(prepared.names, recorded.taken)
        origin = str(Origin(family, prepared.file, prepared.cell))
        name = next(each for each in _revisions(family) if each not in recorded.taken)
    if nearest and fresh and _is_replaced(nearest, prepared, is_same=recorded.is_same):
        return _replace(store, prepared, nearest, origin, agrees)
    if nearest and recorded.is_same:
        return _continue(store, prepared, nearest, origin)
    if nearest and not prepared.names:
        raise _refusal(store, nearest, prepared)
    if nearest:
        note = _note(store, prepared, nearest, name)
    elif recorded.away:
        where = recorded.away.project
        note = f"{recorded.away.name} of {where}, which is not here, is another: hpo-lab list --all"
    return _create(store, prepared, name, origin, note)


def _is_replaced(nearest: ExperimentRecord, prepared: Prepared, *, is_same: bool) -> bool:
    """Whether *nearest* is what a person replaces: not what may be of another notebook."""
    is_of_file = bool(prepared.file) and Origin.of(nearest).file == prepared.file
    return is_same or not prepared.names or is_of_file


def _look_up(store: Store, prepared: Prepared) -> _Recorded:
    experiment, names = prepared.experiment, prepared.names or (prepared.experiment.name,)
    related = store.related(
        experiment.namespace,
        project=prepared.project,
        names=names,
        identity=identity(experiment.spec),
    )

    def may_be(record: ExperimentRecord) -> bool:
        """Whether *record* has the name that was chosen, or a name that nobody chose."""
        # An earlier version did not note who chose the name.
        is_former = not record.project and record.name in names
        return bool(record.origin) or is_former if prepared.names else record.name == names[0]

    here, lost = _by_project(store, related, prepared)
    candidates = list(filter(may_be, here))
    moved = [each for each in filter(may_be, lost) if _is_moved(each, prepared)]
    same = next(
        (
            record
            for record in (*candidates, *moved)
            if is_same(recorded_files(store, record), prepared)
        ),
        None,
    )
    nearest = same or (
        _earlier(store, prepared, candidates) if prepared.names else next(iter(candidates), None)
    )
    away = next((each for each in lost if each not in moved and each.name in names), None)
    return _Recorded(nearest, same is not None, frozenset(record.name for record in here), away)


def _by_project(
    store: Store, records: Sequence[ExperimentRecord], prepared: Prepared
) -> tuple[list[ExperimentRecord], list[ExperimentRecord]]:
    """Those of *records* that belong to the project of *prepared*, and those that lost theirs.

    An earlier version recorded no project. What it recorded belongs here where its trials work
    in this project, or where those of *prepared* do, or where nothing says where they work.
    """
    here = [record for record in records if record.project == prepared.project]
    in_use = {record.name for record in here}
    own = Recorded(prepared.experiment, lambda name: prepared.files.get(name, ("", None))[1])
    folders = {"", prepared.project, own.working_directory}
    lost = []
    for record in records:
        if record.name in in_use:
            continue
        folder = record.project or recorded_files(store, record).working_directory
        if not record.project and folder in folders:
            here.append(record)
        elif not Path(folder).is_dir():
            lost.append(record)
    return here, lost


def _is_moved(record: ExperimentRecord, prepared: Prepared) -> bool:
    """Whether *record*, which lost its folder, is certainly of the notebook of *prepared*.

    The cells of a notebook keep their ids where it is moved. What an earlier version recorded
    does not tell them.
    """
    if not record.origin or not record.project:
        return True
    cell = Origin.of(record).cell
    return bool(cell) and cell == prepared.cell and prepared.file.endswith(".ipynb")


def _free(names: Sequence[str], taken: Collection[str]) -> str:
    candidates = itertools.chain(names, _revisions(names[-1]))
    return next(each for each in candidates if each not in taken)


def _revisions(family: str) -> itertools.chain[str]:
    """The names of a family: `svm`, `svm-2`, `svm-3`."""
    suffixes = (f"-{number}" for number in itertools.count(2))
    later = (f"{family[: LONGEST_NAME - len(suffix)].rstrip('-')}{suffix}" for suffix in suffixes)
    return itertools.chain([family], later)


def _earlier(
    store: Store, prepared: Prepared, records: Sequence[ExperimentRecord]
) -> ExperimentRecord | None:
    """Of the *records* of the cell or function of *prepared* the nearest, of those the latest."""
    certain, likely = [], []
    for record in records:
        origin = Origin.of(record)
        if (
            origin.file
            and prepared.file
            and origin.file != prepared.file
            and (Path(prepared.project) / origin.file).exists()
        ):
            continue  # Of another file, and not of this one under its former name.
        is_told = origin.cell and prepared.cell
        if is_told and origin.cell == prepared.cell:
            certain.append(record)
        elif is_told and not _is_gone(origin.cell, prepared):
            continue  # Of another cell, and not of this one under a former id.
        elif _is_comparable(record.document, prepared.experiment):
            likely.append(record)
    return min(
        (certain or likely)[:_MOST_COMPARED],
        key=lambda record: len(changes(recorded_files(store, record), prepared)),
        default=None,
    )


def _is_gone(cell: str, prepared: Prepared) -> bool:
    """Whether no cell of the notebook of *prepared* has the id *cell* any more."""
    return prepared.cells is not None and cell not in prepared.cells


def _is_comparable(before: ExperimentDocument, now: ExperimentDocument) -> bool:
    """Whether both have the same first objective and some parameter in common."""
    metrics = {each.spec.objective.objective_metric_name for each in (before, now)}
    names = [{parameter.name for parameter in each.spec.parameters} for each in (before, now)]
    return len(metrics) == 1 and bool(names[0] & names[1])


def _continue(
    store: Store, prepared: Prepared, record: ExperimentRecord, origin: str | None
) -> Enrolled:
    taken = ""
    if record.project != prepared.project:
        taken = f"{record.title} has moved from {record.project} to {prepared.project}"
        if not record.project:
            taken = f"{record.title}, recorded before projects, is taken into {prepared.project}"
    is_gone = origin is not None and _is_gone(Origin.of(record).cell, prepared)
    if taken or is_gone:
        store.move(record.uid, prepared.project, origin)
    # What has no part in the meaning, such as where the search begins, stays as recorded.
    before = record.document.spec
    kept = {"parameters": before.parameters, "initial_points": before.initial_points}
    spec = prepared.experiment.spec.model_copy(update=kept)
    experiment = prepared.experiment.model_copy(update={"spec": spec})
    return Enrolled.of(store, *revise(store, record, experiment), prepared.wording, taken)


def _create(
    store: Store,
    prepared: Prepared,
    name: str,
    origin: str | None = None,
    note: str = "",
    replaces: Experiment | None = None,
) -> Enrolled:
    experiment = prepared.experiment
    metadata = experiment.metadata.model_copy(update={"name": name})
    record = create(
        store,
        experiment.model_copy(update={"metadata": metadata}),
        prepared.files,
        project=prepared.project,
        origin=origin,
        note=note,
        replaces=replaces.uid if replaces else None,
        makes_room=replaces.waiting.end if replaces else (lambda: None),
    )
    return Enrolled.of(store, record, Enrolment.CREATED)


def _replace(
    store: Store,
    prepared: Prepared,
    record: ExperimentRecord,
    origin: str | None,
    agrees: Callable[[Experiment], bool],
) -> Enrolled:
    experiment = Experiment.of(store, record)
    if not agrees(experiment):
        raise InvalidInput([Problem(prepared.wording.fresh, f"{record.title} stays as it is")])
    note = f"It replaces {record.title} and its {experiment.summary().ended_trials}"
    return _create(store, prepared, record.name, origin, note, experiment)


def _note(store: Store, prepared: Prepared, earlier: ExperimentRecord, name: str) -> str:
    changed = in_one_line(recorded_files(store, earlier), prepared)
    note = f"{name} is new: {changed}"
    specs = [each.spec for each in (earlier.document, prepared.experiment)]
    goals = {(each.objective.type, each.objective.objective_metric_name) for each in specs}
    if len(goals) == 1 and not specs[1].warm_start:
        takes = prepared.wording.dialect.said(BY_FIELD["warm_start"], (earlier.name,))
        note += f". The trials of {earlier.name} are taken along by {takes}"
    return note


def _refusal(store: Store, record: ExperimentRecord, prepared: Prepared) -> AnotherExperiment:
    wording = prepared.wording
    trials = Experiment.of(store, record).summary().ended_trials
    other = f"another {wording.dialect.option(BY_FIELD['name'])}"
    learns = wording.dialect.said(BY_FIELD["warm_start"], (record.name,))
    return AnotherExperiment(
        f"{record.title!r} is another experiment, recorded with {trials}:",
        changes(recorded_files(store, record), prepared),
        [
            (wording.fresh, "deletes it and starts anew"),
            (other, "leaves it as it is"),
            (f"{other} and {learns}", "leaves it, and learns from its trials"),
        ],
    )
