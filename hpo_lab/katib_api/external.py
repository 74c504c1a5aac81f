"""The algorithm `katib-service`: a suggestion service that speaks Katib's gRPC interface."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import ClassVar, Final

import grpc

from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.trial import Trial
from hpo_lab.katib_api import katib_pb
from hpo_lab.katib_api.reading import typed
from hpo_lab.katib_api.rpc import RpcRefused, call
from hpo_lab.katib_api.suggestion import SERVICE
from hpo_lab.katib_api.writing import experiment_message, trial_message
from hpo_lab.problems import Problem
from hpo_lab.search.algorithm import WAIT, Algorithm, Ask, Setting, Suggestion, Wait
from hpo_lab.search.ask import InvalidSuggestion
from hpo_lab.search.space import Assignment

__all__ = ["KatibService", "SuggestionServiceError"]

_ENDPOINT: Final = "endpoint"
_ALGORITHM: Final = "algorithm"
_TRIAL_NAME: Final = "trial-name"
_STATE: Final = "setting."
_VALIDATION = 10.0
_SUGGESTION = 60.0


class SuggestionServiceError(InvalidSuggestion):
    """The service gave no suggestion, or an invalid suggestion."""


class KatibService(Algorithm):
    """Requests single assignments from a suggestion service, as Katib's controller does.

    Settings that this class does not declare go to the service's algorithm. The labels of
    the answer become labels of the trial. Further labels keep the trial's name, where the
    service chooses it, and the settings that a service changes to keep a state.
    """

    name = "katib-service"
    settings: ClassVar[Mapping[str, Setting]] = {
        _ENDPOINT: Setting(str, "Where the service is: host:port."),
        _ALGORITHM: Setting(str, "The algorithm's name there."),
    }
    accepts_any_setting = True
    uses_history = True
    uses_prior = False

    def suggest(self, ask: Ask) -> Suggestion | Wait:
        """The service's answer, within a minute.

        While trials run, a service that is not available is asked again at the next end of a
        trial: the same status tells that the service waits for the results of trials.

        Raises:
            SuggestionServiceError: The service gave no suggestion, or an invalid suggestion.
        """
        own_settings = ask.spec.algorithm.settings
        endpoint, name = own_settings[_ENDPOINT], f"hpo-lab-{ask.shared_seed:08x}"
        settings = {**_own_settings(own_settings), **_remembered(ask.own)}
        request = katib_pb.GetSuggestionsRequest(
            experiment=experiment_message(name, ask.spec, own_settings[_ALGORITHM], settings),
            trials=[_sent(name, ask.spec, trial) for trial in ask.own],
            current_request_number=1,
            total_request_number=ask.number + 1,
        )
        try:
            reply = call(endpoint, SERVICE, "GetSuggestions", request, timeout=_SUGGESTION)
        except RpcRefused as refused:
            running = any(not trial.is_final for trial in ask.own)
            if refused.code is grpc.StatusCode.UNAVAILABLE and running:
                return WAIT
            raise SuggestionServiceError(_in_words(endpoint, refused, _SUGGESTION)) from None
        answers = reply.parameter_assignments
        if len(answers) != 1:
            count = f"{len(answers)} suggestions where 1 was asked for"
            raise SuggestionServiceError(f"the suggestion service at {endpoint} gave {count}")
        labels = dict(answers[0].labels)
        if answers[0].trial_name:
            labels[_TRIAL_NAME] = answers[0].trial_name
        for setting in reply.algorithm.algorithm_settings:
            labels[f"{_STATE}{setting.name}"] = setting.value
        return Suggestion(_assignment(ask.spec, endpoint, answers[0]), labels=labels)

    def problems(self, spec: ExperimentSpec) -> list[Problem]:
        """The problems of *spec* according to the service, or why the service is unusable."""
        path, settings = "spec.algorithm.algorithmSettings", spec.algorithm.settings
        problems = [
            Problem(path, f"lacks {name!r}: {self.settings[name].doc}")
            for name in (_ENDPOINT, _ALGORITHM)
            if not settings.get(name)
        ]
        if settings.get(_ENDPOINT) and not re.fullmatch(r"\S+:\d+", settings[_ENDPOINT]):
            problems.append(
                Problem(path, f"endpoint is {settings[_ENDPOINT]!r}; must be host:port")
            )
        for index, parameter in enumerate(spec.parameters):
            if parameter.when:
                message = "is a condition, of which Katib's suggestion services know nothing"
                problems.append(Problem(f"spec.parameters[{index}].when", message))
        return problems or _said_by_service(spec, settings[_ENDPOINT], settings[_ALGORITHM])


def _said_by_service(spec: ExperimentSpec, endpoint: str, algorithm: str) -> list[Problem]:
    settings = _own_settings(spec.algorithm.settings)
    request = katib_pb.ValidateAlgorithmSettingsRequest(
        experiment=experiment_message("validation", spec, algorithm, settings)
    )
    try:
        call(endpoint, SERVICE, "ValidateAlgorithmSettings", request, timeout=_VALIDATION)
    except RpcRefused as refused:
        if refused.code is not grpc.StatusCode.UNIMPLEMENTED:
            return [Problem("spec.algorithm", _in_words(endpoint, refused, _VALIDATION))]
    return []


def _in_words(endpoint: str, refused: RpcRefused, timeout: float) -> str:
    service = f"the suggestion service at {endpoint}"
    match refused.code:
        case grpc.StatusCode.UNAVAILABLE:
            return f"{service} is not available: {refused.reason}"
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return f"{service} did not answer within {timeout:g} seconds"
        case grpc.StatusCode.UNIMPLEMENTED:
            return f"at {endpoint} is no suggestion service: {refused.reason}"
        case code:
            return f"{service} refuses ({code.name}): {refused.reason}"


def _own_settings(settings: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in settings.items() if name not in KatibService.settings}


def _remembered(trials: Iterable[Trial]) -> dict[str, str]:
    """The latest values of the settings that the service changed."""
    settings: dict[str, str] = {}
    for trial in trials:
        settings |= {
            name.removeprefix(_STATE): value
            for name, value in trial.labels.items()
            if name.startswith(_STATE)
        }
    return settings


def _sent(experiment: str, spec: ExperimentSpec, trial: Trial) -> katib_pb.Trial:
    name = trial.labels.get(_TRIAL_NAME, f"{experiment}-{trial.number}")
    return trial_message(name, spec, trial)


def _assignment(
    spec: ExperimentSpec,
    endpoint: str,
    answer: katib_pb.GetSuggestionsReply.ParameterAssignments,
) -> Assignment:
    texts = {assignment.name: assignment.value for assignment in answer.assignments}
    names = [parameter.name for parameter in spec.parameters]
    if sorted(texts) != sorted(names):
        raise SuggestionServiceError(
            f"the suggestion service at {endpoint} assigned {', '.join(sorted(texts)) or 'nothing'}"
            f"; the parameters are {', '.join(sorted(names))}"
        )
    try:
        return {
            parameter.name: typed(parameter, texts[parameter.name]) for parameter in spec.parameters
        }
    except ValueError as error:
        raise SuggestionServiceError(
            f"the suggestion service at {endpoint} left the search space: {error}"
        ) from None
