from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

TUNE = "%%tune maximize accuracy --trials 2\n"
ENDS = "\naccuracy = lr"
GOOD = TUNE + "lr = 0.1  # tune: uniform(0, 1)" + ENDS


@pytest.mark.parametrize(
    "cell, options, message",
    [
        (GOOD, ["--trails", "5"], "--trails: unknown option; did you mean '--trials'?"),
        (GOOD, ["--trials", "none"], "--trials: 'none' is no whole number"),
        (GOOD, ["--trials"], "--trials: needs a value"),
        (GOOD, ["--fresh=false"], "--fresh: does not take a value"),
        (GOOD, ["--algorithm", "tpee"], "'tpe'"),
        (GOOD, ["--maximize", "acuracy"], "did you mean 'accuracy'?"),
        (
            GOOD,
            ["--maximize", "accuracy", "--minimize", "accuracy"],
            "'accuracy' is an objective already",
        ),
        (GOOD, ["more.ipynb"], "more.ipynb: unexpected"),
        (GOOD, ["--cell", "7"], "7"),
        (TUNE + "lr = 0.1  # tune: loguniform(0, 1)" + ENDS, [], "line 2"),
        (TUNE + "lr = 0.1  # tune: uniform(1, 0)" + ENDS, [], "line 2"),
        (TUNE + "lr = 0.1  # tune: unifrom(0, 1)" + ENDS, [], "did you mean 'uniform'?"),
        (TUNE + "lr = 7.5  # tune: uniform(0, 1)" + ENDS, [], "7.5"),
        (TUNE + "lr = 2 * 3  # tune: uniform(0, 9)" + ENDS, [], "line 2"),
        (TUNE + "lr = 1  # tune: int(0, 9)\nlr = 2  # tune: int(0, 9)" + ENDS, [], "lr"),
        (TUNE + "lr = 0.1  # tune: uniform(0, 1)", [], "accuracy"),
        (TUNE + "lr = 0.1" + ENDS, [], "no annotated parameter"),
        ("lr = 0.1  # tune: uniform(0, 1)" + ENDS, [], "%%tune"),
    ],
)
def test_is_reported_and_nothing_is_written(
    cli: Any, notebook: Any, tmp_path: Path, cell: str, options: list[str], message: str
) -> None:
    store = tmp_path / "new.db"
    path = notebook(cell)
    result = cli("run", path, *options, "--store", store, "--json")
    assert result.exit_code == 2
    assert message in result.stderr
    assert json.loads(result.stdout)["problems"]
    assert list(tmp_path.iterdir()) == [path]


def test_everything_wrong_is_said_at_once(cli: Any, notebook: Any) -> None:
    path = notebook(TUNE + "lr = 0.1  # tune: loguniform(0, 1)\nn = 1  # tune: itn(1, 2)" + ENDS)
    arguments = ["--trails", "5", path, "--parallel", "0", "--goal", "high"]
    result = cli("run", *arguments, "--json")
    problems = json.loads(result.stdout)["problems"]
    assert [problem["where"] for problem in problems[:3]] == ["--trails", "--parallel", "--goal"]
    assert len(problems) == 5
    assert result.stderr.startswith("5 problems")


def test_an_unknown_option_without_a_value_leaves_the_file(cli: Any, notebook: Any) -> None:
    result = cli("run", "--quick", notebook(GOOD))
    assert result.stderr.splitlines() == ["1 problem:", "  --quick: unknown option"]


@pytest.mark.parametrize("command", ["run", "validate"])
@pytest.mark.parametrize("name", ["none.ipynb", "none.yaml", "none.py"])
def test_no_such_file(cli: Any, tmp_path: Path, command: str, name: str) -> None:
    result = cli(command, tmp_path / name)
    assert result.exit_code == 2
    assert name in result.stderr


def test_a_name_taken_by_another_experiment(
    cli: Any, notebook: Any, recorded: Any, store: Any
) -> None:
    path = notebook(GOOD)
    before = recorded([0.5])
    store.move(before.uid, str(path.parent), None)
    before = store.experiment_by_uid(before.uid)
    result = cli("run", path, "--name", "parabola", "--json")
    assert result.exit_code == 2
    assert "'parabola' is another experiment, recorded with 1 trial:" in result.stderr
    assert store.named("parabola") == [before]
    assert len(store.experiments()) == 1


MANIFEST = """
apiVersion: hpolab.dev/v1beta1
kind: Experiment
metadata: {name: manifest}
spec:
  objective: {type: maximize, objectiveMetricName: accuracy}
  algorithm: {algorithmName: random}
  maxTrialCount: 3
  parameters:
  - {name: lr, parameterType: double, feasibleSpace: {min: "0.1", max: "0.2"}}
  trialTemplate:
    trialSpec: {apiVersion: hpolab.dev/v1beta1, kind: KIND, spec: {}}
"""


@pytest.mark.parametrize(
    "kind, message",
    [
        ("Jub", "found 'Jub'; the kinds that can be run on this machine are FunctionTrial"),
        ("NotebookTrial", "found 'NotebookTrial', which needs source files that a manifest"),
    ],
)
def test_a_manifest_that_cannot_run_here(
    cli: Any, tmp_path: Path, store: Any, kind: str, message: str
) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text(MANIFEST.replace("KIND", kind))
    validated = cli("validate", path)
    assert validated.exit_code == 2 and message in validated.stderr
    result = cli("run", path)
    assert result.exit_code == 2
    assert f"spec.trialTemplate.trialSpec.kind: {message}" in result.stderr
    assert store.experiments() == []


