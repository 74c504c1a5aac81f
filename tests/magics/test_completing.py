"""What is completed and explained on the line of `%%tune` and behind `# tune:`."""

from __future__ import annotations

from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from hpo_lab.magics.completing import help_at, install

BODY = "lr = 0.1  # tune: loguniform(1e-4, 1)\nunits = 64\nloss = lr\nscore = 1"


def _shell() -> InteractiveShell:
    return InteractiveShell(config=Config(HistoryManager={"enabled": False}))


def _completed(shell: InteractiveShell, before: str, body: str = "") -> list[str]:
    with provisionalcompleter():
        found = shell.Completer.completions(f"{before}{body}", len(before))
        return [before[: each.start] + each.text for each in found]


@pytest.fixture(scope="module")
def shell() -> InteractiveShell:
    shell = _shell()
    install(shell)
    install(shell)
    return shell


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", ["maximize", "minimize"]),
        ("maximize ", ["score", "loss", "units"]),
        ("maximize s", ["score"]),
        ("minimize loss, m", ["maximize", "minimize"]),
        (
            "minimize loss --tri",
            ["--trials", "--trial-timeout", "--trial-memory", "--trial-output"],
        ),
        ("minimize loss --keep ", ["all", "best", "failed", "none"]),
        ("minimize loss --algorithm n", ["nsga2"]),
        ("minimize loss --algorithm nsga2 --setting pop", ["population_size="]),
        (
            "minimize loss --setting multivariate=",
            ["multivariate=", "multivariate=true", "multivariate=false"],
        ),
        ("minimize loss --early-stopping med", ["medianstop"]),
        ("minimize loss --early-stopping medianstop:start", ["medianstop:start_step="]),
        (
            "minimize loss --early-stopping medianstop:start_step=2,min",
            ["medianstop:start_step=2,min_trials_required="],
        ),
        ("minimize loss --strategy sc", ["score="]),
        ("minimize loss --algorithm=cm", ["--algorithm=cmaes"]),
        ("minimize loss --algorithm=nsga2 --setting pop", ["population_size="]),
        ("minimize loss --algorithm=nsga2 --setting=pop", ["--setting=population_size="]),
    ],
)
def test_the_line_is_completed(shell: InteractiveShell, line: str, words: list[str]) -> None:
    before = f"%%tune {line}"
    kept = before[: len(before) - len(line.split(" ")[-1])]
    assert sorted(_completed(shell, before, f"\n{BODY}")) == sorted(kept + each for each in words)


def test_an_annotation_is_completed(shell: InteractiveShell) -> None:
    offered = _completed(shell, "%%tune minimize loss\nunits = 64  # tune: ")
    before = "%%tune minimize loss\nunits = 64  # tune: "
    assert {f"{before}int(16, 256)", f"{before}uniform("} < {*offered}
    assert _completed(shell, "units = 64  # tune: logu") == ["units = 64  # tune: loguniform("]


def test_other_code_is_completed_as_ever(shell: InteractiveShell) -> None:
    shell.push({"uniformity": 1})
    before = "%%tune minimize loss\nx = "
    assert f"{before}uniformity" in _completed(shell, f"{before}unif")
    assert not any("loguniform" in each for each in _completed(shell, "logu"))


@pytest.mark.parametrize(
    ("before", "behind", "part"),
    [
        ("%%tune minimize loss --tri", "als 3", "--trials N\n\nhow many trials to run"),
        ("%%tune minimize loss --algorithm tp", "e", "n_startup_trials"),
        ("%%tune minimize loss --setting gamm", "a=0.2", "gamma: The best"),
        ("%%tune minimize loss --early-stopping media", "nstop", "start_step"),
        ("x = 1  # tune: in", "t(1, 2)", "int(low, high, step=None)\n\nAn integer"),
        ("x = 1  # tune: int(1, ", "2)", "int(low, high, step=None)"),
    ],
)
def test_help_is_of_the_word_at_the_cursor(before: str, behind: str, part: str) -> None:
    assert part in help_at(f"{before}{behind}\ny = 1", len(before))


@pytest.mark.parametrize("before", ["int(1, ", "x = 1  # tuned", "%%tune minimize loss\nint"])
def test_there_is_no_help_elsewhere(before: str) -> None:
    assert help_at(before, len(before)) == ""


def test_the_kernel_gives_the_help() -> None:
    class Kernel:
        def do_inspect(self, code: str, cursor_pos: int, *more: Any) -> dict[str, Any]:
            return {"found": False}

    shell = _shell()
    shell.kernel = Kernel()
    install(shell)
    install(shell)
    answer = shell.kernel.do_inspect("x = 1  # tune: choice", 20, 0)
    assert "choice(value, value, ...)" in answer["data"]["text/plain"]
    assert shell.kernel.do_inspect("x = 1", 1) == {"found": False}
