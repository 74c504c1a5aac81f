"""`api.v1.beta1.Suggestion`: our search algorithms for an existing Katib.

An answer depends on its request alone: the same request has the same answer in every
process. A suggestion's number counts the suggestions before it. The number is sent as a
label, and Katib returns the label with the trial.
"""

from __future__ import annotations

import random
from pathlib import Path

import grpc

from hpo_lab.counting import counted
from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.rules import spec_problems
from hpo_lab.experiment.trial import Trial, TrialState, trial_name
from hpo_lab.katib_api import katib_pb
from hpo_lab.katib_api.checkpoints import DATA, carry_checkpoints, shares_checkpoints
from hpo_lab.katib_api.reading import LABELS, NUMBER, PARENT, read_spec, read_trials
from hpo_lab.katib_api.rpc import RpcRefused, Services
from hpo_lab.katib_api.writing import assigned
from hpo_lab.problems import InvalidInput, Problem
from hpo_lab.search.algorithm import Suggestion, Wait, search_problems
from hpo_lab.search.ask import InvalidSuggestion, suggest
from hpo_lab.search.distinct import Used
from hpo_lab.search.history import History
from hpo_lab.search.space import Space

__all__ = ["SERVICE", "get_suggestions", "suggestion_service", "validate_algorithm_settings"]

SERVICE = "api.v1.beta1.Suggestion"

_DRAWS = 100
_MOST = 10_000
"""Suggestions of a request."""
_MOST_TRIALS = 1_000_000


def suggestion_service(data: Path = DATA) -> Services:
    """The service for a single thread; *data* is the volume that trials share."""

    def get(request: katib_pb.GetSuggestionsRequest) -> katib_pb.GetSuggestionsReply:
        reply = get_suggestions(request)
        if shares_checkpoints(request.experiment):
            answers = reply.parameter_assignments
            carry_checkpoints(request.experiment.name, request.trials, answers, data)
        return reply

    return {
        SERVICE: {"GetSuggestions": get, "ValidateAlgorithmSettings": validate_algorithm_settings}
    }


def get_suggestions(request: katib_pb.GetSuggestionsRequest) -> katib_pb.GetSuggestionsReply:
    """The requested number of suggestions; each counts the suggestions before it as running.

    Katib takes all suggestions of a request or none, and starts no trial meanwhile. So the
    remaining suggestions are drawn at random in two cases: when the algorithm waits for a
    trial of the same request, and when it has no suggestion left before the experiment's
    `maxTrialCount`.

    Raises:
        InvalidInput: The experiment cannot be searched.
        RpcRefused: `UNAVAILABLE` when a running trial has to end first; Katib asks again.
            `OUT_OF_RANGE` when no suggestion is left and there is no `maxTrialCount`.
    """
    _check_numbers(request)
    spec = read_spec(request.experiment, request.trials)
    _check(spec)
    trials = read_trials(spec, request.trials)
    count = request.current_request_number
    first = max(request.total_request_number - count, 0, *(t.number + 1 for t in trials))
    history = History(trials)
    batch: list[Trial] = []
    for number in range(first, first + count):
        try:
            answer = suggest(spec, number, history, uid=request.experiment.name)
        except InvalidSuggestion as error:
            raise RpcRefused(grpc.StatusCode.INTERNAL, str(error)) from error
        if isinstance(answer, Wait):
            unfinished = sum(not trial.is_final for trial in trials)
            if unfinished:
                reason = f"waiting for the results of {counted(unfinished, 'unfinished trial')}"
                raise RpcRefused(grpc.StatusCode.UNAVAILABLE, reason)
            answer = None
        elif answer is None and spec.max_trial_count is None:
            algorithm, ended = spec.algorithm.algorithm_name, counted(number, "trial")
            reason = (
                f"{algorithm} has nothing left to suggest after {ended}; "
                f"set spec.maxTrialCount to {number} to end the experiment"
            )
            raise RpcRefused(grpc.StatusCode.OUT_OF_RANGE, reason)
        trial = _running(number, answer or _drawn(spec, number, batch, request.experiment.name))
        history.put(trial)
        batch.append(trial)
    reply = katib_pb.GetSuggestionsReply(
        parameter_assignments=[_message(spec, trial) for trial in batch]
    )
    if shares_checkpoints(request.experiment):
        for answer in reply.parameter_assignments:
            answer.trial_name = trial_name(request.experiment.name, int(answer.labels[NUMBER]))
    return reply


def validate_algorithm_settings(
    request: katib_pb.ValidateAlgorithmSettingsRequest,
) -> katib_pb.ValidateAlgorithmSettingsReply:
    """Check an experiment before its first suggestion.

    Raises:
        InvalidInput: The experiment cannot be searched.
    """
    spec = read_spec(request.experiment)
    _check(spec)
    if spec.algorithm.algorithm_name == "grid" and spec.max_trial_count is not None:
        total = Space.of(spec.parameters).cardinality
        if total is not None and spec.parameters and spec.max_trial_count > total:
            message = f"is {spec.max_trial_count}; the grid has {counted(total, 'point')} only"
            raise InvalidInput([Problem("spec.maxTrialCount", message)])
    return katib_pb.ValidateAlgorithmSettingsReply()


def _check_numbers(request: katib_pb.GetSuggestionsRequest) -> None:
    """Refuse numbers that no Katib sends.

    Raises:
        InvalidInput: There are such.
    """
    problems = []
    if not 0 <= request.current_request_number <= _MOST:
        message = f"is {request.current_request_number}; allowed are 0 to {_MOST}"
        problems.append(Problem("current_request_number", message))
    if not 0 <= request.total_request_number <= _MOST_TRIALS:
        message = f"is {request.total_request_number}; allowed are 0 to {_MOST_TRIALS}"
        problems.append(Problem("total_request_number", message))
    counts = request.experiment.spec
    for name in ("parallel_trial_count", "max_trial_count"):
        if (count := getattr(counts, name)) < 0:
            problems.append(Problem(f"spec.{name}", f"is {count}; allowed are 0 and more"))
    if problems:
        raise InvalidInput(problems)


def _check(spec: ExperimentSpec) -> None:
    # Katib may check settings in a request without a search space.
    searched = spec.parameters or spec.nas_config
    problems = [*(spec_problems(spec) if searched else ()), *search_problems(spec)]
    if problems:
        raise InvalidInput(problems)


def _running(number: int, answer: Suggestion) -> Trial:
    return Trial(
        number,
        answer.assignments,
        TrialState.RUNNING,
        parent=answer.parent,
        labels=answer.labels,
    )


def _drawn(spec: ExperimentSpec, number: int, batch: list[Trial], name: str) -> Suggestion:
    """An assignment drawn at random, different from those of *batch* where possible."""
    rng = random.Random(f"{name}/{number}/drawn")
    space = Space.of(spec.parameters)
    used = History(batch).index(Used)
    for _ in range(_DRAWS):
        assignments = space.assign(lambda axis: axis.value_at(rng.random()))
        if assignments not in used:
            break
    return Suggestion(assignments)


def _message(
    spec: ExperimentSpec, trial: Trial
) -> katib_pb.GetSuggestionsReply.ParameterAssignments:
    labels = {f"{LABELS}{name}": value for name, value in trial.labels.items()}
    labels[NUMBER] = str(trial.number)
    if trial.parent is not None:
        labels[PARENT] = str(trial.parent)
    return katib_pb.GetSuggestionsReply.ParameterAssignments(
        assignments=assigned(spec, trial.assignments), labels=labels
    )