def test_what_only_a_notebook_has_is_no_option_of_a_manifest(cli: Any, tmp_path: Path) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text(MANIFEST.replace("KIND", "Other"))
    result = cli("run", path, "--trials", "none", "--cell", "2", "--keep", "best")
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "3 problems:",
        "  --trials: 'none' is no whole number; allowed are 1 and up",
        "  --cell: is for notebooks; a manifest has no cells",
        "  --keep: is for notebooks; the trials of this are 'Other'",
    ]


OLD = """
apiVersion: kubeflow.org/v1alpha3
kind: Experiment
metadata: {name: old}
spec:
  objective: {type: maximize, objectiveMetricName: accuracy}
  algorithm: {algorithmName: random}
  parameters:
  - {name: --lr, parameterType: double, feasibleSpace: {min: "0.01", max: "0.05"}}
  trialTemplate:
    goTemplate:
      rawTemplate: |-
        apiVersion: batch/v1
        kind: Job
        metadata: {name: "{{.Trial}}"}
"""
POD = """\
        spec:
          template:
            spec:
              containers:
              - name: {{.Trial}}
                image: any
                command: [echo{{range .HyperParameters}}, "{{.Name}}={{.Value}}"{{end}}]
"""


def test_a_manifest_of_the_version_before_is_read_with_its_template(
    cli: Any, tmp_path: Path
) -> None:
    path = tmp_path / "old.yaml"
    path.write_text(OLD)
    result = cli("validate", path)
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "1 problem:",
        "  spec.trialTemplate.goTemplate.rawTemplate.spec: is missing",
    ]
    path.write_text(OLD + POD)
    result = cli("validate", path)
    assert result.exit_code == 0
    shown = " ".join(f"{result.stdout}{result.stderr}".split())
    assert "'kubeflow.org/v1alpha3'; taken as 'kubeflow.org/v1beta1'" in shown
    assert "${trialParameters.x} instead of {{.HyperParameters}}" in shown
    assert "trialTemplate.trialSpec" not in shown


def test_options_that_do_not_fit_a_manifest_are_named(cli: Any, tmp_path: Path) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text(MANIFEST)
    result = cli("run", path, "--parallel", "5", "--algorithm", "rndom")
    assert result.exit_code == 2
    assert "--parallel: is 5; must be less than or equal to --trials, 3" in result.stderr
    assert "--algorithm: 'rndom' is no search algorithm" in result.stderr


@pytest.mark.parametrize(
    ("line", "problems"),
    [
        (["--foo"], ["--foo: unknown option"]),
        (
            ["trials", "parabol", "--formt", "csv", "--sort", "x", "more"],
            [
                "--formt: unknown option; did you mean '--format'?",
                "--sort: 'x' is not allowed; allowed are number, best",
                "parabol: no such experiment; known are parabola; did you mean 'parabola'?",
                "more: unexpected",
            ],
        ),
        (
            ["show", "--jsn"],
            ["--jsn: unknown option; did you mean '--json'?", "NAME: is missing"],
        ),
        (
            ["validate", "none.ipynb", "--cel", "3"],
            ["--cel: unknown option; did you mean '--cell'?", "none.ipynb: no such file"],
        ),
        (
            ["logs", "none.ipynb", "x", "--store"],
            ["--store: needs a value", "TRIAL: 'x' is not a valid integer"],
        ),
        (["list", "--sotre", "x"], ["--sotre: unknown option; did you mean '--store'?"]),
        (["best", "none.ipynb"], ["none.ipynb: no such file"]),
        (
            ["run", "none.yaml", "--trails", "2", "--goal", "x"],
            [
                "--trails: unknown option; did you mean '--trials'?",
                "--goal: 'x' is no number",
                "none.yaml: cannot be read: No such file or directory",
            ],
        ),
        (
            ["run", "parabol", "--goal", "x", "--seed", "1"],
            [
                "--goal: 'x' is no number",
                "--seed: cannot change a recorded experiment; run the file that makes it",
                "parabol: no such file, and no such experiment; known are parabola; "
                "did you mean 'parabola'?",
            ],
        ),
        (
            ["enqueue", "parabola", "y", "--yes"],
            [
                "--yes: unknown option",
                "PARAMETER=VALUE: 'y' is no value of a parameter; write it as PARAMETER=VALUE",
            ],
        ),
    ],
)
def test_every_problem_of_a_line_is_said_at_once_and_alike(
    cli: Any, recorded: Any, line: list[str], problems: list[str]
) -> None:
    recorded([0.5])
    result = cli(*line)
    assert (result.exit_code, result.stdout) == (2, "")
    count = f"{len(problems)} problem{'s' * (len(problems) > 1)}:"
    assert result.stderr.splitlines() == [count, *(f"  {problem}" for problem in problems)]


def test_an_unknown_command_names_the_nearest(cli: Any) -> None:
    result = cli("lst", "--json")
    assert result.exit_code == 2
    assert "did you mean 'list'?" in result.stderr
    assert json.loads(result.stdout)["problems"][0]["where"] == "lst"


def test_misuse_of_a_plain_command_is_json_too(cli: Any) -> None:
    result = cli("list", "--sotre", "x", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["problems"][0]["where"] == "--sotre"


@pytest.mark.parametrize("location", ["mysql://host/name", ""])
def test_a_store_that_cannot_be_used(cli: Any, location: str) -> None:
    result = cli("list", "--store", location)
    assert result.exit_code == 2
    assert "store:" in result.stderr
