"""The algorithm `katib-service`, against our own service and against broken ones."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from hpo_lab.experiment.model import (
    AlgorithmSetting,
    AlgorithmSpec,
    ExperimentSpec,
    FeasibleSpace,
    Parameter,
)
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.katib_api import external, katib_pb
from hpo_lab.katib_api.rpc import Services
from hpo_lab.katib_api.suggestion import suggestion_service
from hpo_lab.search.algorithm import WAIT, Suggestion, search_problems
from hpo_lab.search.ask import InvalidSuggestion, suggest
from tests.katib_api.asking import SUGGESTION, values
from tests.katib_api.conftest import Serve

PARAMETERS = (
    {"name": "lr", "parameterType": "double", "feasibleSpace": {"min": 0.001, "max": 1.0}},
    {"name": "units", "parameterType": "int", "feasibleSpace": {"min": 1, "max": 64}},
    {"name": "batch", "parameterType": "discrete", "feasibleSpace": {"list": [16, 32, 64]}},
    {
        "name": "shuffle",
        "parameterType": "categorical",
        "feasibleSpace": {"list": [True, None, "sometimes"]},
    },
)


def spec(address: str, algorithm: str = "tpe", **given: str) -> ExperimentSpec:
    settings = {"endpoint": address, "algorithm": algorithm, **given}
    return ExperimentSpec(
        parameters=tuple(Parameter.model_validate(one) for one in PARAMETERS),
        objective={"type": "maximize", "objectiveMetricName": "acc"},
        algorithm=AlgorithmSpec(
            algorithm_name="katib-service",
            algorithm_settings=tuple(
                AlgorithmSetting(name=n, value=v) for n, v in settings.items()
            ),
        ),
    )


def ended(number: int, answer: Suggestion, value: float) -> Trial:
    return Trial(
        number,
        answer.assignments,
        TrialState.SUCCEEDED,
        metrics={"acc": Metric.single(value)},
        labels=answer.labels,
        started_at=1.8e9 + number,
    )


def test_a_search_through_a_service(serve: Serve) -> None:
    searched = spec(serve(suggestion_service()), random_state="3")
    assert search_problems(searched) == []
    trials: list[Trial] = []
    for number in range(12):
        answer = suggest(searched, number, trials, uid="one")
        assert isinstance(answer, Suggestion)
        assert answer == suggest(searched, number, trials, uid="one")
        assert list(answer.assignments) == ["lr", "units", "batch", "shuffle"]
        assert type(answer.assignments["units"]) is int
        assert answer.assignments["shuffle"] in (True, None, "sometimes")
        trials.append(ended(number, answer, float(number % 4)))
    assert len({tuple(trial.assignments.values()) for trial in trials}) == 12


def test_listed_numbers_are_sent_and_read_as_they_are_written(serve: Serve) -> None:
    requests = []
    service = suggestion_service()
    own = service[SUGGESTION]["GetSuggestions"]

    def record(request: katib_pb.GetSuggestionsRequest) -> katib_pb.GetSuggestionsReply:
        requests.append(request)
        reply: katib_pb.GetSuggestionsReply = own(request)
        return reply

    service = {SUGGESTION: {**service[SUGGESTION], "GetSuggestions": record}}
    listed = FeasibleSpace(list=("0.50", "9007199254740993", "1e-05"))
    width = Parameter(name="width", parameter_type="discrete", feasible_space=listed)
    searched = spec(serve(service), "grid").model_copy(update={"parameters": (width,)})
    trials: list[Trial] = []
    for number in range(3):
        answer = suggest(searched, number, trials, uid="one")
        assert isinstance(answer, Suggestion)
        trials.append(ended(number, answer, 1.0))
    assert {trial.assignments["width"] for trial in trials} == {0.5, 2**53 + 1, 1e-05}
    sent = [values(trial.spec.parameter_assignments)["width"] for trial in requests[-1].trials]
    assert sent and set(sent) < {"0.50", "9007199254740993", "1e-05"}


def test_what_the_service_says_of_the_settings_is_a_problem(serve: Serve) -> None:
    searched = spec(serve(suggestion_service()), gamma="7", random_state="-1")
    (problem,) = search_problems(searched)
    assert problem.where == "spec.algorithm"
    assert "gamma is '7'" in problem.message and "random_state is '-1'" in problem.message


def test_settings_and_conditions_are_checked_before_anybody_is_asked() -> None:
    searched = spec("somewhere", "")
    conditional = searched.parameters[1].model_copy(update={"when": "lr > 0.5"})
    parameters = (searched.parameters[0], conditional, *searched.parameters[2:])
    problems = search_problems(searched.model_copy(update={"parameters": parameters}))
    assert [problem.where for problem in problems] == [
        "spec.algorithm.algorithmSettings",
        "spec.algorithm.algorithmSettings",
        "spec.parameters[1].when",
    ]
    assert "'algorithm'" in problems[0].message
    assert "'somewhere'; must be host:port" in problems[1].message


def answering(answer: Callable[[Any], Any]) -> Services:
    return {SUGGESTION: {"GetSuggestions": answer}}


def reply(*assignments: dict[str, str], **fields: Any) -> Any:
    return katib_pb.GetSuggestionsReply(
        parameter_assignments=[
            {"assignments": [{"name": name, "value": value} for name, value in one.items()]}
            for one in assignments
        ],
        **fields,
    )


GOOD = {"lr": "0.5", "units": "3", "batch": "16", "shuffle": "true"}


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([], "gave 0 suggestions where 1 was asked for"),
        ([GOOD, GOOD], "gave 2 suggestions"),
        ([{"lr": "0.5"}], "assigned lr; the parameters are batch, lr, shuffle, units"),
        ([{**GOOD, "lr": "2"}], "left the search space: '2' is no value of 'lr'"),
        ([{**GOOD, "lr": "nan"}], "'nan' is no value of 'lr'"),
        ([{**GOOD, "units": "3.0"}], "left the search space"),
        ([{**GOOD, "batch": "17"}], "'17' is no value of 'batch'"),
        ([{**GOOD, "shuffle": "True"}], "'True' is none of true, null, sometimes"),
    ],
)
def test_answers_that_make_no_sense(serve: Serve, answers: list[dict[str, str]], said: str) -> None:
    address = serve(answering(lambda request: reply(*answers)))
    with pytest.raises(InvalidSuggestion, match=f"at {address}") as error:
        suggest(spec(address), 0, [])
    assert said in str(error.value)


def test_a_good_answer_among_all_these(serve: Serve) -> None:
    answer = suggest(spec(serve(answering(lambda request: reply(GOOD)))), 0, [])
    assert isinstance(answer, Suggestion)
    assert answer.assignments == {"lr": 0.5, "units": 3, "batch": 16, "shuffle": True}


def test_a_service_that_does_not_validate_is_trusted(serve: Serve) -> None:
    assert search_problems(spec(serve(answering(lambda request: reply(GOOD))))) == []


def test_nobody_there() -> None:
    (problem,) = search_problems(spec("127.0.0.1:1"))
    assert "at 127.0.0.1:1 is not available" in problem.message
    with pytest.raises(InvalidSuggestion, match="not available"):
        suggest(spec("127.0.0.1:1"), 0, [])


def test_a_service_that_is_away_is_asked_again_when_a_trial_has_ended() -> None:
    running = Trial(0, {}, TrialState.RUNNING)
    assert suggest(spec("127.0.0.1:1"), 1, [running]) is WAIT


def test_another_kind_of_service(serve: Serve) -> None:
    address = serve({})
    with pytest.raises(InvalidSuggestion, match=f"at {address} is no suggestion service"):
        suggest(spec(address), 0, [])


def test_a_service_that_fails(serve: Serve) -> None:
    def fail(request: Any) -> Any:
        raise ZeroDivisionError("oops")

    with pytest.raises(InvalidSuggestion, match=r"refuses \(UNKNOWN\).*oops"):
        suggest(spec(serve(answering(fail))), 0, [])


def test_a_service_that_takes_too_long(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    def dawdle(request: Any) -> Any:
        time.sleep(1.0)
        return reply(GOOD)

    monkeypatch.setattr(external, "_SUGGESTION", 0.2)
    with pytest.raises(InvalidSuggestion, match=r"did not answer within 0\.2 seconds"):
        suggest(spec(serve(answering(dawdle))), 0, [])


def test_what_a_service_wants_to_remember_comes_back(serve: Serve) -> None:
    requests: list[Any] = []

    def answer(request: Any) -> Any:
        requests.append(request)
        made = reply(GOOD)
        made.parameter_assignments[0].trial_name = f"named-{len(requests)}"
        made.parameter_assignments[0].labels["generation"] = str(len(requests))
        made.algorithm.algorithm_settings.add(name="s_max", value=str(len(requests)))
        return made

    searched = spec(serve(answering(answer)), eta="3")
    trials: list[Trial] = []
    for number in range(3):
        found = suggest(searched, number, trials)
        assert isinstance(found, Suggestion)
        trials.append(ended(number, found, 1.0))
    sent = requests[-1]
    given = {one.name: one.value for one in sent.experiment.spec.algorithm.algorithm_settings}
    assert given == {"eta": "3", "s_max": "2"}
    assert sent.experiment.spec.algorithm.algorithm_name == "tpe"
    assert [one.name for one in sent.trials] == ["named-1", "named-2"]
    assert [one.spec.labels["generation"] for one in sent.trials] == ["1", "2"]
    assert values(sent.trials[0].spec.parameter_assignments) == GOOD
    assert (sent.current_request_number, sent.total_request_number) == (1, 3)
