from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from hpo_lab.experiment.model import AdditionalObjective, ObjectiveType
from hpo_lab.experiment.status import ExperimentState
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.observation import Observation
from hpo_lab.store import Store
from tests.loop.manifests import MANIFEST
from tests.manifest_reading import parse_text
from tests.store_writes import finish_trial, requeue_trial, start_trial


def test_nothing_is_made_by_looking(cli: Any, tmp_path: Path) -> None:
    missing = tmp_path / "new.db"
    listed = cli("list", "--store", missing)
    assert (listed.exit_code, listed.stdout) == (0, "")
    assert json.loads(cli("list", "--store", missing, "--json").stdout) == []
    for command in ("show", "best", "trials", "logs", "stop", "delete", "resume"):
        result = cli(command, "digits", "--store", missing)
        assert result.exit_code == 2
        assert "digits: no such experiment; there are none yet" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_over_is_watched_for_a_moment_and_then_shown(cli: Any, recorded: Any) -> None:
    recorded([0.25, 0.5], ExperimentState.SUCCEEDED)
    shown, watched = cli("show", "parabola"), cli("show", "parabola", "--watch")
    assert (watched.exit_code, watched.stdout) == (0, shown.stdout)

    refused = cli("show", "parabola", "--watch", "--json")
    assert refused.exit_code == 2
    assert "--watch: is for a person who looks; leave it or --json out" in refused.stderr


def test_list(cli: Any, recorded: Any, enrolled: Any) -> None:
    recorded([0.25, 0.5, None])
    recorded([], ExperimentState.FAILED, name="broken", trials=7)
    shown = cli("list")
    assert shown.exit_code == 0
    header, _, first, second = shown.stdout.splitlines()
    assert header.split() == ["name", "state", "objective", "trials", "failed", "best", "created"]
    assert first.split()[:5] == ["broken", "Failed", "maximize", "score", "0/7"]
    assert second.split()[:2] == ["parabola", "Finished"]
    assert second.split()[4:] == ["3/3", "1", "0.5", "just", "now"]
    assert [each["name"] for each in json.loads(cli("list", "--json").stdout)] == [
        "broken",
        "parabola",
    ]


def test_show(cli: Any, recorded: Any, store: Any) -> None:
    record = recorded([0.25, 0.5, None])
    shown = cli("show", "parabola").stdout
    assert "score 0.5 in trial 1" in shown
    assert str(store.folder(record.uid)) in shown
    assert "trial 2: ValueError: no good" in shown
    assert "ValueError: no good [really]" in shown
    document = json.loads(cli("show", "parabola", "--json").stdout)
    assert document["best"] == {"trial": 1, "value": 0.5, "parameters": {"x": 0.5}}
    assert document["trials"] == {"Succeeded": 2, "Failed": 1}
    assert document["lastFailure"]["trial"] == 2


@pytest.mark.parametrize("form, read", [("yaml", yaml.safe_load), ("json", json.loads)])
def test_show_prints_the_manifest(
    cli: Any, recorded: Any, form: str, read: Callable[[str], Any]
) -> None:
    record = recorded([0.5])
    text = cli("show", "parabola", "-o", form).stdout
    assert read(text)["metadata"]["name"] == "parabola"
    shown = parse_text(text)
    assert shown.model_copy(update={"status": None}) == record.document
    assert shown.status is not None
    assert shown.status["currentOptimalTrial"]["bestTrialName"] == "parabola-0"


def test_trials_sorted_and_filtered(cli: Any, recorded: Any) -> None:
    recorded([0.25, None, 0.5, -1.0])

    def numbers(*args: str) -> list[int]:
        return [row["number"] for row in json.loads(cli("trials", "parabola", *args).stdout)]

    assert numbers("--json") == [0, 1, 2, 3]
    assert numbers("--format", "json", "--sort", "best") == [2, 0, 3, 1]
    assert numbers("--json", "--state", "failed") == [1]
    assert numbers("--json", "--state", "Killed") == []


def test_trials_of_a_minimisation_have_the_least_first(cli: Any, recorded: Any) -> None:
    recorded([0.25, 0.5, -1.0], direction="minimize")
    rows = json.loads(cli("trials", "parabola", "--json", "--sort", "best").stdout)
    assert [row["score"] for row in rows] == [-1.0, 0.25, 0.5]


def test_trials_as_csv_and_table(cli: Any, recorded: Any) -> None:
    recorded([0.25, None])
    rows = list(csv.DictReader(io.StringIO(cli("trials", "parabola", "--format", "csv").stdout)))
    assert [(row["number"], row["state"], row["score"]) for row in rows] == [
        ("0", "Succeeded", "0.25"),
        ("1", "Failed", ""),
    ]
    assert rows[1]["message"] == "ValueError: no good"
    table = cli("trials", "parabola").stdout.splitlines()
    assert table[0].split() == ["trial", "state", "score", "x", "time"]
    assert table[2].split()[:5] == ["★", "0", "Succeeded", "0.25", "0"]


