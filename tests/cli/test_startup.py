from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import hpo_lab

_HEAVY = (
    *("IPython", "ipykernel", "nbformat", "optuna", "pandas", "papermill", "plotly", "torch"),
    *("anywidget", "kube_models", "tensorboard"),
)
_CHECK = """
import sys
from click.testing import CliRunner
from hpo_lab.cli import main
result = CliRunner(catch_exceptions=False).invoke(main, sys.argv[2:])
assert result.exit_code == 0, result.output
print([name for name in sys.argv[1].split(",") if name in sys.modules])
"""


@pytest.mark.parametrize(
    "arguments", [["--help"], ["list"], ["show", "parabola"], ["run", "--help"]], ids=" ".join
)
def test_quick_commands_import_nothing_heavy(recorded: Any, arguments: list[str]) -> None:
    recorded([0.5])
    command = [sys.executable, "-c", _CHECK, ",".join(_HEAVY), *arguments]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "[]\n"


def test_a_runner_imports_no_kernel() -> None:
    code = f"import sys, hpo_lab.local.runner; print(sorted({{*{_HEAVY!r}}} & {{*sys.modules}}))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == (
        "[]\n"
    )


def test_version(cli: Any) -> None:
    assert cli("--version").stdout == f"hpo-lab, version {hpo_lab.__version__}\n"


def test_help_lists_the_tuning_options(cli: Any) -> None:
    text = cli("run", "--help").stdout
    for flag in ("--maximize", "--trial-timeout", "--setting", "--cell", "--store", "--json"):
        assert flag in text
    text = cli("resume", "--help").stdout
    assert "--max-failed" in text
    assert "--seed" not in text


def test_names_are_completed(recorded: Any, cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded([0.5])
    monkeypatch.setenv("_HPO_LAB_COMPLETE", "bash_complete")
    for command in ("show", "resume"):
        monkeypatch.setenv("COMP_WORDS", f"hpo-lab {command} par")
        monkeypatch.setenv("COMP_CWORD", "2")
        result = subprocess.run(
            [sys.executable, "-c", "from hpo_lab.cli import main; main(prog_name='hpo-lab')"],
            capture_output=True,
            text=True,
        )
        assert result.stdout == "plain,parabola\n"
