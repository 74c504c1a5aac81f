"""`api.v1.beta1.DBManager`: a server that keeps logs in memory, and a client."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Lock
from typing import Final

from hpo_lab.collectors.numeric_text import observation_of
from hpo_lab.katib_api import katib_pb
from hpo_lab.katib_api.rpc import Services, call
from hpo_lab.observation import Observation, check_name
from hpo_lab.problems import InvalidInput, Problem

__all__ = ["DB_MANAGER", "ObservationLogs", "reported_values"]

DB_MANAGER: Final = "api.v1.beta1.DBManager"


class ObservationLogs:
    """The observation logs of trials, in memory.

    Attributes:
        services: The service with the logs, for `rpc.serving`.
    """

    def __init__(self, on_report: Callable[[str, Sequence[Observation]], None]) -> None:
        """*on_report* is called with the name of a trial and its new observations."""
        self._on_report = on_report
        self._logs: dict[str, list[katib_pb.MetricLog]] = {}
        self._lock = Lock()
        self.services: Services = {
            DB_MANAGER: {
                "ReportObservationLog": self._report,
                "GetObservationLog": self._get,
                "DeleteObservationLog": self._delete,
            }
        }

    def _report(
        self, request: katib_pb.ReportObservationLogRequest
    ) -> katib_pb.ReportObservationLogReply:
        logs = request.observation_log.metric_logs
        problems = []
        for name in {log.metric.name for log in logs}:
            try:
                check_name(name)
            except ValueError as error:
                problems.append(Problem("observation_log", str(error)))
        if problems:
            raise InvalidInput(problems)
        with self._lock:
            self._logs.setdefault(request.trial_name, []).extend(logs)
            now = time.time()
            observations = [
                observation_of(log.metric.name, log.metric.value, _seconds(log.time_stamp) or now)
                for log in logs
            ]
            self._on_report(request.trial_name, observations)
        return katib_pb.ReportObservationLogReply()

    def _get(self, request: katib_pb.GetObservationLogRequest) -> katib_pb.GetObservationLogReply:
        start, end = _seconds(request.start_time), _seconds(request.end_time)

        def asked_for(log: katib_pb.MetricLog) -> bool:
            at = _seconds(log.time_stamp)
            return (
                request.metric_name in ("", log.metric.name)
                and (start is None or at is None or at >= start)
                and (end is None or at is None or at <= end)
            )

        with self._lock:
            logs = [log for log in self._logs.get(request.trial_name, ()) if asked_for(log)]
        return katib_pb.GetObservationLogReply(observation_log={"metric_logs": logs})

    def _delete(
        self, request: katib_pb.DeleteObservationLogRequest
    ) -> katib_pb.DeleteObservationLogReply:
        with self._lock:
            self._logs.pop(request.trial_name, None)
        return katib_pb.DeleteObservationLogReply()


def reported_values(address: str, trial: str, metric: str, *, timeout: float) -> list[float]:
    """The values of *metric* that *trial* has reported, from the DB manager at *address*.

    Args:
        address: `host:port`.
        trial: The trial's name.
        metric: The metric's name.
        timeout: The longest time for the answer, in seconds.

    Raises:
        rpc.RpcRefused: The DB manager did not answer.
    """
    request = katib_pb.GetObservationLogRequest(trial_name=trial, metric_name=metric)
    reply = call(address, DB_MANAGER, "GetObservationLog", request, timeout=timeout)
    logs = [log for log in reply.observation_log.metric_logs if log.metric.name == metric]
    return [observation_of(metric, log.metric.value, 0.0).value for log in logs]


def _seconds(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
