"""An experiment as TensorBoard's event files: a run for each trial, with its hyperparameters.

The hyperparameters are those of TensorBoard's HParams plugin. Needs the package `tensorboard`,
and no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hpo_lab.experiment.model import ExperimentSpec, Parameter, Value
from hpo_lab.experiment.parameter import ParameterType
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.facade.files import files_of, log_of
from hpo_lab.facade.handle import Experiment
from hpo_lab.store import ObservationRecord

__all__ = ["EventFiles"]

_FILE = "events.out.tfevents.{time:.0f}.hpo_lab"
_EVENTS = "*tfevents*"
_AT_ONCE = 20_000


class EventFiles:
    """The event files of one experiment; each update appends what is new.

    Every trial is a folder, `trial-00007`, of its own; a trial that runs again starts another
    one. Event files that a trial wrote itself appear in it as links, so that TensorBoard shows
    them while they grow.
    """

    def __init__(self, experiment: Experiment, folder: Path) -> None:
        """Write the files of *experiment* below *folder*, which is empty."""
        self._experiment = experiment
        self._folder = folder
        self._after = self._revision = 0
        self._attempts: dict[int, int] = {}
        self._begun: set[Path] = set()
        self._ended: set[Path] = set()
        self._watched: set[int] = set()
        self._linked: set[Path] = set()

    def update(self) -> bool:
        """Append what is new.

        Returns:
            Whether the experiment still exists.
        """
        changes = self._experiment.store.changes(self._experiment.uid, self._revision)
        if changes is None:
            return False
        if not self._revision:
            self._write(self._folder, [_definition(self._experiment.record.document.spec)])
        self._revision = changes.revision
        for trial in changes.trials:
            if trial.state is not TrialState.CREATED:
                self._attempts[trial.number] = trial.attempt
                self._watched.add(trial.number)
                self._begin(trial)
        # The reports of a trial that has ended were stored before its end.
        while self._write_reports():
            pass
        self._link_own_events()
        for trial in changes.trials:
            if trial.state.is_final and trial.number in self._attempts:
                self._watched.discard(trial.number)
                self._end(trial)
        return True

    def _run(self, number: int, attempt: int) -> Path:
        again = f".{attempt}" if attempt > 1 else ""
        return self._folder / f"trial-{number:05d}{again}"

    def _begin(self, trial: Trial) -> None:
        folder = self._run(trial.number, trial.attempt)
        if folder not in self._begun:
            self._begun.add(folder)
            self._write(folder, [_start(trial, folder.name)])

    def _end(self, trial: Trial) -> None:
        folder = self._run(trial.number, trial.attempt)
        if folder not in self._ended:
            self._ended.add(folder)
            self._write(folder, [_end(trial)])

    def _write_reports(self) -> bool:
        """Write the reports that came after the last one written; whether there may be more."""
        store, uid = self._experiment.store, self._experiment.uid
        records = store.observations(uid, after_id=self._after, limit=_AT_ONCE)
        by_run: dict[Path, list[ObservationRecord]] = {}
        for record in records:
            by_run.setdefault(self._run(record.number, record.attempt), []).append(record)
            self._after = record.id
        for folder, reports in by_run.items():
            self._write(folder, map(_scalar, reports))
        return len(records) == _AT_ONCE

    def _write(self, folder: Path, events: Iterable[Any]) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        folder.mkdir(parents=True, exist_ok=True)
        path = folder / _FILE.format(time=self._experiment.record.created_at)
        is_new = not path.exists()
        with path.open("ab") as file:
            writer = RecordWriter(file)
            if is_new:
                first = Event(wall_time=0.0, file_version="brain.Event:2")
                writer.write(first.SerializeToString())
            for event in events:
                writer.write(event.SerializeToString())

    def _link_own_events(self) -> None:
        store, uid = self._experiment.store, self._experiment.uid
        for number in self._watched:
            own = log_of(store, uid, number).parent
            for path in files_of(store, uid, number):
                if path.match(_EVENTS) and path not in self._linked:
                    self._linked.add(path)
                    run = self._run(number, self._attempts[number])
                    link = run / path.relative_to(own)
                    link.parent.mkdir(parents=True, exist_ok=True)
                    link.symlink_to(path)


def _definition(spec: ExperimentSpec) -> Any:
    from tensorboard.plugins.hparams import summary_v2 as hp

    def domain(parameter: Parameter) -> Any:
        if parameter.parameter_type in (ParameterType.CATEGORICAL, ParameterType.DISCRETE):
            values = [_plain(value) for value in parameter.choices]
            kinds = {type(value) for value in values}
            return hp.Discrete(values if len(kinds) == 1 else list(map(str, values)))
        low, high = parameter.feasible_space.min, parameter.feasible_space.max
        assert low is not None and high is not None
        # An interval of integers is one of doubles in TensorBoard all the same.
        return hp.RealInterval(float(low), float(high))

    parameters = [hp.HParam(each.name, domain(each)) for each in spec.parameters]
    metrics = [hp.Metric(name) for name in spec.objective.metric_names]
    return _event(0.0, hp.hparams_config_pb(parameters, metrics, time_created_secs=0.0))


def _start(trial: Trial, run: str) -> Any:
    from tensorboard.plugins.hparams import summary_v2 as hp

    values = {name: _plain(value) for name, value in trial.assignments.items()}
    started = trial.started_at or 0.0
    return _event(started, hp.hparams_pb(values, trial_id=run, start_time_secs=started))


def _end(trial: Trial) -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import api_pb2, metadata
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo

    succeeded = trial.state in (TrialState.SUCCEEDED, TrialState.EARLY_STOPPED)
    status = api_pb2.STATUS_SUCCESS if succeeded else api_pb2.STATUS_FAILURE
    ended = trial.completed_at or 0.0
    data = HParamsPluginData(session_end_info=SessionEndInfo(status=status, end_time_secs=ended))
    value = Summary.Value(
        tag=metadata.SESSION_END_INFO_TAG,
        metadata=metadata.create_summary_metadata(data),
        tensor=metadata.NULL_TENSOR,
    )
    return _event(ended, Summary(value=[value]))


def _scalar(record: ObservationRecord) -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary

    value = Summary.Value(tag=record.metric, simple_value=record.value)
    return _event(record.time, Summary(value=[value]), record.step or 0)


def _event(time: float, summary: Any, step: int = 0) -> Any:
    from tensorboard.compat.proto.event_pb2 import Event

    return Event(wall_time=time, step=step, summary=summary)


def _plain(value: Value) -> Value:
    """A value as the plugin takes it: integers are doubles there, as in the domain."""
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
