"""`api.v1.beta1.EarlyStopping`: the median rule for an existing Katib.

Katib requests rules whenever it starts trials, and the metrics collector of a trial compares
the trial's metric with them. A rule is a number that does not change during the trial. So
the median rule at a fixed step is the only rule of hpo_lab that Katib can carry out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from statistics import median

import grpc

from hpo_lab.experiment.document import as_text
from hpo_lab.experiment.model import ExperimentSpec, MetricStrategyType, ObjectiveType
from hpo_lab.katib_api import katib_pb
from hpo_lab.katib_api.cluster import ClusterError, mark_early_stopped
from hpo_lab.katib_api.observation_logs import reported_values
from hpo_lab.katib_api.reading import read_spec
from hpo_lab.katib_api.rpc import RpcRefused, Services
from hpo_lab.problems import InvalidInput, Problem, nearest
from hpo_lab.stopping.curve import Curve
from hpo_lab.stopping.rule import get_rule, settings_of, stopping_problems

__all__ = ["EARLY_STOPPING", "early_stopping_service", "median_rules"]

EARLY_STOPPING = "api.v1.beta1.EarlyStopping"

_RULE = "medianstop"
_TIMEOUT = 10.0
_MOST_LOGS = 100_000


def early_stopping_service(
    mark: Callable[[str], None] = mark_early_stopped,
) -> Services:
    """The service, for `rpc.serving`; *mark* is called with the name of each stopped trial."""
    # The log of a trial that has succeeded does not change, so its values are kept.
    values_by_key: dict[tuple[str, str, str], list[float]] = {}

    def values(address: str, trial: str, metric: str, until: float) -> list[float]:
        key = (address, trial, metric)
        logged = values_by_key.get(key)
        if logged is None:
            timeout = max(0.0, until - time.monotonic())
            logged = reported_values(*key, timeout=timeout)
            if len(values_by_key) >= _MOST_LOGS:
                values_by_key.clear()
            values_by_key[key] = logged
        return logged

    def get_rules(
        request: katib_pb.GetEarlyStoppingRulesRequest,
    ) -> katib_pb.GetEarlyStoppingRulesReply:
        if not request.experiment.spec.early_stopping.algorithm_name:
            return katib_pb.GetEarlyStoppingRulesReply()
        spec = read_spec(request.experiment, request.trials)
        _check(spec)
        succeeded = [
            trial.name
            for trial in request.trials
            if trial.status.condition == katib_pb.TrialStatus.SUCCEEDED
        ]
        metric, address = spec.objective.objective_metric_name, request.db_manager_address
        # Together, however many there are: Katib asks again, and what was read is kept.
        until = time.monotonic() + _TIMEOUT
        logs = (values(address, trial, metric, until) for trial in succeeded)
        return katib_pb.GetEarlyStoppingRulesReply(early_stopping_rules=median_rules(spec, logs))

    def validate(
        request: katib_pb.ValidateEarlyStoppingSettingsRequest,
    ) -> katib_pb.ValidateEarlyStoppingSettingsReply:
        spec = katib_pb.ExperimentSpec(early_stopping=request.early_stopping)
        _check(read_spec(katib_pb.Experiment(spec=spec)))
        return katib_pb.ValidateEarlyStoppingSettingsReply()

    def set_status(request: katib_pb.SetTrialStatusRequest) -> katib_pb.SetTrialStatusReply:
        try:
            mark(request.trial_name)
        except ClusterError as error:
            raise RpcRefused(grpc.StatusCode.UNAVAILABLE, str(error)) from error
        return katib_pb.SetTrialStatusReply()

    return {
        EARLY_STOPPING: {
            "GetEarlyStoppingRules": get_rules,
            "ValidateEarlyStoppingSettings": validate,
            "SetTrialStatus": set_status,
        }
    }


def median_rules(
    spec: ExperimentSpec, logs: Iterable[list[float]]
) -> list[katib_pb.EarlyStoppingRule]:
    """The median rule for the trials that begin now.

    Args:
        spec: An experiment with the early stopping `medianstop`.
        logs: The objective's values of each succeeded trial, in the order of time.

    Returns:
        A single rule, the median of the averages of each trial's first `start_step` finite
        values. No rule before `min_trials_required` trials have finite values.
    """
    settings = settings_of(get_rule(_RULE), spec)
    least, step = settings["min_trials_required"], settings["start_step"]
    assert isinstance(least, int) and isinstance(step, int)
    empty = Curve(MetricStrategyType.LATEST)
    curves = [empty.then((None, value) for value in values) for values in logs]
    means = [mean for curve in curves if (mean := curve.mean(step)) is not None]
    if len(means) < least:
        return []
    minimize = spec.objective.type is ObjectiveType.MINIMIZE
    return [
        katib_pb.EarlyStoppingRule(
            name=spec.objective.objective_metric_name,
            value=as_text(median(means)),
            comparison="GREATER" if minimize else "LESS",
            start_step=step,
        )
    ]


def _check(spec: ExperimentSpec) -> None:
    name = spec.early_stopping.algorithm_name if spec.early_stopping else ""
    if name != _RULE:
        message = f"is {name!r}; Katib can carry out {_RULE!r} only{nearest(name, [_RULE])}"
        raise InvalidInput([Problem("spec.earlyStopping.algorithmName", message)])
    if problems := stopping_problems(spec):
        raise InvalidInput(problems)
