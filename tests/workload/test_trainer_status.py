"""The address to which the pods of a TrainJob push their progress."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from hpo_lab.observation import observations_of
from hpo_lab.workload.trainer_status import trainer_status


@pytest.fixture
def address(tmp_path: Path) -> Iterator[Mapping[str, str]]:
    with trainer_status("team", "tuning-0", tmp_path, str(tmp_path / "metrics")) as variables:
        yield variables


def post(url: str, token: str, content: bytes) -> tuple[int, Any]:
    """What is answered to a status that is posted as Trainer's documentation does it."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, content, headers)
    try:
        with urllib.request.urlopen(request, context=ssl.create_default_context()) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_pushed_metrics_are_observed(address: Mapping[str, str], tmp_path: Path) -> None:
    url = address["KUBEFLOW_TRAINER_SERVER_URL"]
    assert url.endswith("/namespaces/team/trainjobs/tuning-0/status")
    token = Path(address["KUBEFLOW_TRAINER_SERVER_TOKEN"])
    assert token.stat().st_mode & 0o077 == 0
    metrics = [{"name": "loss", "value": "0.5"}, {"name": "note", "value": "good"}]
    status = {"trainerStatus": {"progressPercentage": 45, "metrics": metrics}}
    assert post(url, token.read_text(), json.dumps(status).encode()) == (200, status)
    progress = {"trainerStatus": {"progressPercentage": 100}}
    assert post(url, token.read_text(), json.dumps(progress).encode()) == (200, progress)
    lines = (tmp_path / "metrics").read_text().splitlines()
    loss, note = (observations_of(json.loads(line))[0] for line in lines)
    assert (loss.metric, loss.value) == ("loss", 0.5)
    assert (note.metric, note.text) == ("note", "good")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "Expecting"),
        (b"[]", "trainerStatus is needed"),
        (b'{"trainerStatus": {"metrics": {}}}', "are a list"),
        (b'{"trainerStatus": {"metrics": [{"name": "loss", "value": 1}]}}', "which are texts"),
        (b'{"trainerStatus": {"metrics": [{"name": "a\\u0000", "value": "1"}]}}', "is no text"),
    ],
)
def test_what_is_no_status_is_refused(
    address: Mapping[str, str], tmp_path: Path, content: bytes, message: str
) -> None:
    token = Path(address["KUBEFLOW_TRAINER_SERVER_TOKEN"]).read_text()
    code, answer = post(address["KUBEFLOW_TRAINER_SERVER_URL"], token, content)
    assert code == 422
    assert (answer["kind"], answer["code"]) == ("Status", 422)
    assert message in answer["message"]
    assert not (tmp_path / "metrics").exists()


def test_nobody_else_reports_for_a_trial(address: Mapping[str, str], tmp_path: Path) -> None:
    url = address["KUBEFLOW_TRAINER_SERVER_URL"]
    token = Path(address["KUBEFLOW_TRAINER_SERVER_TOKEN"]).read_text()
    status = b'{"trainerStatus": {"metrics": [{"name": "loss", "value": "1"}]}}'
    assert post(url, "another", status)[0] == 401
    assert post(url, "", status)[0] == 401
    assert post(url.replace("tuning-0", "tuning-1"), token, status)[0] == 404
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc)
    connection.putrequest("POST", parts.path)
    connection.putheader("Content-Length", "2000000")
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()
    assert not (tmp_path / "metrics").exists()


def test_a_proxy_of_the_network_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "example.org")
    with trainer_status("team", "tuning-0", tmp_path, str(tmp_path / "metrics")) as variables:
        assert variables["no_proxy"] == "example.org,127.0.0.1"
    assert list(tmp_path.iterdir()) == []
