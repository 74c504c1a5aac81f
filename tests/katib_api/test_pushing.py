"""Metrics that a trial pushes to Katib's DB manager."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import grpc
import pytest

from hpo_lab.katib_api import katib_pb
from hpo_lab.katib_api.observation_logs import DB_MANAGER, ObservationLogs, reported_values
from hpo_lab.katib_api.pushing import pushed
from tests.katib_api.asking import Client
from tests.katib_api.conftest import Serve

# What `kubeflow.katib.report_metrics` does, after it has found out its namespace.
REPORT = """
import sys, grpc
from hpo_lab.katib_api import katib_pb
channel = grpc.insecure_channel(sys.argv[1])
report = channel.unary_unary(
    "/api.v1.beta1.DBManager/ReportObservationLog",
    request_serializer=katib_pb.ReportObservationLogRequest.SerializeToString,
    response_deserializer=katib_pb.ReportObservationLogReply.FromString,
)
logs = [
    {"time_stamp": "2026-01-01T00:00:00Z", "metric": dict(zip(("name", "value"), one.split("=")))}
    for one in sys.argv[3:]
]
report(
    katib_pb.ReportObservationLogRequest(
        trial_name=sys.argv[2], observation_log={"metric_logs": logs}
    ),
    timeout=20,
)
"""
KATIB = "katib-db-manager.kubeflow:6789"


def report(env: Mapping[str, str], *arguments: str) -> None:
    words = [sys.executable, "-c", REPORT, *arguments]
    subprocess.run(words, env={**os.environ, **env}, check=True, timeout=60)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_what_is_pushed_to_katib_gets_into_the_metrics_file(tmp_path: Path) -> None:
    metrics = tmp_path / "metrics.jsonl"
    with pushed("t-1", metrics) as env:
        report(env, KATIB, "t-1", "acc=0.5", "loss=nan", "note=best")
        report(env, KATIB, "t-2", "acc=0.75")
        report(env, KATIB, "t-1", "acc=0.625")
    found = lines(metrics)
    assert [one["metrics"] for one in found] == [
        {"acc": 0.5},
        {"loss": "nan"},
        {"note": "best"},
        {"acc": 0.625},
    ]
    assert found[0]["time"] == 1767225600.0


def test_other_services_are_reached_as_before(tmp_path: Path, serve: Serve) -> None:
    seen: list[str] = []
    address = serve(ObservationLogs(lambda trial, found: seen.append(trial)).services)
    with pushed("t-1", tmp_path / "metrics.jsonl") as env:
        report(env, address, "local")
        # By its other name the machine is not exempt from the proxy.
        report({**env, "no_grpc_proxy": ""}, address, "through the proxy")
    assert seen == ["local", "through the proxy"]


def listening_ports() -> list[int]:
    """The TCP ports at which this process listens."""
    own = set()
    for path in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            own.add(str(path.readlink()))
    lines = Path("/proc/self/net/tcp").read_text().splitlines()[1:]
    return sorted(
        int(words[1].rpartition(":")[2], 16)
        for words in map(str.split, lines)
        if words[3] == "0A" and f"socket:[{words[9]}]" in own
    )


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="reads /proc")
def test_another_user_of_this_machine_can_report_nothing(tmp_path: Path) -> None:
    metrics = tmp_path / "metrics.jsonl"
    with pushed("t-1", metrics) as env, pushed("t-2", tmp_path / "other.jsonl") as others:
        address = urlsplit(env["grpc_proxy"])
        password = urlsplit(others["grpc_proxy"]).password
        assert password != address.password
        for credentials in ("", "trial@", "trial:@", f"trial:{password}@", "other:x@"):
            proxy = {"grpc_proxy": f"http://{credentials}127.0.0.1:{address.port}"}
            with pytest.raises(subprocess.CalledProcessError):
                report({**env, **proxy}, KATIB, "t-1", "acc=1")
        # Nothing else listens where others can connect.
        assert listening_ports() == sorted([address.port, urlsplit(others["grpc_proxy"]).port])
    assert not metrics.exists()


@pytest.mark.parametrize("request_line", [b"GET / HTTP/1.1", b"A" * 100_000, b"CONNECT x:99999999"])
def test_the_proxy_survives_what_is_no_request(tmp_path: Path, request_line: bytes) -> None:
    with pushed("t-1", tmp_path / "metrics.jsonl") as env:
        proxy = urlsplit(env["grpc_proxy"])
        assert proxy.port is not None
        user = base64.b64encode(f"{proxy.username}:{proxy.password}".encode())
        with socket.create_connection(("127.0.0.1", proxy.port), 20) as connection:
            connection.settimeout(20)
            with contextlib.suppress(ConnectionError):
                connection.sendall(
                    request_line + b"\r\nProxy-Authorization: Basic " + user + b"\r\n\r\n"
                )
                assert connection.recv(100)[:12] in (
                    b"HTTP/1.1 405",
                    b"HTTP/1.1 407",
                    b"HTTP/1.1 502",
                )
        report(env, KATIB, "t-1", "acc=0.5")


def test_a_link_in_place_of_the_metrics_is_not_followed(tmp_path: Path) -> None:
    metrics, thesis = tmp_path / "metrics.jsonl", tmp_path / "thesis.txt"
    thesis.write_text("years of work")
    metrics.symlink_to(thesis)
    with pushed("t-1", metrics) as env, pytest.raises(subprocess.CalledProcessError):
        report(env, KATIB, "t-1", "acc=1")
    assert thesis.read_text() == "years of work"


def test_what_no_store_can_hold_is_refused(serve: Serve) -> None:
    client = Client(serve(ObservationLogs(lambda trial, found: None).services), DB_MANAGER)
    logs = [{"metric": {"name": "x" * 3000, "value": "1"}}]
    code, details = client.refusal(
        "ReportObservationLog",
        katib_pb.ReportObservationLogRequest(trial_name="t", observation_log={"metric_logs": logs}),
    )
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "has 3000 bytes" in details and "allowed are 1000" in details


def test_a_log_is_read_by_metric_and_time_and_deleted(serve: Serve) -> None:
    client = Client(serve(ObservationLogs(lambda trial, found: None).services), DB_MANAGER)
    logs = [
        {"time_stamp": f"2026-01-01T00:00:0{second}Z", "metric": {"name": name, "value": value}}
        for second, (name, value) in enumerate([("a", "1"), ("b", "2"), ("a", "3")])
    ]
    request = katib_pb.ReportObservationLogRequest(
        trial_name="t", observation_log={"metric_logs": logs}
    )
    client("ReportObservationLog", request)

    def read(**given: str) -> list[str]:
        asked = katib_pb.GetObservationLogRequest(trial_name="t", **given)
        found = client("GetObservationLog", asked).observation_log.metric_logs
        return [one.metric.value for one in found]

    assert read() == ["1", "2", "3"]
    assert read(metric_name="a") == ["1", "3"]
    assert read(start_time="2026-01-01T00:00:01Z") == ["2", "3"]
    assert read(metric_name="a", end_time="2026-01-01T00:00:01Z") == ["1"]
    assert reported_values(client.address, "t", "a", timeout=10) == [1.0, 3.0]
    client("DeleteObservationLog", katib_pb.DeleteObservationLogRequest(trial_name="t"))
    assert read() == []
