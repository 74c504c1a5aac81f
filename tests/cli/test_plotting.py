from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def test_a_figure_is_printed_or_written(cli: Any, recorded: Any, tmp_path: Path) -> None:
    recorded([0.5, 0.75, None])
    printed = cli("plot", "parabola", "history")
    assert printed.exit_code == 0 and printed.stdout.startswith("<svg ")
    assert cli("plot", "parabola", "history", "-o", "-").stdout == printed.stdout
    document = json.loads(cli("plot", "parabola", "history", "--json").stdout)
    assert document["layout"]["meta"]["title"] == "score"
    file = tmp_path / "history.svg"
    written = cli("plot", "parabola", "history", "-o", file)
    assert file.read_text() == printed.stdout.rstrip("\n")
    said = written.stderr.replace("\n", " ")
    assert said == f"{file}: Best score 0.75 in trial 1 of 3 trials, 1 failed. "
    dark = cli("plot", "parabola", "history", "--theme", "dark").stdout
    assert dark != printed.stdout and 'fill="#111111"' in dark


@pytest.mark.parametrize(
    ("words", "problems"),
    [
        ("", ["FIGURE: is missing; there are history, importances"]),
        ("histry", ["histry: is no figure", "did you mean 'history'?"]),
        ("history -o x.pdf", ["x.pdf: ends in .pdf; a figure is saved as .svg, .png"]),
        ("histry --focus y,x", ["histry: is no figure", "y: is no parameter of parabola"]),
        ("history --theme drak", ["'drak' is not allowed; allowed are light, dark, contrast"]),
        ("history -o x.json --json", ["--json: prints the data; leave it or --out out"]),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    cli: Any,
    recorded: Any,
    words: str,
    problems: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recorded([0.5])
    monkeypatch.chdir(tmp_path)
    result = cli("plot", "parabola", *words.split())
    assert result.exit_code == 2
    assert [each for each in problems if each not in result.stderr] == []
    assert [*tmp_path.glob("x.*")] == []


def test_a_terminal_is_no_place_for_a_document(
    cli: Any, recorded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded([0.5])
    monkeypatch.setattr("hpo_lab.cli.output.is_terminal", lambda: True)
    for command in (["plot", "parabola", "history"], ["report", "parabola"]):
        result = cli(*command)
        assert result.exit_code == 2
        assert "--out: is missing; give a file, such as -o " in result.stderr
        assert cli(*command, "-o", "-").stdout.startswith("<")


def test_a_report_is_written_or_printed(cli: Any, recorded: Any, tmp_path: Path) -> None:
    recorded([0.5, None, 0.75])
    recorded([0.25], name="other")
    file = tmp_path / "report.html"
    result = cli("report", "parabola", "-o", file)
    assert result.exit_code == 0, result.stderr
    page = file.read_text()
    assert page.startswith("<!doctype html>") and "ValueError: no good" in page
    assert "<title>parabola, report</title>" in cli("report", "parabola").stdout
    assert "<title>parabola, other, compared</title>" in cli("report", "parabola", "other").stdout


def test_every_name_of_a_report_is_checked(cli: Any, recorded: Any, tmp_path: Path) -> None:
    recorded([0.5])
    file = tmp_path / "report.html"
    result = cli("report", "parabola", "parabla", "oter", "--quick", "-o", file)
    assert result.exit_code == 2
    for problem in ("parabla: no such", "oter: no such", "--quick: unknown option"):
        assert problem in result.stderr
    assert not file.exists()
