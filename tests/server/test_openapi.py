"""`openapi.yaml` says what the routes do, and what they answer."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
import yaml

from hpo_lab.server.request import Nothing
from hpo_lab.server.routes import ROUTES, Route
from tests.server.conftest import Server

DOCUMENT: dict[str, Any] = yaml.safe_load(
    (files("hpo_lab.server") / "openapi.yaml").read_text(encoding="utf-8")
)
METHODS = ("get", "post", "delete", "put", "patch")


def _resolved(node: Any) -> Any:
    """*node* with what it refers to in the place of references."""
    if isinstance(node, list):
        return [_resolved(each) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target: Any = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return _resolved(target)
    return {name: _resolved(each) for name, each in node.items()}


PATHS = _resolved(DOCUMENT["paths"])


def test_every_route_is_described_and_nothing_else() -> None:
    described = {
        (path, method.upper())
        for path, item in PATHS.items()
        for method in item.keys() & {*METHODS}
    }
    assert described == {
        (route.path or "/", method) for route in ROUTES for method in route.endpoints
    }


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path or "/")
def test_fields_and_statuses_are_those_of_the_route(route: Route) -> None:
    item = PATHS[route.path or "/"]
    for method, endpoint in route.endpoints.items():
        described = item[method.lower()]
        parameters = [*item.get("parameters", []), *described.get("parameters", [])]
        query = {each["name"] for each in parameters if each["in"] == "query"}
        assert query == endpoint.query.model_fields.keys()
        named = {each["name"] for each in parameters if each["in"] == "path"}
        assert named == {*re.findall(r"\{(\w+)\}", route.path)}
        assert str(endpoint.status) in described["responses"]
        if endpoint.body is not Nothing:
            schema = described["requestBody"]["content"]["application/json"]["schema"]
            assert schema["properties"].keys() == endpoint.body.model_fields.keys()
            required = {n for n, each in endpoint.body.model_fields.items() if each.is_required()}
            assert {*schema.get("required", ())} == required
        else:
            assert "requestBody" not in described


def _check(path: str, method: str, status: int, answer: Any) -> None:
    content = PATHS[path][method]["responses"][str(status)]["content"]["application/json"]
    jsonschema.validate(answer, content["schema"])


def test_answers_are_what_is_described(server: Server, parabola: str) -> None:
    path = f"/experiments/{parabola}"
    for described, address in [
        ("/", ""),
        ("/experiments", "/experiments"),
        ("/options", "/options"),
        ("/experiments/{uid}", path),
        ("/experiments/{uid}/trace", f"{path}/trace"),
        ("/experiments/{uid}/log", f"{path}/log"),
        ("/experiments/{uid}/curves", f"{path}/curves"),
        ("/experiments/{uid}/panel", f"{path}/panel"),
        ("/experiments/{uid}/figures", f"{path}/figures"),
        ("/experiments/{uid}/figures/{name}", f"{path}/figures/history"),
        ("/experiments/{uid}/matches", f"{path}/matches"),
        ("/experiments/{uid}/comparison", f"{path}/comparison?other={parabola}"),
        ("/experiments/{uid}/trials/{number}/curve", f"{path}/trials/1/curve"),
        ("/experiments/{uid}/trials", f"{path}/trials"),
        ("/experiments/{uid}/trials/{number}", f"{path}/trials/1"),
        ("/experiments/{uid}/trials/{number}/code", f"{path}/trials/1/code"),
        ("/experiments/{uid}/trials/{number}/log", f"{path}/trials/1/log"),
        ("/experiments/{uid}/trials/{number}/notebook", f"{path}/trials/1/notebook"),
    ]:
        _check(described, "get", 200, server.get(address))


def test_edited_cells_are_what_is_described(server: Server) -> None:
    source = {"source": "%%tune maximize y\nx = 1  # tune: int(0, 4)\ny = x"}
    for path, more in [
        ("/cell", {}),
        ("/cell/annotation", {"line": 2, "annotation": "int(1, 2)"}),
        ("/cell/line", {}),
    ]:
        answer = server.ask("POST", path, {**source, **more})
        assert answer.status == 200, answer.content
        _check(path, "post", 200, answer.json)


def test_refusals_are_what_is_described(server: Server, parabola: str) -> None:
    answer = server.ask("POST", f"/experiments/{parabola}/points", {"points": [{"y": 1}]})
    assert answer.status == 400
    _check("/experiments/{uid}/points", "post", 400, answer.json)
    missing = server.ask("GET", f"/experiments/{'0' * 32}")
    assert missing.status == 404
    _check("/experiments/{uid}", "get", 404, missing.json)
