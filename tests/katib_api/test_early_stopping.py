"""The early stopping service; the settings are those of Katib's own tests."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import mean, median
from typing import Any

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.katib_api import katib_pb
from hpo_lab.katib_api.cluster import ApiServer, ClusterError, mark_early_stopped
from hpo_lab.katib_api.early_stopping_service import early_stopping_service, median_rules
from hpo_lab.katib_api.observation_logs import ObservationLogs
from hpo_lab.katib_api.reading import read_spec
from tests.katib_api.asking import EARLY_STOPPING, METRIC, Client, experiment, trial
from tests.katib_api.conftest import Serve


@pytest.fixture
def stopping(serve: Serve) -> Client:
    return Client(serve(early_stopping_service()), EARLY_STOPPING)


def rule(name: str = "medianstop", **given: str) -> dict[str, Any]:
    settings = [{"name": key, "value": value} for key, value in given.items()]
    return {"algorithm_name": name, "algorithm_settings": settings}


def validation(early_stopping: dict[str, Any]) -> Any:
    return katib_pb.ValidateEarlyStoppingSettingsRequest(early_stopping=early_stopping)


def test_the_settings_of_the_median_rule_are_accepted(stopping: Client) -> None:
    request = validation(rule(min_trials_required="2", start_step="5"))
    reply = stopping("ValidateEarlyStoppingSettings", request)
    assert reply == katib_pb.ValidateEarlyStoppingSettingsReply()


@pytest.mark.parametrize(
    ("early_stopping", "said"),
    [
        (rule("unknown"), "is 'unknown'; Katib can carry out 'medianstop' only"),
        (rule("asha"), "is 'asha'"),
        (rule("medianstopp"), "did you mean 'medianstop'?"),
        (rule(unknown_conf="100"), "'unknown_conf' is no setting of 'medianstop'"),
        (rule(min_trials_required="-1"), "min_trials_required is '-1'"),
        (rule(start_step="0"), "start_step is '0'; must be an integer of at least 1"),
    ],
)
def test_other_settings_are_refused(
    stopping: Client, early_stopping: dict[str, Any], said: str
) -> None:
    code, reason = stopping.refusal("ValidateEarlyStoppingSettings", validation(early_stopping))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert said in reason


def ask_rules(
    trials: list[katib_pb.Trial], address: str, direction: str = "MAXIMIZE", **given: str
) -> Any:
    of = experiment("random", early_stopping=rule(**given))
    of.spec.objective.type = katib_pb.ObjectiveType.Value(direction)
    of.spec.objective.objective_metric_name = METRIC
    return katib_pb.GetEarlyStoppingRulesRequest(
        experiment=of, trials=trials, db_manager_address=address
    )


@pytest.fixture
def db_manager(serve: Serve) -> Client:
    """A DB manager with what five trials have reported."""
    logs = ObservationLogs(lambda trial, found: None)
    client = Client(serve(logs.services), "api.v1.beta1.DBManager")
    reported = {
        "a": "1 2 3 100",
        "b": "2 4 6 100",
        "c": "10 20 30",
        "d": "5 nan 7",
        "still-running": "1000 1000",
    }
    for name, values in reported.items():
        for second, value in enumerate(values.split()):
            stamp = f"2026-01-01T00:00:{second:02}Z"
            both = [
                {"time_stamp": stamp, "metric": {"name": METRIC, "value": value}},
                {"time_stamp": stamp, "metric": {"name": "loss", "value": "-1"}},
            ]
            request = katib_pb.ReportObservationLogRequest(
                trial_name=name, observation_log={"metric_logs": both}
            )
            client("ReportObservationLog", request)
    return client


@pytest.mark.parametrize(
    ("direction", "comparison"), [("MAXIMIZE", "LESS"), ("MINIMIZE", "GREATER")]
)
def test_the_rule_is_the_median_of_the_averages_up_to_the_step(
    stopping: Client, db_manager: Client, direction: str, comparison: str
) -> None:
    trials = [trial(name, {}, "1") for name in "abcd"]
    trials.append(trial("still-running", {}, condition="RUNNING"))
    request = ask_rules(trials, db_manager.address, direction, start_step="3")
    (found,) = stopping("GetEarlyStoppingRules", request).early_stopping_rules
    # The averages are 2, 4, 20 and 6.
    assert (found.name, found.value, found.start_step) == (METRIC, "5.0", 3)
    assert found.comparison == katib_pb.ComparisonType.Value(comparison)


def test_there_is_no_rule_before_enough_trials_have_succeeded(
    stopping: Client, db_manager: Client
) -> None:
    trials = [trial("a", {}, "1"), trial("b", {}, "1"), trial("nothing-reported", {}, "1")]
    reply = stopping("GetEarlyStoppingRules", ask_rules(trials, db_manager.address))
    assert not reply.early_stopping_rules


def test_an_experiment_without_early_stopping_has_no_rules(stopping: Client) -> None:
    request = katib_pb.GetEarlyStoppingRulesRequest(
        experiment={"name": "test"},
        trials=[{"name": "test-asfjh"}, {"name": "test-234hs"}],
        db_manager_address="katib-db-manager.kubeflow:6789",
    )
    assert not stopping("GetEarlyStoppingRules", request).early_stopping_rules


def test_a_succeeded_trial_is_looked_up_once(stopping: Client, db_manager: Client) -> None:
    request = ask_rules([trial(name, {}, "1") for name in "abc"], db_manager.address)
    before = stopping("GetEarlyStoppingRules", request)
    for name in "abc":
        deleted = katib_pb.DeleteObservationLogRequest(trial_name=name)
        db_manager("DeleteObservationLog", deleted)
    assert stopping("GetEarlyStoppingRules", request) == before


def test_a_db_manager_that_is_away_makes_katib_ask_again(stopping: Client) -> None:
    request = ask_rules([trial("a", {}, "1")], "127.0.0.1:1")
    code, _ = stopping.refusal("GetEarlyStoppingRules", request)
    assert code is grpc.StatusCode.UNAVAILABLE


@given(
    logs=st.lists(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=6), min_size=1, max_size=7),
    step=st.integers(1, 8),
)
def test_half_of_the_averages_are_on_either_side(logs: list[list[float]], step: int) -> None:
    early = rule(start_step=str(step), min_trials_required="1")
    (found,) = median_rules(read_spec(experiment("random", early_stopping=early)), logs)
    assert float(found.value) == pytest.approx(median(mean(log[:step]) for log in logs))


class _Cluster(ThreadingHTTPServer):
    """The part of an API server that holds one trial."""

    trial: dict[str, Any]
    conflicts = 0
    patches: list[Mapping[str, str]]


class _Handler(BaseHTTPRequestHandler):
    server: _Cluster
    path_of_trial = "/apis/kubeflow.org/v1beta1/namespaces/team/trials/t-1"

    def do_GET(self) -> None:
        self._answer(200 if self.path == self.path_of_trial else 404, self.server.trial)

    def do_PATCH(self) -> None:
        change = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["Content-Type"] == "application/merge-patch+json"
        assert self.path == f"{self.path_of_trial}/status"
        version = self.server.trial["metadata"]["resourceVersion"]
        if self.server.conflicts or change["metadata"]["resourceVersion"] != version:
            self.server.conflicts -= 1
            self._answer(409, {})
            return
        self.server.trial["status"] |= change["status"]
        self._answer(200, self.server.trial)

    def _answer(self, code: int, body: dict[str, Any]) -> None:
        authorized = self.headers["Authorization"] == "Bearer secret"
        self.send_response(code if authorized else 403)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def cluster() -> Iterator[_Cluster]:
    with _Cluster(("127.0.0.1", 0), _Handler) as server:
        server.trial = {
            "metadata": {"resourceVersion": "7"},
            "status": {"conditions": [{"type": "Running", "status": "True"}], "startTime": "then"},
        }
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def api_server(cluster: _Cluster) -> ApiServer:
    return ApiServer(f"http://127.0.0.1:{cluster.server_port}", "team", "secret")


def conditions(cluster: _Cluster) -> list[str]:
    return [one["type"] for one in cluster.trial["status"]["conditions"]]


def test_a_stopped_trial_is_marked_once(cluster: _Cluster, api_server: ApiServer) -> None:
    api_server.mark_early_stopped("t-1", 1767225600.0)
    api_server.mark_early_stopped("t-1", 1767225700.0)
    assert conditions(cluster) == ["Running", "EarlyStopped"]
    marked = cluster.trial["status"]["conditions"][-1]
    assert (marked["status"], marked["reason"]) == ("True", "TrialEarlyStopped")
    assert marked["lastTransitionTime"] == "2026-01-01T00:00:00Z"
    assert cluster.trial["status"]["startTime"] == "then"


def test_a_write_of_katib_in_between_is_not_undone(
    cluster: _Cluster, api_server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ApiServer, "of_pod", lambda: api_server)
    cluster.conflicts = 2
    mark_early_stopped("t-1")
    assert (conditions(cluster), cluster.conflicts) == (["Running", "EarlyStopped"], 0)


def test_a_trial_that_is_not_there_is_said(api_server: ApiServer) -> None:
    with pytest.raises(ClusterError, match="trials/t-2: HTTP Error 404"):
        api_server.mark_early_stopped("t-2", 0.0)


def test_a_name_leads_to_no_other_resource(api_server: ApiServer) -> None:
    with pytest.raises(ClusterError, match=r"/trials/\.\.%2Fpods%2Fp: HTTP Error 404"):
        api_server.mark_early_stopped("../pods/p", 0.0)


def test_the_service_marks_trials(serve: Serve) -> None:
    marked: list[str] = []
    stopping = Client(serve(early_stopping_service(marked.append)), EARLY_STOPPING)
    stopping("SetTrialStatus", katib_pb.SetTrialStatusRequest(trial_name="t-1"))
    assert marked == ["t-1"]


def test_outside_of_a_cluster_no_trial_can_be_marked(
    stopping: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    asked = katib_pb.SetTrialStatusRequest(trial_name="t-1")
    code, reason = stopping.refusal("SetTrialStatus", asked)
    assert code is grpc.StatusCode.UNAVAILABLE
    assert "in no pod" in reason
