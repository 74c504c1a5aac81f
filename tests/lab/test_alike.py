"""What stands in Python and in TypeScript says the same on both sides."""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hpo_lab.dashboard import marks, words

if TYPE_CHECKING:
    from tests.conftest import Require

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "labextension"
TOOLS = EXTENSION / "node_modules" / ".bin"

CASES = json.loads((EXTENSION / "src/format/cases.json").read_text(encoding="utf-8"))
SHAPES = json.loads((EXTENSION / "src/marks/shapes.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("name", "arguments", "text"), CASES)
def test_numbers_are_written_alike(name: str, arguments: list[float], text: str) -> None:
    assert getattr(words, name)(*arguments) == text


@pytest.mark.parametrize("mark", [*marks.COLOURS, marks.FRONT, marks.BEST])
def test_marks_are_drawn_alike(mark: str) -> None:
    opening = marks.icon(mark).partition(">")[0]
    assert marks.icon(mark) == f"{opening}>{SHAPES[mark]}</svg>"


def test_there_are_the_same_marks() -> None:
    assert SHAPES.keys() == {*marks.COLOURS, marks.FRONT, marks.BEST}


def test_the_types_of_the_client_are_those_that_the_server_describes(
    require: Require, tmp_path: Path
) -> None:
    require("node", (TOOLS / "openapi-typescript").exists(), "jlpm install in labextension")
    schema = tmp_path / "schema.ts"
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])

    def run(tool: str, *arguments: str | Path) -> str:
        return subprocess.run(
            [TOOLS / tool, *arguments],
            cwd=EXTENSION,
            env={**os.environ, "PATH": path},
            capture_output=True,
            check=True,
            text=True,
        ).stdout

    run("openapi-typescript", ROOT / "hpo_lab/server/openapi.yaml", "--output", schema)
    # The settings of prettier are those of its folder.
    settings = tmp_path / "prettier.json"
    package = json.loads((EXTENSION / "package.json").read_text(encoding="utf-8"))
    settings.write_text(json.dumps(package["prettier"]), encoding="utf-8")
    generated = run("prettier", "--config", settings, schema)
    written = (EXTENSION / "src/api/schema.ts").read_text(encoding="utf-8")
    assert written == generated, "run `jlpm run types` in labextension"
