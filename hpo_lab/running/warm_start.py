"""The trials of earlier experiments that a new one learns from.

They are taken over once, when the experiment is created, and kept with it: what becomes of
the earlier experiments later has no influence.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from hpo_lab.counting import counted
from hpo_lab.experiment.model import ExperimentDocument, ExperimentSpec
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.running.resolving import resolve
from hpo_lab.search.algorithm import get_algorithm
from hpo_lab.search.transfer import transferred
from hpo_lab.store import Artifact, ExperimentRecord, Store

__all__ = ["WARM_START", "WarmStart", "prior_trials", "warm_start"]

WARM_START = "WarmStart"
"""Reason of the condition that says what an experiment learns from."""

_FILE = "warm-start.json"


@dataclass(frozen=True, slots=True)
class WarmStart:
    """What a new experiment learns from: the artifact that holds it, and a line that says it."""

    artifact: Artifact
    message: str


def warm_start(store: Store, experiment: ExperimentDocument, project: str = "") -> WarmStart | None:
    """Take over the trials that have ended of the experiments that *experiment* names.

    Args:
        store: Where they are.
        experiment: What names them.
        project: The folder that it belongs to.

    Returns:
        None where it names none.

    Raises:
        InvalidInput: One does not exist, or has another objective.
    """
    spec = experiment.spec
    if not spec.warm_start:
        return None
    records = _records(store, experiment, project)
    taken: list[Trial] = []
    parts = []
    for record in records:
        ended = [trial for trial in store.trials(record.uid) if trial.is_final]
        usable = transferred(spec, ended)
        taken += usable
        parts.append(f"{len(usable)} of the {counted(len(ended), 'trial')} of {record.title}")
    message = f"Experiment learns from {' and '.join(parts)}"
    algorithm = get_algorithm(spec.algorithm.algorithm_name)
    if not algorithm.uses_prior:
        message = f"{algorithm.name} does not learn from other experiments; warmStart has no effect"
    content = json.dumps([_document(spec, trial) for trial in taken]).encode()
    return WarmStart(Artifact(name=_FILE, media_type="application/json", content=content), message)


def prior_trials(store: Store, uid: str) -> tuple[Trial, ...]:
    """The trials that an experiment took over, under negative numbers, the latest being -1."""
    artifact = store.artifact(uid, _FILE)
    if artifact is None:
        return ()
    documents = json.loads(artifact.read())
    return tuple(
        Trial(
            number=number - len(documents),
            assignments=document["assignments"],
            state=TrialState(document["state"]),
            metrics={name: Metric(**fields) for name, fields in document["metrics"].items()},
        )
        for number, document in enumerate(documents)
    )


def _document(spec: ExperimentSpec, trial: Trial) -> dict[str, object]:
    kept = [name for name in spec.objective.metric_names if name in trial.metrics]
    return {
        "assignments": dict(trial.assignments),
        "state": trial.state.value,
        "metrics": {name: asdict(trial.metrics[name]) for name in kept},
    }


def _records(store: Store, experiment: ExperimentDocument, project: str) -> list[ExperimentRecord]:
    problems, records = [], []
    for index, name in enumerate(experiment.spec.warm_start):
        path = f"spec.warmStart[{index}]"
        try:
            record = resolve(store, name, experiment.namespace, project)
        except InvalidInput as error:
            problems += [Problem(path, f"{name!r}: {each.message}") for each in error.problems]
            continue
        records.append(record)
        theirs, ours = record.document.spec.objective, experiment.spec.objective
        if (theirs.type, theirs.objective_metric_name) != (ours.type, ours.objective_metric_name):
            problems.append(
                Problem(
                    path,
                    f"{name!r} has the objective to {theirs.type.value} "
                    f"{theirs.objective_metric_name}; it must be that of this experiment, to "
                    f"{ours.type.value} {ours.objective_metric_name}",
                )
            )
    if problems:
        raise InvalidInput(problems)
    return records
