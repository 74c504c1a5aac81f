"""What the server reads in cells, and how it edits them."""

from __future__ import annotations

from typing import Any

from tests.server.conftest import Server

CELL = """%%tune maximize score --trials 9 --parallel x
lr = 0.1  # tune: loguniform(1e-4, 1)
width = 64
depth = 3  # tune: unform(1, 2)
score = lr * width"""


def _read(server: Server, path: str = "", **body: Any) -> Any:
    answer = server.ask("POST", f"/cell{path}", body)
    assert answer.status == 200, answer.content
    return answer.json


def test_a_cell_is_read(server: Server) -> None:
    cell = _read(server, source=CELL)
    (parameter,) = cell["parameters"]
    assert (parameter["line"], parameter["parameter"]["name"]) == (2, "lr")
    lines = {each["line"]: each["message"] for each in cell["problems"]}
    assert lines[1] == "--parallel: 'x' is no whole number; allowed are 1 and up"
    assert "unknown distribution 'unform'" in lines[4]
    assert [each["name"] for each in cell["values"]] == ["lr", "width", "depth"]
    assert cell["values"][1]["words"] == {
        "word": "int",
        "arguments": ["16", "256"],
        "step": "",
        "when": "",
    }
    assert cell["metrics"][0] == "score"
    assert cell["tune"] == {
        "line": 1,
        "objectives": "maximize score",
        "options": {"--trials": ["9"], "--parallel": ["x"]},
    }


def test_a_number_beyond_floats_is_left_out(server: Server) -> None:
    cell = _read(server, source="BIG = 1e999\nlr = 0.1  # tune: uniform(0, 1)")
    assert [each["name"] for each in cell["values"]] == ["lr"]
    assert [each["line"] for each in cell["parameters"]] == [2]


def test_what_is_no_python_has_nothing_to_tune(server: Server) -> None:
    assert _read(server, source="%%bash\nx=1  # tune: int(1, 2)")["problems"] == []
    (problem,) = _read(server, source="x = (  # tune: int(1, 2)")["problems"]
    assert problem["message"].startswith("the cell is no valid Python")


def test_a_value_is_annotated(server: Server) -> None:
    edited = _read(server, "/annotation", source=CELL, line=3, annotation="int(16, 128)")
    assert edited["source"].split("\n")[2] == "width = 64  # tune: int(16, 128)"
    assert len(edited["parameters"]) == 2
    wrong = _read(server, "/annotation", source=CELL, line=3, annotation="int(100, 128)")
    assert "outside its own range" in str(wrong["problems"])
    refused = server.ask("POST", "/cell/annotation", {"source": CELL, "line": 5, "annotation": ""})
    assert refused.status == 400


def test_the_line_is_changed_or_begun(server: Server) -> None:
    options = {"--parallel": [], "--seed": ["1"]}
    edited = _read(server, "/line", source=CELL, objectives="minimize score", options=options)
    assert edited["source"].split("\n")[0] == "%%tune minimize score --trials 9 --seed 1"
    begun = _read(server, "/line", source="loss = 1", objectives="minimize loss")
    assert begun["source"] == "%%tune minimize loss\nloss = 1"


def test_a_line_is_not_written_where_it_would_do_harm(server: Server) -> None:
    for source, options, reason in [
        ("%%bash\nls", {}, "a cell of %%bash is no Python"),
        ('%%tune maximize x --name "a\nx = 1', {}, "cannot be read: No closing quotation"),
        ("x = 1", {"--name": ["a\nimport os"]}, "options"),
        ("x = 1", {"--name a\nimport os": [""]}, "options"),
    ]:
        body = {"source": source, "objectives": "maximize x", "options": options}
        refused = server.ask("POST", "/cell/line", body)
        assert refused.status == 400 and reason in str(refused.json)
    timed = _read(server, "/line", source="%%time\nx = 1", objectives="maximize x")
    assert timed["tune"]["objectives"] == "maximize x" and timed["problems"] == []


def test_the_options_come_from_the_registries(server: Server) -> None:
    listed = server.get("/options")
    options = {each["flag"]: each for each in listed["options"]}
    assert options["--trials"]["default"] == "20"
    assert options["--trials"]["help"] == "how many trials to run"
    assert options["--keep"]["choices"] == ["all", "best", "failed", "none"]
    tpe = next(each for each in listed["algorithms"] if each["name"] == "tpe")
    settings = {each["name"]: each for each in tpe["settings"]}
    assert settings["n_startup_trials"]["allowed"] == "an integer of at least 0"
    assert settings["multivariate"]["choices"] == ["true", "false"]
    assert "medianstop" in [each["name"] for each in listed["earlyStopping"]]
    assert {each["name"] for each in listed["distributions"]} > {"uniform", "choice"}
