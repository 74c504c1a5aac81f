"""Algorithms that go on with earlier trials: Hyperband's rungs and PBT's generations."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import grpc
import pytest

from hpo_lab.katib_api import katib_pb
from hpo_lab.katib_api.rpc import RpcRefused
from hpo_lab.katib_api.suggestion import suggestion_service
from tests.katib_api.asking import MIXED, Client, Controller, ask, experiment, space, values
from tests.katib_api.conftest import Serve

HYPERBAND = {"resource_name": "epochs", "r_l": "9", "eta": "3", "random_state": "1"}
WITH_EPOCHS = {**MIXED, "epochs": space("INT", "1", "9")}
PBT = {
    "suggestion_trial_dir": "/checkpoints",
    "n_population": "5",
    "truncation_threshold": "0.4",
    "random_state": "1",
}
LEARNED = {"lr": space("DOUBLE", "0.001", "0.1"), "batch": space("DISCRETE", "16", "32", "64")}


@pytest.mark.parametrize("parallel", [1, 3, 9])
def test_hyperband_reaches_its_last_rung(client: Client, parallel: int) -> None:
    of = experiment("hyperband", HYPERBAND, WITH_EPOCHS, max_trial_count=22)
    controller = Controller(client, of)
    ended = 0
    while ended < 22:
        wanted = min(parallel, 22 - ended) - (len(controller.trials) - ended)
        try:
            controller.begin(wanted)
        except RpcRefused as refused:
            # Katib goes on asking; meanwhile a trial ends.
            assert refused.code is grpc.StatusCode.UNAVAILABLE
        assert len(controller.trials) > ended
        controller.end(ended, float(ended * 7 % 11))
        ended += 1
    epochs = Counter(values(one)["epochs"] for one in controller.answers)
    # Brackets of 9, 3 and 1; of 5 and 1; and of 3 trials.
    assert epochs == {"1": 9, "3": 8, "9": 5}
    promoted = [one for one in controller.answers if "hpolab.dev/parent" in one.labels]
    for one in promoted:
        parent = values(controller.answers[int(one.labels["hpolab.dev/parent"])])
        assert {**parent, "epochs": ""} == {**values(one), "epochs": ""}
        assert int(values(one)["epochs"]) == 3 * int(parent["epochs"])


def test_hyperband_goes_on_when_trials_fail_or_are_not_sent(client: Client) -> None:
    of = experiment("hyperband", HYPERBAND, WITH_EPOCHS, max_trial_count=30)
    controller = Controller(client, of)
    controller.begin(9)
    for number in range(9):
        controller.end(number, float(number), "FAILED" if number == 8 else "SUCCEEDED")
    # A trial without metrics is one that Katib does not send.
    missing = controller.trials.pop(0)
    assert missing.spec.labels["hpolab.dev/number"] == "0"
    request = ask(of, controller.trials, 4, 13)
    answers = client.suggestions(request)
    assert answers == client.suggestions(request)
    assert len({one.labels["hpolab.dev/number"] for one in answers}) == 4


def test_settings_of_hyperband_and_pbt(client: Client) -> None:
    def validate(algorithm: str, given: dict[str, str]) -> katib_pb.ValidateAlgorithmSettingsReply:
        of = experiment(algorithm, given, WITH_EPOCHS)
        asked = katib_pb.ValidateAlgorithmSettingsRequest(experiment=of)
        return client("ValidateAlgorithmSettings", asked)

    validate("hyperband", HYPERBAND)
    # Katib's own example has a range that it never looks at.
    narrow = experiment("hyperband", HYPERBAND, {**MIXED, "epochs": space("INT", "1", "1")})
    client(
        "ValidateAlgorithmSettings",
        katib_pb.ValidateAlgorithmSettingsRequest(experiment=narrow),
    )
    validate("pbt", PBT)
    validate("pbt", {**PBT, "resample_probability": "0.5"})
    validate("pbt", {**PBT, "resample_probability": "null"})
    for algorithm, given, said in (
        ("hyperband", {"r_l": "9"}, "resource_name"),
        ("hyperband", {**HYPERBAND, "resource_name": "--num-epochs"}, "--num-epochs"),
        ("hyperband", {**HYPERBAND, "r_l": "-1"}, "r_l is '-1'"),
        ("pbt", {**PBT, "n_population": "4"}, "n_population is '4'"),
        ("pbt", {**PBT, "truncation_threshold": "1.1"}, "truncation_threshold is '1.1'"),
        ("pbt", {**PBT, "resample_probability": "1.5"}, "resample_probability is '1.5'"),
    ):
        with pytest.raises(RpcRefused, match=said) as refused:
            validate(algorithm, given)
        assert refused.value.code is grpc.StatusCode.INVALID_ARGUMENT


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    volume = tmp_path / "data"
    volume.mkdir()
    return volume


def test_generations_go_on_from_the_checkpoints_of_their_parents(
    serve: Serve, volume: Path
) -> None:
    # A service of its own for every request: nothing but the volume and Katib remembers.
    of = experiment("pbt", PBT, LEARNED, max_trial_count=20)
    controller = Controller(Client(serve(suggestion_service(volume))), of)
    lineages: list[str] = []
    for number in range(20):
        controller.client = Client(serve(suggestion_service(volume)))
        (answer,) = controller.begin(1)
        checkpoint = volume / "test" / controller.trials[number].name / "lineage"
        parent = answer.labels.get("hpolab.dev/parent")
        inherited = checkpoint.read_text() if checkpoint.exists() else ""
        assert inherited == (lineages[int(parent)] if parent else "")
        lineages.append(f"{inherited} {number}")
        checkpoint.write_text(lineages[number])
        controller.end(number, float(values(answer)["lr"]))
    generations = [int(one.labels["hpolab.dev/generation"]) for one in controller.answers]
    assert generations == [0] * 5 + [1] * 5 + [2] * 5 + [3] * 5


def test_a_repeated_request_makes_the_same_folders(serve: Serve, volume: Path) -> None:
    client = Client(serve(suggestion_service(volume)))
    of = experiment("pbt", PBT, LEARNED)
    first = client.suggestions(ask(of, count=3, total=3))
    (volume / "test" / first[0].trial_name / "half-written").touch()
    assert client.suggestions(ask(of, count=3, total=3)) == first
    assert sorted(one.name for one in (volume / "test").iterdir()) == ["test-0", "test-1", "test-2"]
    assert not list((volume / "test" / "test-0").iterdir())


def test_more_trials_at_once_than_members_go_on(client: Client) -> None:
    of = experiment("pbt", {"n_population": "5"}, LEARNED, max_trial_count=20)
    controller = Controller(client, of)
    members = [one.labels.get("hpolab.dev/member") for one in controller.begin(8)]
    assert members == ["0", "1", "2", "3", "4", None, None, None]
    for number in range(8):
        controller.end(number, float(number))
    assert {one.labels["hpolab.dev/generation"] for one in controller.begin(5)} == {"1"}


def test_links_in_a_checkpoint_lead_nowhere_else(serve: Serve, volume: Path) -> None:
    secret = volume.parent / "token"
    secret.write_text("secret")
    of = experiment("pbt", PBT, LEARNED, max_trial_count=20)
    controller = Controller(Client(serve(suggestion_service(volume))), of)
    for number in range(5):
        controller.begin(1)
        (volume / "test" / controller.trials[number].name / "model").symlink_to(secret)
        controller.end(number, 1.0)
    (answer,) = controller.begin(1)
    assert "hpolab.dev/parent" in answer.labels
    assert (volume / "test" / answer.trial_name / "model").readlink() == secret


def test_without_the_volume_it_is_said_what_is_missing(serve: Serve, tmp_path: Path) -> None:
    client = Client(serve(suggestion_service(tmp_path / "nowhere")))
    code, reason = client.refusal("GetSuggestions", ask(experiment("pbt", PBT, LEARNED)))
    assert code is grpc.StatusCode.FAILED_PRECONDITION
    assert "FromVolume" in reason
