"""The suggestion service, asked as Katib's controller asks; the tables are Katib's own."""

from __future__ import annotations

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hpo_lab.katib_api import katib_pb
from hpo_lab.katib_api.reading import read_spec
from hpo_lab.katib_api.suggestion import suggestion_service
from tests.katib_api.asking import (
    METRIC,
    MIXED,
    STEPPED,
    Client,
    Controller,
    ask,
    experiment,
    space,
    trial,
    values,
)
from tests.katib_api.conftest import Serve

LOG = {"distribution": "LOG_UNIFORM"}
SHAPES = {
    "mixed": MIXED,
    "stepped": STEPPED,
    "distributions": {
        "int-step": space("INT", "1", "5", step="2"),
        "int-log": space("INT", "1", "64", **LOG),
        "int-normal": space("INT", "10", "20", distribution="NORMAL"),
        "int-log-normal": space("INT", "32", "64", distribution="LOG_NORMAL"),
        "double-log": space("DOUBLE", "0.001", "5", **LOG),
        "double-log-step": space("DOUBLE", "1", "5", step="0.5", **LOG),
        "double-step": space("DOUBLE", "5", "10", step="0.8", distribution="UNIFORM"),
        "double-normal": space("DOUBLE", "0.01", "0.05", distribution="NORMAL"),
        "double-log-normal": space("DOUBLE", "1", "5", distribution="LOG_NORMAL"),
        "touching-zero": space("DOUBLE", "0", "1"),
        "negative": space("DOUBLE", "-3", "-1"),
    },
    "two doubles": {"x": space("DOUBLE", "0", "1"), "y": space("DOUBLE", "0", "1")},
    "one choice": {"only": space("CATEGORICAL", "a", "b", "c", "d", "e")},
}
SEED = {"random_state": "71"}
ALGORITHMS = {
    "random": SEED,
    "tpe": {**SEED, "gamma": "0.25", "prior_weight": "1.0", "n_EI_candidates": "24"},
    "multivariate-tpe": {**SEED, "n_startup_trials": "20", "n_ei_candidates": "10"},
    "bayesianoptimization": {**SEED, "n_initial_points": "1", "acq_func": "EI"},
    "sobol": {},
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_two_are_asked_told_and_asked_again(client: Client, algorithm: str, shape: str) -> None:
    parameters = SHAPES[shape]
    controller = Controller(client, experiment(algorithm, ALGORITHMS[algorithm], parameters))
    first = controller.begin(2)
    controller.end(0, 5643.0)
    controller.end(1, 3028.0)
    second = controller.begin(2)
    answers = [values(one) for one in (*first, *second)]
    assert all(list(one) == list(parameters) for one in answers)
    assert len({tuple(one.values()) for one in answers}) == 4


@pytest.mark.parametrize(
    ("algorithm", "given", "parameters"),
    [
        ("cmaes", {**SEED, "restart_strategy": "ipop", "sigma": "0.1"}, SHAPES["two doubles"]),
        ("grid", SEED, STEPPED),
        ("halton", {}, MIXED),
    ],
)
def test_algorithms_with_demands_on_the_space(
    client: Client, algorithm: str, given: dict[str, str], parameters: dict[str, dict[str, object]]
) -> None:
    controller = Controller(client, experiment(algorithm, given, parameters))
    controller.begin(2)
    controller.end(0, 1.0)
    controller.end(1, 2.0)
    controller.begin(2)
    assert len({tuple(values(one).values()) for one in controller.answers}) == 4


@pytest.mark.parametrize("algorithm", ["tpe", "multivariate-tpe", "bayesianoptimization", "random"])
def test_trials_that_know_only_some_of_the_parameters(client: Client, algorithm: str) -> None:
    known = {"param-1": "2", "param-2": "cat1", "param-3": "2", "param-4": "3.44", "gone": "1"}
    trials = [
        trial("test-asfjh", known, "5643", condition="CREATED"),
        trial("test-234hs", {**known, "param-2": "no-cat", "param-1": "x"}, "3028"),
    ]
    parameters = {**MIXED, "param-5": space("DOUBLE", "1", "5", step="0.5", **LOG)}
    answers = client.suggestions(ask(experiment(algorithm, SEED, parameters), trials))
    assert [list(values(one)) for one in answers] == [list(parameters)] * 2


@pytest.mark.parametrize(
    ("algorithm", "given"),
    [
        ("tpe", {"n_startup_trials": "5", "n_ei_candidates": "24", "random_state": "1"}),
        ("tpe", {"gamma": "0.25", "prior_weight": "1.0", "n_EI_candidates": "24"}),
        ("multivariate-tpe", {"n_startup_trials": "5", "random_state": "1"}),
        ("cmaes", {"restart_strategy": "ipop", "sigma": "0.1", "random_state": "10"}),
        ("random", {"random_state": "10"}),
        ("bayesianoptimization", {"base_estimator": "GP", "random_state": "10"}),
        ("bayesianoptimization", {"acq_optimizer": "lbfgs", "n_initial_points": "0"}),
        ("sobol", {}),
    ],
)
def test_settings_that_are_accepted(client: Client, algorithm: str, given: dict[str, str]) -> None:
    of = experiment(algorithm, given, SHAPES["two doubles"], max_trial_count=100)
    request = katib_pb.ValidateAlgorithmSettingsRequest(experiment=of)
    reply = client("ValidateAlgorithmSettings", request)
    assert reply == katib_pb.ValidateAlgorithmSettingsReply()


def test_settings_are_accepted_before_anything_else_is_said(client: Client) -> None:
    of = katib_pb.Experiment(spec=katib_pb.ExperimentSpec(algorithm={"algorithm_name": "tpe"}))
    request = katib_pb.ValidateAlgorithmSettingsRequest(experiment=of)
    reply = client("ValidateAlgorithmSettings", request)
    assert reply == katib_pb.ValidateAlgorithmSettingsReply()


@pytest.mark.parametrize(
    ("algorithm", "given", "said"),
    [
        ("invalid", {}, "'invalid' is no search algorithm"),
        ("tpe", {"invalid": "5"}, "'invalid' is no setting of 'tpe'"),
        ("tpe", {"n_startup_trials": "-1"}, "n_startup_trials is '-1'"),
        ("tpe", {"n_ei_candidate": "-1"}, "did you mean 'n_ei_candidates'?"),
        ("tpe", {"random_state": "-1"}, "random_state is '-1'; must be an integer of at least 0"),
        ("tpe", {"gamma": "1.5"}, "gamma is '1.5'"),
        ("tpe", {"n_EI_candidates": "0"}, "n_EI_candidates is '0'"),
        ("tpe", {"prior_weight": "aaa"}, "prior_weight is 'aaa'"),
        ("cmaes", {"invalid": "invalid", "sigma": "0.1"}, "'invalid' is no setting of 'cmaes'"),
        ("cmaes", {"restart_strategy": "invalid"}, "restart_strategy is 'invalid'"),
        ("cmaes", {"sigma": "-10"}, "sigma is '-10'"),
        ("cmaes", {"random_state": "-20"}, "random_state is '-20'"),
        ("random", {"invalid": "invalid"}, "'invalid' is no setting of 'random'"),
        ("random", {"random_state": "-1"}, "random_state is '-1'"),
        ("grid", {"invalid": "invalid"}, "'invalid' is no setting of 'grid'"),
        ("grid", {"random_state": "-1"}, "random_state is '-1'"),
        ("bayesianoptimization", {"unknown_conf": "1111"}, "'unknown_conf' is no setting"),
        ("bayesianoptimization", {"base_estimator": "unknown"}, "base_estimator is 'unknown'"),
        ("bayesianoptimization", {"n_initial_points": "-1"}, "n_initial_points is '-1'"),
        ("bayesianoptimization", {"acq_func": "unknown"}, "acq_func is 'unknown'"),
        ("bayesianoptimization", {"acq_optimizer": "unknown"}, "acq_optimizer is 'unknown'"),
        ("bayesianoptimization", {"random_state": "-1"}, "random_state is '-1'"),
    ],
)
def test_settings_that_are_refused(
    client: Client, algorithm: str, given: dict[str, str], said: str
) -> None:
    of = experiment(algorithm, given, SHAPES["two doubles"])
    asked = katib_pb.ValidateAlgorithmSettingsRequest(experiment=of)
    code, reason = client.refusal("ValidateAlgorithmSettings", asked)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert said in reason


@pytest.mark.parametrize(
    ("algorithm", "parameters", "most", "said"),
    [
        ("grid", {"x": space("DOUBLE", "1", "5")}, 5, "step"),
        (
            "grid",
            {"n": space("INT", "1", "5"), "x": space("DOUBLE", "1", "5", step="1")},
            26,
            "spec.maxTrialCount: is 26; the grid has 25 points only",
        ),
        ("random", {"x": space("DOUBLE", "5", "1")}, 5, "spec.parameters[0].feasibleSpace.min"),
        ("random", {"x": space("UNKNOWN_TYPE", "1", "5")}, 5, "spec.parameters[0].parameterType"),
        ("random", {"x": space("DOUBLE", "one", "5")}, 5, "found 'one'; a number is needed"),
    ],
)
def test_spaces_that_are_refused(
    client: Client, algorithm: str, parameters: dict[str, dict[str, object]], most: int, said: str
) -> None:
    of = experiment(algorithm, {}, parameters, max_trial_count=most)
    asked = katib_pb.ValidateAlgorithmSettingsRequest(experiment=of)
    code, reason = client.refusal("ValidateAlgorithmSettings", asked)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert said in reason


def test_every_problem_is_said_at_once(client: Client) -> None:
    of = experiment("tpe", {"gamma": "2", "seed": "1"}, {"x": space("DOUBLE", "5", "1")})
    asked = katib_pb.ValidateAlgorithmSettingsRequest(experiment=of)
    _, reason = client.refusal("ValidateAlgorithmSettings", asked)
    assert len(reason.splitlines()) == 3


def test_parameters_and_architectures_are_not_searched_at_once(client: Client) -> None:
    of = experiment("random", {}, MIXED, nas_config={"graph_config": {"num_layers": 3}})
    code, reason = client.refusal("GetSuggestions", ask(of))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "has both parameters and nasConfig" in reason


def test_a_search_of_architectures_is_handed_to_the_trials(client: Client) -> None:
    size = {"name": "filter_size", **space("CATEGORICAL", "3", "5")}
    operation = {
        "operation_type": "separable_convolution",
        "parameter_specs": {"parameters": [size]},
    }
    architectures = {
        "graph_config": {"num_layers": 3, "input_sizes": [32, 32, 3], "output_sizes": [10]},
        "operations": {"operation": [operation]},
    }
    of = experiment("darts", {"num_epochs": "3"}, nas_config=architectures, max_trial_count=2)
    controller = Controller(client, of)
    controller.begin(1)
    controller.end(0, 0.5)
    (second,) = controller.begin(1)
    found = values(second)
    assert found["num-layers"] == "3"
    expected = "['separable_convolution_3x3', 'separable_convolution_5x5']"
    assert found["search-space"] == expected
    assert "'num_epochs': '3'" in found["algorithm-settings"]


@pytest.mark.parametrize("algorithm", ["random", "tpe", "bayesianoptimization", "sobol"])
def test_a_restart_changes_nothing(serve: Serve, algorithm: str) -> None:
    of = experiment(algorithm, {}, MIXED)
    before, after = Client(serve(suggestion_service())), Client(serve(suggestion_service()))
    controller = Controller(before, of)
    for number in range(12):
        assert after.suggestions(controller.request(2)) == before.suggestions(controller.request(2))
        controller.begin(1)
        controller.end(number, float(number % 5))


def test_trials_are_known_by_their_labels_in_whatever_order_they_come(client: Client) -> None:
    controller = Controller(client, experiment("tpe", SEED, MIXED))
    for number in range(12):
        controller.begin(1)
        controller.end(number, float(number))
    expected = client.suggestions(controller.request(3))
    controller.trials.reverse()
    assert client.suggestions(controller.request(3)) == expected


def test_trials_without_labels_are_told_apart_by_start_and_name(client: Client) -> None:
    of = experiment("tpe", SEED, MIXED)
    starts = ["2026-01-01T00:00:01Z", "2026-01-01T00:00:00Z", ""]
    trials = [
        trial(f"test-{name}", {"param-1": str(number)}, str(number), start=start)
        for number, (name, start) in enumerate(zip("bca", starts, strict=True), 1)
    ]
    expected = client.suggestions(ask(of, trials))
    assert client.suggestions(ask(of, trials[::-1])) == expected
    assert [one.labels["hpolab.dev/number"] for one in expected] == ["3", "4"]


def test_a_later_request_is_answered_otherwise_even_if_trials_are_held_back(
    client: Client,
) -> None:
    # Katib does not send trials whose metrics are unavailable.
    of = experiment("random", SEED, MIXED)
    first = client.suggestions(ask(of, [], 1, 1))
    second = client.suggestions(ask(of, [], 1, 2))
    assert values(first[0]) != values(second[0])


def test_the_name_seeds_what_nothing_else_does(client: Client) -> None:
    here, there = experiment("random", {}, MIXED), experiment("random", {}, MIXED)
    there.name = "other"
    assert client.suggestions(ask(here)) != client.suggestions(ask(there))


@pytest.mark.parametrize("algorithm", ["random", "tpe", "multivariate-tpe", "grid"])
def test_no_assignment_of_a_finite_space_is_given_twice(client: Client, algorithm: str) -> None:
    space_of_24 = {
        "n": space("INT", "1", "4"),
        "c": space("CATEGORICAL", "a", "b", "c"),
        "d": space("DISCRETE", "0.1", "10"),
    }
    controller = Controller(client, experiment(algorithm, {}, space_of_24))
    for batch in range(4):
        controller.begin(6)
        for number in range(batch * 6, batch * 6 + 6):
            controller.end(number, float(number % 7))
    assert len({tuple(values(one).values()) for one in controller.answers}) == 24
    code, reason = client.refusal("GetSuggestions", controller.request(1))
    assert code is grpc.StatusCode.OUT_OF_RANGE
    assert "set spec.maxTrialCount to 24" in reason


def test_an_experiment_that_is_longer_than_its_space_comes_to_its_end(client: Client) -> None:
    of = experiment("random", {}, {"c": space("CATEGORICAL", "a", "b")}, max_trial_count=5)
    controller = Controller(client, of)
    controller.begin(5)
    found = [values(one)["c"] for one in controller.answers]
    assert sorted(found[:2]) == ["a", "b"] and set(found) == {"a", "b"}


def test_values_are_written_as_they_are_typed(client: Client) -> None:
    parameters = {
        "int": space("INT", "1", "1"),
        "double": space("DOUBLE", "1", "1"),
        "discrete": space("DISCRETE", "16"),
        "padded": space("DISCRETE", "0.50"),
        "number-like": space("CATEGORICAL", "1e3"),
        "true-like": space("CATEGORICAL", "true"),
    }
    (answer,) = client.suggestions(ask(experiment("random", {}, parameters), count=1))
    assert values(answer) == {
        "int": "1",
        "double": "1.0",
        "discrete": "16",
        "padded": "0.50",
        "number-like": "1e3",
        "true-like": "true",
    }


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    low=st.integers(-50, 50),
    width=st.integers(0, 40),
    step=st.integers(1, 7),
    count=st.integers(1, 5),
)
def test_integers_are_integers_of_the_space(
    client: Client, low: int, width: int, step: int, count: int
) -> None:
    parameters = {"n": space("INT", str(low), str(low + width), step=str(step))}
    of = experiment("random", {}, parameters, max_trial_count=10)
    allowed = {str(low + k * step) for k in range(width // step + 1)}
    assert {values(one)["n"] for one in client.suggestions(ask(of, count=count))} <= allowed


def test_results_that_are_no_numbers_are_taken_for_none(client: Client) -> None:
    of = experiment("tpe", {**SEED, "n_startup_trials": "1"}, MIXED)
    answers = []
    for nothing in ("nan", "inf", "unavailable", None):
        controller = Controller(client, of)
        for number in range(3):
            controller.begin(1)
            controller.end(number, float(number))
        metrics = controller.trials[2].status.observation.metrics
        del metrics[:]
        if nothing is not None:
            metrics.add(name=METRIC, value=nothing)
        answers.append([values(answer) for answer in controller.begin(2)])
    assert answers == [answers[-1]] * 4
    measured = Controller(client, of)
    for number in range(3):
        measured.begin(1)
        measured.end(number, float(number))
    assert [values(answer) for answer in measured.begin(2)] != answers[-1]


def test_the_objective_is_the_one_that_trials_name() -> None:
    spec = read_spec(experiment("random", {}, MIXED), [trial("one", {}, "1")])
    assert spec.objective.objective_metric_name == METRIC