def test_columns_of_trials_are_chosen(cli: Any, recorded: Any) -> None:
    recorded([0.25, None])
    table = cli("trials", "parabola", "--columns", "message, x").stdout.splitlines()
    assert table[0].split() == ["trial", "state", "score", "message", "x"]
    assert table[3].split() == ["1", "Failed", "ValueError:", "no", "good", "0.5"]
    rows = json.loads(cli("trials", "parabola", "--json", "--columns", "time").stdout)
    assert [list(row) for row in rows] == [["number", "state", "score", "time"]] * 2
    refused = cli("trials", "parabola", "--columns", "x,scor,zzz")
    assert refused.exit_code == 2
    assert "--columns: no column 'scor'; did you mean 'score'?" in refused.stderr
    assert "--columns: no column 'zzz'; there are x, score, time" in refused.stderr


def test_at_any_width_columns_are_left_out_and_named(
    cli: Any, recorded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded([0.25, None])
    monkeypatch.setenv("COLUMNS", "26")
    lines = cli("trials", "parabola").stdout.splitlines()
    assert lines[0].split() == ["trial", "state", "score"]
    assert "2 more columns: x, time" in lines
    assert "or a wider terminal" in lines[-1]


@pytest.mark.parametrize("command", ["show", "best", "trials", "logs", "stop", "delete", "resume"])
def test_an_unknown_name_names_the_nearest(cli: Any, recorded: Any, command: str) -> None:
    recorded([0.5])
    result = cli(command, "parabol", "--json")
    assert result.exit_code == 2
    assert "did you mean 'parabola'?" in result.stderr
    (problem,) = json.loads(result.stdout)["problems"]
    assert problem["where"] == "parabol"


def test_logs(cli: Any, recorded: Any, store: Any) -> None:
    record = recorded([0.5, None, 0.7])
    for number in range(3):
        folder = store.folder(record.uid) / f"{number:05d}"
        folder.mkdir(parents=True)
        (folder / "log.txt").write_text(f"this is {number}\n")
    assert cli("logs", "parabola", "0").stdout == "this is 0\n"
    # The one that failed last says most.
    assert cli("logs", "parabola").stdout == "this is 1\n"
    assert cli("logs", "parabola", "2", "--follow").stdout == "this is 2\n"
    assert json.loads(cli("logs", "parabola", "2", "--json").stdout)["text"] == "this is 2\n"
    for arguments, message in (
        (["3"], "there are 0 to 2"),
        (["--runner"], "the runner: has no log on this machine"),
        (["--follow", "--json"], "--follow: cannot be used with --json"),
        (["2", "--runner"], "--runner: cannot be used with a trial's number"),
    ):
        result = cli("logs", "parabola", *arguments)
        assert result.exit_code == 2
        assert message in result.stderr


def test_text_of_users_is_no_markup(cli: Any, recorded: Any) -> None:
    record = recorded([None])
    assert "[really]" in cli("show", record.name).stdout


def test_trials_of_a_stopped_experiment_wait_for_its_resume(
    cli: Any, store: Store, enrolled: Any
) -> None:
    uid = enrolled().uid
    start_trial(store, uid, 0, new=Trial(0, {"x": 1.5}))
    requeue_trial(store, uid, 0)
    store.set_condition(uid, "Stopped", "ExperimentStopped", "it was stopped")
    trials, shown = cli("trials", "parabola").stdout, cli("show", "parabola").stdout
    assert "Waiting for resume" in trials and "Created" not in trials
    assert "1 waiting for resume" in shown
    assert all(line == line.rstrip() for line in shown.splitlines())


def test_how_the_search_made_a_trial_is_in_its_row(cli: Any, store: Store, enrolled: Any) -> None:
    uid = enrolled().uid
    made = {"rung": "1", "x": "noted"}
    for trial in (Trial(0, {"x": 1.5}), Trial(1, {"x": 1.5}, parent=0, labels=made)):
        start_trial(store, uid, trial.number, new=trial)
        requeue_trial(store, uid, trial.number)
    header, _, first, second = cli("trials", "parabola").stdout.splitlines()
    assert header.split() == ["trial", "state", "rung", "trial_x", "parent", "score", "x", "time"]
    assert first.split() == ["0", "Created", "1.5"]
    assert second.split() == ["1", "Created", "1", "noted", "0", "1.5"]
    rows = json.loads(cli("trials", "parabola", "--json").stdout)
    assert [(row["parent"], row.get("rung"), row["x"]) for row in rows] == [
        (None, None, 1.5),
        (0, "1", 1.5),
    ]


def test_of_several_objectives_the_front_is_shown(cli: Any, store: Store, enrolled: Any) -> None:
    second = AdditionalObjective(type=ObjectiveType.MINIMIZE, objective_metric_name="cost")
    uid = enrolled(additional_objectives=(second,)).uid
    for number, (score, cost) in enumerate([(0.5, 1.0), (0.75, 2.0), (0.25, 3.0)]):
        start_trial(store, uid, number, new=Trial(number, {"x": number}))
        seen = [
            Observation(metric=name, value=value, time=1.0)
            for name, value in (("score", score), ("cost", cost))
        ]
        finish_trial(store, uid, number, TrialState.SUCCEEDED, observations=seen, offset=1)
    for command in ("best", "show"):
        lines = cli(command, "parabola").stdout.splitlines()
        header = next(n for n, line in enumerate(lines) if line.startswith("trial"))
        assert [line.split() for line in lines[header:] if line[:1] != "─"] == [
            ["trial", "score", "cost", "x"],
            ["1", "0.75", "2", "1"],
            ["0", "0.5", "1", "0"],
        ]
    # A list reads the best trial alone, not the front.
    assert "0.75, 2" in cli("list").stdout


def test_a_command_that_is_named_goes_to_the_same_store(
    cli: Any, recorded: Any, store: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    recorded([0.25, None])
    location = str(store)
    more = "More: hpo-lab logs parabola 1"
    assert more in cli("show", "parabola").stdout.splitlines()
    monkeypatch.setenv("HPO_LAB_STORE", str(tmp_path / "another.db"))
    shown = cli("show", "parabola", "--store", location).stdout
    assert f"{more} --store {location}" in shown.splitlines()


def test_secrets_are_shown_only_to_who_asks_for_them(
    cli: Any, store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "secret.yaml"
    path.write_text(WITH_SECRETS)
    assert cli("run", path).exit_code == 0
    masked, whole = cli("show", "printed", "-o", "yaml"), cli("show", "printed", "-o", "json")
    for shown in (masked, whole, cli("convert", path), cli("convert", path, "--to", "katib")):
        assert "hush" not in shown.output and "EPOCHS" in shown.stdout and "•••" in shown.stdout
        note = "2 values are masked (•••), and the manifest does not run so; --show-secrets"
        assert note in shown.stderr
    plain = cli("show", "printed", "-o", "yaml", "--show-secrets")
    assert "value: hush\n" in plain.stdout and "me:hush@host" in plain.stdout
    assert "masked" not in plain.stderr

    path.write_text(masked.stdout)
    for command in ("validate", "run", "convert"):
        refused = cli(command, path)
        assert refused.exit_code == 2
        place = "spec.trialTemplate.trialSpec.spec.template.spec.containers[0].env[0].value"
        message = "is masked (•••); write the value, or print the manifest again with"
        assert f"{place}: {message} --show-secrets" in refused.stderr
    path.write_text(plain.stdout)
    assert cli("validate", path).exit_code == 0

    path.write_text(WITH_SECRETS.replace("value: hush}", "value: hush2}"))
    different = cli("run", path)
    assert "env[0].value: '•••' before, '•••' now" in different.stderr
    path.write_text(WITH_SECRETS.replace("value: hush}", "value: 1234567}"))
    wrong = cli("validate", path)
    assert "1234567" not in wrong.output and "is no text" in wrong.stderr


WITH_SECRETS = MANIFEST.replace(
    "image: none\n",
    """image: trainer
                env: [{name: DB_PASSWORD, value: hush}, {name: EPOCHS, value: "3"},
                      {name: PG, value: "postgresql://me:hush@host/db"}]
""",
)


def test_nothing_that_a_trial_says_steers_the_terminal(
    cli: Any, recorded: Any, store: Store
) -> None:
    record = recorded([0.25])
    sequence = "\x1b]0;owned\x07\x1b[2J"
    log = store.folder(record.uid) / "00000" / "log.txt"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(f"a{sequence}b \x1b[31mred\x1b[0m\n")
    start_trial(store, record.uid, 1, new=Trial(1, {"x": 0.5}))
    finish_trial(store, record.uid, 1, TrialState.FAILED, message=f"bad{sequence}")
    assert "ab \x1b[31mred\x1b[0m\n" in cli("logs", "parabola", "0").stdout
    for words in (("show",), ("trials", "--format", "csv"), ("trials", "--columns", "message")):
        command, *options = words
        shown = cli(command, "parabola", *options).stdout
        assert "bad" in shown and "\x1b" not in shown and "\x07" not in shown
