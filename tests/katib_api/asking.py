"""Requests as Katib's controller makes them, and a client that sends them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
import pytest

from hpo_lab.katib_api import katib_pb
from hpo_lab.katib_api.rpc import RpcRefused, call

SUGGESTION = "api.v1.beta1.Suggestion"
EARLY_STOPPING = "api.v1.beta1.EarlyStopping"
METRIC = "metric-2"

Answer = katib_pb.GetSuggestionsReply.ParameterAssignments


@dataclass(frozen=True)
class Client:
    """A service at a real port."""

    address: str
    service: str = SUGGESTION

    def __call__(self, method: str, request: Any) -> Any:
        return call(self.address, self.service, method, request, timeout=60)

    def refusal(self, method: str, request: Any) -> tuple[grpc.StatusCode, str]:
        """The status and the words with which *request* is refused."""
        with pytest.raises(RpcRefused) as refused:
            self(method, request)
        return refused.value.code, refused.value.reason

    def suggestions(self, request: katib_pb.GetSuggestionsRequest) -> list[Answer]:
        return list(self("GetSuggestions", request).parameter_assignments)


def space(kind: str, *values: str, **fields: Any) -> dict[str, Any]:
    """A parameter without its name; *values* are the bounds or the list."""
    listed = kind in ("DISCRETE", "CATEGORICAL")
    shown = {"list": values} if listed else dict(zip(("min", "max"), values, strict=True))
    return {"parameter_type": kind, "feasible_space": {**shown, **fields}}


MIXED = {
    "param-1": space("INT", "1", "5"),
    "param-2": space("CATEGORICAL", "cat1", "cat2", "cat3"),
    "param-3": space("DISCRETE", "3", "2", "6"),
    "param-4": space("DOUBLE", "1", "5"),
}
STEPPED = {**MIXED, "param-4": space("DOUBLE", "1", "5", step="1")}


def experiment(
    algorithm: str,
    settings: Mapping[str, str] | None = None,
    parameters: Mapping[str, dict[str, Any]] | None = None,
    **spec: Any,
) -> katib_pb.Experiment:
    """An experiment, as little as Katib's own tests say of one."""
    named = [{"name": name, **one} for name, one in (parameters or {}).items()]
    given = [{"name": name, "value": value} for name, value in (settings or {}).items()]
    return katib_pb.Experiment(
        name="test",
        spec=katib_pb.ExperimentSpec(
            algorithm={"algorithm_name": algorithm, "algorithm_settings": given},
            objective={"type": "MAXIMIZE", "goal": 0.9},
            parameter_specs={"parameters": named},
            **spec,
        ),
    )


def trial(
    name: str,
    assignments: Mapping[str, str] | Sequence[katib_pb.ParameterAssignment],
    value: str = "",
    *,
    condition: str = "SUCCEEDED",
    start: str = "",
    labels: Mapping[str, str] | None = None,
) -> katib_pb.Trial:
    if isinstance(assignments, Mapping):
        assignments = [
            katib_pb.ParameterAssignment(name=key, value=text) for key, text in assignments.items()
        ]
    metrics = [{"name": "metric-1", "value": "435"}, {"name": METRIC, "value": value}]
    return katib_pb.Trial(
        name=name,
        spec=katib_pb.TrialSpec(
            objective={"type": "MAXIMIZE", "objective_metric_name": METRIC, "goal": 0.9},
            parameter_assignments={"assignments": assignments},
            labels=labels,
        ),
        status=katib_pb.TrialStatus(
            condition=condition,
            start_time=start,
            observation={"metrics": metrics if value else []},
        ),
    )


def ask(
    of: katib_pb.Experiment, trials: Sequence[katib_pb.Trial] = (), count: int = 2, total: int = 0
) -> katib_pb.GetSuggestionsRequest:
    return katib_pb.GetSuggestionsRequest(
        experiment=of, trials=trials, current_request_number=count, total_request_number=total
    )


def values(answer: Answer) -> dict[str, str]:
    return {one.name: one.value for one in answer.assignments}


class Controller:
    """Katib's controller, as far as suggestions go: names trials, sends all of them each time."""

    def __init__(self, client: Client, of: katib_pb.Experiment) -> None:
        self.client = client
        self.experiment = of
        self.answers: list[Answer] = []
        self.trials: list[katib_pb.Trial] = []

    def request(self, count: int) -> katib_pb.GetSuggestionsRequest:
        return ask(self.experiment, self.trials, count, len(self.answers) + count)

    def begin(self, count: int) -> list[Answer]:
        answers = self.client.suggestions(self.request(count))
        assert len(answers) == count
        for answer in answers:
            # Names are drawn, so their order says nothing; starts are known to the second.
            number = len(self.answers)
            name = answer.trial_name or f"test-{(number * 7919) % 1009:04x}"
            start = f"2026-01-01T00:00:{number // 3:02}Z"
            self.trials.append(trial(name, answer.assignments, condition="RUNNING", start=start))
            self.trials[-1].spec.labels.update(answer.labels)
            self.answers.append(answer)
        return answers

    def end(self, number: int, value: float, condition: str = "SUCCEEDED") -> None:
        status = self.trials[number].status
        status.condition = katib_pb.TrialStatus.TrialConditionType.Value(condition)
        status.observation.metrics.add(name=METRIC, value=repr(value))
