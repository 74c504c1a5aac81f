"""The wire, the probes, and what else lives in the same process."""

from __future__ import annotations

import base64
import socket

import grpc
import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from hpo_lab.katib_api import health_pb, katib_pb
from hpo_lab.katib_api.rpc import RpcRefused, call, serving
from hpo_lab.katib_api.suggestion import suggestion_service
from tests.katib_api.asking import Client, ask, experiment, space, trial

# Written by kubeflow-katib 0.19.0 (`katib_api_pb2`), every field of the request set.
BY_KATIB = (
    "3W)&<0c8?{0SYV%8wvt!au5L;6AA+`E-?}WFfK4LA_OolFfk|s3JnSYZx93;1{wij8UbPw76<|n&CJZq%*^aR8UtZt"
    "V<H4>Z*y}R7zzV)aAgt^3Jh{#Ze(w5UvqR}bY&6&F(Mrb3T<U%X<=@2bZ>AH4+;u%bYXIIUvqS2a1sGEC;~7H5`GE="
    "Wi4T1V-hzK2M7Wh17Txh8Wai&3Ic3$5(F?VFf|GW3IT5t0b(K+3K3{<Z){;=E@WkPFK%^hVr6m?0Wcao3KTLhGBzzR"
    "F)c7MR4_9-Ff=+aHChrBGB7eWEif@HFfvpyGdeIeIxsa_7zQE?3JMAXVPj(w128T(AOa`@"
)


def test_requests_are_those_of_katib() -> None:
    parameters = {
        "lr": space("DOUBLE", "0.01", "0.1", step="0.01", distribution="LOG_UNIFORM"),
        "o": space("CATEGORICAL", "a", "b"),
    }
    stopping = {
        "algorithm_name": "medianstop",
        "algorithm_settings": [{"name": "start_step", "value": "5"}],
    }
    of = experiment("tpe", {"random_state": "1"}, parameters, early_stopping=stopping)
    of.name, of.spec.parallel_trial_count, of.spec.max_trial_count = "e", 2, 12
    of.spec.objective.objective_metric_name = "acc"
    of.spec.objective.additional_metric_names.append("loss")
    stopped = trial(
        "e-abc", {"lr": "0.05", "o": "b"}, condition="EARLYSTOPPED", start="2026-01-02T03:04:05Z"
    )
    stopped.spec.objective.goal = 0
    stopped.spec.objective.objective_metric_name = "acc"
    stopped.spec.labels["hpolab.dev/number"] = "0"
    stopped.status.completion_time = "2026-01-02T03:05:05Z"
    stopped.status.observation.metrics.add(name="acc", value="0.7")

    sent = ask(of, [stopped], 2, 3)

    assert katib_pb.GetSuggestionsRequest.FromString(base64.b85decode(BY_KATIB)) == sent
    assert sent.SerializeToString(deterministic=True) == base64.b85decode(BY_KATIB)


def test_the_definitions_of_katibs_own_sdk_may_be_in_the_same_process() -> None:
    theirs = FileDescriptorProto(name="api.proto", package="api.v1.beta1", syntax="proto3")
    theirs.message_type.add(name="Experiment")
    descriptor_pool.Default().AddSerializedFile(theirs.SerializeToString())
    assert katib_pb.Experiment(name="ours").name == "ours"


@pytest.mark.parametrize("service", ["", "manager.v1beta1.Suggestion", "api.v1.beta1.Suggestion"])
def test_probes_find_the_service(client: Client, service: str) -> None:
    health = Client(client.address, "grpc.health.v1.Health")
    reply = health("Check", health_pb.HealthCheckRequest(service=service))
    assert reply.status == health_pb.HealthCheckResponse.SERVING


def test_probes_for_another_service_fail(client: Client) -> None:
    health = Client(client.address, "grpc.health.v1.Health")
    code, _ = health.refusal("Check", health_pb.HealthCheckRequest(service="mail"))
    assert code is grpc.StatusCode.NOT_FOUND


def test_a_request_may_be_larger_than_grpc_takes_by_default(client: Client) -> None:
    space_of_one = {"x": space("DOUBLE", "0", "1")}
    trials = [trial(f"test-{n}", {"x": "0.5", "y": "a" * 1000}, "1") for n in range(5000)]
    request = ask(experiment("random", {}, space_of_one), trials)
    assert request.ByteSize() > 4 * 2**20
    assert len(client.suggestions(request)) == 2


def test_a_port_in_use_is_said() -> None:
    with (
        serving(suggestion_service(), "127.0.0.1:0") as port,
        pytest.raises(OSError, match=f"127.0.0.1:{port} cannot be used"),
        serving(suggestion_service(), f"127.0.0.1:{port}"),
    ):
        raise AssertionError("unreachable")


def test_nobody_there_and_nobody_answering_differ() -> None:
    request = ask(experiment("random"))
    method = ("api.v1.beta1.Suggestion", "GetSuggestions", request)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(RpcRefused) as refused:
            call(address, *method, timeout=5)
        assert refused.value.code is grpc.StatusCode.UNAVAILABLE
        silent.listen()
        with pytest.raises(RpcRefused) as refused:
            call(address, *method, timeout=0.3)
        assert refused.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
