"""What a request may cost, and that no request holds up another."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import grpc
import psutil
import pytest

from hpo_lab.katib_api import health_pb, katib_pb
from hpo_lab.katib_api.apart import suggestions_apart
from hpo_lab.katib_api.checkpoints import carry_checkpoints
from hpo_lab.katib_api.rpc import RpcRefused, serving
from hpo_lab.problems import InvalidInput
from tests.katib_api.asking import Answer, Client, ask, experiment, space, trial

ONE = {"x": space("DOUBLE", "0", "1")}
CHEAP = ask(experiment("random", {}, ONE))
# Each suggestion weighs a million candidates.
COSTLY = ask(
    experiment("tpe", {"n_startup_trials": "2", "n_ei_candidates": "1000000"}, ONE),
    [trial(f"t-{n}", {"x": str(n / 20)}, str(n)) for n in range(20)],
    10_000,
    10_020,
)


@pytest.fixture(scope="module")
def apart() -> Iterator[Client]:
    with suggestions_apart(seconds=8) as services, serving(services, "127.0.0.1:0") as port:
        yield Client(f"127.0.0.1:{port}")


def workers() -> list[psutil.Process]:
    processes = []
    for each in psutil.Process().children():
        # Other tests may have left a process that has ended and was not waited for.
        with suppress(psutil.Error):
            if "katib_api.apart" in str(each.cmdline()):
                processes.append(each)
    return processes


def test_answers_are_those_of_the_same_process(apart: Client, client: Client) -> None:
    for request in (CHEAP, ask(experiment("tpe", {}, ONE), [], 3, 3)):
        assert apart.suggestions(request) == client.suggestions(request)


def test_a_refusal_is_that_of_the_same_process(apart: Client, client: Client) -> None:
    request = ask(experiment("grit", {}, ONE))
    assert apart.refusal("GetSuggestions", request) == client.refusal("GetSuggestions", request)


def test_costly_requests_hold_up_neither_others_nor_probes(apart: Client) -> None:
    refusals: list[grpc.StatusCode] = []

    def costly() -> None:
        refusals.append(apart.refusal("GetSuggestions", COSTLY)[0])

    threads = [threading.Thread(target=costly) for _ in range(3)]
    for thread in threads:
        thread.start()
    while len(workers()) < 3:
        time.sleep(0.05)
    assert len(apart.suggestions(CHEAP)) == 2
    health = Client(apart.address, "grpc.health.v1.Health")
    assert health("Check", health_pb.HealthCheckRequest()).status
    assert not refusals
    for thread in threads:
        thread.join(60)
    assert refusals == [grpc.StatusCode.DEADLINE_EXCEEDED] * 3
    assert len(workers()) <= 1


def test_more_requests_than_can_wait_are_refused_at_once() -> None:
    answers: list[tuple[grpc.StatusCode, str]] = []
    with suggestions_apart() as services, serving(services, "127.0.0.1:0") as port:
        client = Client(f"127.0.0.1:{port}")
        threads = [
            threading.Thread(
                target=lambda: answers.append(client.refusal("GetSuggestions", COSTLY))
            )
            for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        while len(answers) < 12:
            time.sleep(0.05)
        reason = "8 requests are being answered; ask again"
        assert {*answers} == {(grpc.StatusCode.RESOURCE_EXHAUSTED, reason)}
        health = Client(client.address, "grpc.health.v1.Health")
        assert health("Check", health_pb.HealthCheckRequest()).status
    for thread in threads:
        thread.join(30)
    assert len(answers) == 20


def test_a_killed_search_is_that_of_its_request_alone(apart: Client) -> None:
    apart.suggestions(CHEAP)
    for worker in workers():
        os.kill(worker.pid, signal.SIGSTOP)
    refusals: list[tuple[grpc.StatusCode, str]] = []
    asking = threading.Thread(
        target=lambda: refusals.append(apart.refusal("GetSuggestions", CHEAP))
    )
    asking.start()
    time.sleep(0.5)
    for worker in workers():
        with suppress(psutil.Error):
            worker.kill()
    asking.join(60)
    code, reason = refusals[0]
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED and "too much memory" in reason
    assert len(apart.suggestions(CHEAP)) == 2


def test_a_worker_that_was_killed_while_idle_is_replaced(apart: Client) -> None:
    apart.suggestions(CHEAP)
    for worker in workers():
        worker.kill()
        worker.wait(30)
    assert len(apart.suggestions(CHEAP)) == 2


def test_workers_end_with_the_service() -> None:
    before = {each.pid for each in workers()}
    with suggestions_apart() as services, serving(services, "127.0.0.1:0") as port:
        client = Client(f"127.0.0.1:{port}")
        refusals: list[grpc.StatusCode] = []

        def costly() -> None:
            with pytest.raises(RpcRefused) as refused:
                client("GetSuggestions", COSTLY)
            refusals.append(refused.value.code)

        asking = threading.Thread(target=costly)
        asking.start()
        time.sleep(1)
    asking.join(30)
    assert len(refusals) == 1
    assert {each.pid for each in workers()} <= before


def test_a_message_of_more_than_64_mib_is_refused(client: Client) -> None:
    trials = [trial(f"t-{n}", {"x": "0.5", "y": "a" * 2**20}, "1") for n in range(66)]
    code, details = client.refusal("GetSuggestions", ask(experiment("random", {}, ONE), trials))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in details
    assert len(client.suggestions(CHEAP)) == 2


@pytest.mark.parametrize(
    ("field", "number", "message"),
    [
        ("current_request_number", -1, "current_request_number: is -1; allowed are 0 to 10000"),
        ("current_request_number", 2**31 - 1, "allowed are 0 to 10000"),
        ("total_request_number", -5, "total_request_number: is -5; allowed are 0 to 1000000"),
        ("total_request_number", 2**31 - 1, "is 2147483647; allowed are 0 to 1000000"),
        ("parallel_trial_count", -1, "spec.parallel_trial_count: is -1"),
        ("max_trial_count", -1, "spec.max_trial_count: is -1"),
    ],
)
def test_numbers_out_of_range(client: Client, field: str, number: int, message: str) -> None:
    request = ask(experiment("random", {}, ONE))
    owner = request if "request" in field else request.experiment.spec
    setattr(owner, field, number)
    code, details = client.refusal("GetSuggestions", request)
    assert code is grpc.StatusCode.INVALID_ARGUMENT and message in details


@pytest.mark.parametrize("label", ["1" * 7, "9" * 5000])
def test_a_trial_numbered_beyond_all_numbers(client: Client, label: str) -> None:
    of = trial("t-1", {"x": "0.5"}, "1")
    of.spec.labels["hpolab.dev/number"] = label
    code, details = client.refusal("GetSuggestions", ask(experiment("random", {}, ONE), [of]))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "allowed are 6 digits" in details and len(details) < 200


def test_a_condition_that_there_is_not(client: Client) -> None:
    of = trial("t-1", {"x": "0.5"}, "1")
    of.status.condition = 99
    code, details = client.refusal("GetSuggestions", ask(experiment("random", {}, ONE), [of]))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details == "trial t-1: has the condition 99, which there is not"


@pytest.mark.parametrize("name", ["../outside", "/outside", "a/../../outside", ""])
def test_no_name_leads_out_of_the_volume(tmp_path: Path, name: str) -> None:
    data, outside = tmp_path / "data", tmp_path / "outside"
    data.mkdir()
    outside.mkdir()
    (outside / "thesis").touch()
    parent = katib_pb.Trial(name=name)
    parent.spec.labels["hpolab.dev/number"] = "0"
    answer = Answer(trial_name="e-1", labels={"hpolab.dev/parent": "0"})
    with pytest.raises(InvalidInput, match="is no name of Kubernetes"):
        carry_checkpoints("e", [parent], [answer], data)
    with pytest.raises(InvalidInput, match="is no name of Kubernetes"):
        carry_checkpoints(name, [], [Answer(trial_name="outside")], data)
    assert (outside / "thesis").exists() and not [*data.iterdir()]


def test_several_processes_carry_the_same_checkpoints(tmp_path: Path) -> None:
    parent = tmp_path / "e" / "e-0"
    parent.mkdir(parents=True)
    for number in range(300):
        (parent / f"{number}").write_text(str(number))
    code = (
        "import sys, pathlib\n"
        "from hpo_lab.katib_api import katib_pb\n"
        "from hpo_lab.katib_api.checkpoints import carry_checkpoints\n"
        "parent = katib_pb.Trial(name='e-0')\n"
        "parent.spec.labels['hpolab.dev/number'] = '0'\n"
        "answer = katib_pb.GetSuggestionsReply.ParameterAssignments(\n"
        "    trial_name='e-1', labels={'hpolab.dev/parent': '0'})\n"
        "for _ in range(20):\n"
        "    carry_checkpoints('e', [parent], [answer], pathlib.Path(sys.argv[1]))\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    copied = {path.name: path.read_text() for path in (tmp_path / "e" / "e-1").iterdir()}
    assert copied == {str(number): str(number) for number in range(300)}
