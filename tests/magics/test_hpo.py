from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from IPython.core.completer import provisionalcompleter

import hpo_lab
from hpo_lab.experiment.trial import TrialState
from hpo_lab.facade.tally import summarise
from hpo_lab.magics.commands import COMMANDS, parse_command
from hpo_lab.problems import InvalidInput
from hpo_lab.store import Store
from hpo_lab.trial.folder import LOG

if TYPE_CHECKING:
    from tests.magics.conftest import Record, Shell

SUCCEEDED, FAILED = TrialState.SUCCEEDED, TrialState.FAILED
_TWO = ((SUCCEEDED, {"lr": 0.0123456, "opt": "adam"}, 0.5), (SUCCEEDED, {"lr": 0.5}, 0.25))


def test_a_line_is_taken_apart() -> None:
    arguments = parse_command("resume digits --trials 40 --timeout=10m --store /tmp/x.db")
    assert (arguments.command, arguments.words) == ("resume", ("digits",))
    assert arguments.options.trials == 40
    assert arguments.options.timeout == 600
    assert arguments.store == "/tmp/x.db"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", "a command is needed"),
        ("shwo", "did you mean 'show'?"),
        ("best --aply", "--aply: unknown option; did you mean '--apply'?"),
        ("best --trial x", "--trial: 'x' is no trial's number"),
        ("best --run=0", "--run: does not take a value"),
        ("wait --timeout", "--timeout: needs a value"),
        ("wait --timeout soon", "'soon' is no time"),
        ("show one two", "found 'one two'; write %hpo show [NAME]"),
        ("delete", "found 'no name'; write %hpo delete NAME"),
        ("list x", "write %hpo list"),
        ("plot", "found 'no figure'; write %hpo plot [NAME] FIGURE"),
        ("plot", "there are history, importances"),
        ("show 'x", "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_line_is_said(line: str, expected: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_command(line)
    assert expected in str(caught.value)


def test_every_problem_of_a_line_is_said_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_command("resume a b --trails 4 --parallel 0")
    assert len(caught.value.problems) == 3


def test_help_names_every_command_and_option(shell: Shell) -> None:
    magics = shell.shell.magics_manager
    assert all(name in magics.magics["line"]["hpo"].__doc__ for name in COMMANDS)
    help = magics.magics["cell"]["tune"].__doc__
    assert all(flag in help for flag in ("--trial-timeout", "--setting", "--dry-run", "-o"))


def test_what_is_said_of_an_experiment_whose_runner_is_gone(record: Record, store: Store) -> None:
    uid = record("digits", *_TWO, state="Running")
    known = store.experiment_by_uid(uid)
    assert known is not None
    found = summarise(known, store.trials(uid), time.time() + 60).to_json()
    assert found["state"] == "Interrupted"
    assert found["message"] == "its runner is gone; it can be resumed"


def test_the_name_may_be_left_out_only_where_it_is_clear(shell: Shell, record: Record) -> None:
    assert "there are none yet" in shell.run("%hpo show")[1]
    record("one", *_TWO)
    assert shell.run("%hpo show")[1].startswith("one: Finished, 2 of 20 trials done")
    record("two", *_TWO)
    assert "say which: one, two" in shell.run("%hpo show")[1]
    assert "did you mean 'two'?" in shell.run("%hpo show twoo")[1]


def test_a_restarted_kernel_finds_the_experiments_of_its_folder_again(
    shell: Shell, record: Record, tmp_path: Path
) -> None:
    record("earlier", *_TWO, folder=tmp_path)
    record("elsewhere", *_TWO, folder=tmp_path / "other")
    shown = shell.run("%hpo show")[1]
    assert "earlier: Finished, 2 of 20 trials done" in shown
    assert shown.endswith("earlier, the newest of this folder\n")

    record("later", *_TWO, folder=tmp_path)
    shown = shell.run("%hpo best")[1]
    assert "later: best accuracy 0.5 in trial 0" in shown
    assert "later, the newest of this folder; others are earlier" in shown
    # What would change one of several wants its name.
    succeeded, shown = shell.run("%hpo stop")
    assert not succeeded
    assert "this kernel has started no experiment; say which: earlier, later" in shown


def test_enqueue_takes_values_with_and_without_a_name(
    shell: Shell, record: Record, store: Store
) -> None:
    uid = record("digits", *_TWO)
    succeeded, shown = shell.run("%hpo enqueue lr=0.001 opt=sgd")
    assert succeeded and "1 point waits to be tried" in shown
    assert shell.run("%hpo enqueue digits lr=1e-2")[0]
    points = store.experiment_by_uid(uid).document.spec.enqueued_points  # type: ignore[union-attr]
    assert points == ({"lr": 0.001, "opt": "sgd"}, {"lr": 0.01})
    succeeded, shown = shell.run("%hpo enqueue digits opt=adm")
    assert not succeeded and "did you mean 'adam'?" in shown


def test_list_shows_all(shell: Shell, record: Record) -> None:
    assert "no experiments yet" in shell.run("%hpo list")[1]
    record("one", *_TWO)
    record("two", state="Stopped")
    shown = shell.run("%hpo list")[1].splitlines()
    assert shown[0].split() == ["name", "state", "objective", "trials", "failed", "best", "created"]
    assert [line.split() for line in shown[2:4]] == [
        ["two", "Stopped", "maximize", "accuracy", "0/20", "just", "now"],
        ["one", "Finished", "maximize", "accuracy", "2/20", "0.5", "just", "now"],
    ]


def test_wait_ends_at_once_when_it_is_over_and_says_when_it_is_not(
    shell: Shell, record: Record
) -> None:
    record("over", *_TWO)
    record("runs", state="Created")
    assert shell.run("%hpo wait over")[0]
    succeeded, shown = shell.run("%hpo wait runs --timeout 0.1s")
    assert not succeeded
    assert "runs still runs after 0.1 seconds" in shown


def test_wait_beside_a_live_panel_is_a_line(shell: Shell, record: Record) -> None:
    record("over", *_TWO)
    assert shell.run("%hpo wait over")[1].splitlines()[1].startswith("it is Succeeded")
    assert shell.run("%hpo show over")[0]
    assert len(shell.run("%hpo wait over")[1].splitlines()) == 3, "no front end changes a panel"
    shell.shell.kernel = "a kernel"
    assert shell.run("%hpo show over")[0]
    (line,) = shell.run("%hpo wait over")[1].splitlines()
    assert line.startswith("over: Finished, 2 of 20 trials done")
    assert line.endswith("best accuracy 0.5 in trial 0")


def test_delete_deletes(shell: Shell, record: Record, store: Store) -> None:
    uid = record("digits", *_TWO)
    assert "digits is deleted, with 2 trials" in shell.run("%hpo delete digits")[1]
    assert store.experiment_by_uid(uid) is None


def test_logs_are_those_of_the_last_failed_trial_or_of_the_one_named(
    shell: Shell, record: Record, store: Store
) -> None:
    failed = (FAILED, {"lr": 0.1}, None)
    uid = record("digits", failed, *_TWO)
    for number in range(3):
        folder = store.folder(uid) / f"{number:05d}"
        folder.mkdir(parents=True)
        (folder / LOG).write_text(f"this is {number}")
    assert "this is 0" in shell.run("%hpo logs digits")[1]
    assert "this is 2" in shell.run("%hpo logs digits 2")[1]
    shown = shell.run("%hpo logs digits 7")[1]
    assert "trial 7: no such trial of digits; there are 0 to 2" in shown


def test_another_store_can_be_named(shell: Shell) -> None:
    assert "no experiments yet" in shell.run("%hpo list --store other.db")[1]


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("%hpo sto", "stop"),
        ("%hpo best digits --ap", "--apply"),
        ("%%tune maximize accuracy --trial-t", "--trial-timeout"),
        ("%%tune min", "minimize"),
    ],
)
def test_words_are_completed(shell: Shell, line: str, completed: str) -> None:
    with provisionalcompleter():
        found = [each.text for each in shell.shell.Completer.completions(line, len(line))]
    assert completed in found


def test_the_headline_of_the_best_has_four_digits_and_its_values_all(
    shell: Shell, record: Record
) -> None:
    record("long", (SUCCEEDED, {"lr": 0.0123456, "opt": "adam"}, 0.9955555555555555))
    shown = shell.run("%hpo best long")[1]
    assert "long: best accuracy 0.9956 in trial 0\nlr = 0.0123456\n" in shown
    assert "best 0.9956>" in repr(hpo_lab.get("long"))


def test_a_file_that_made_no_experiment_is_told(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "missing.ipynb"
    shown = shell.run(f"%hpo show {path}")[1]
    assert "no such file" in shown.lower() and "no such experiment" not in shown


def test_a_dashboard_is_the_panel_where_no_widget_can_be_shown(
    shell: Shell, record: Record
) -> None:
    record("digits", (TrialState.SUCCEEDED, {"lr": 0.1, "opt": "adam"}, 0.5))
    succeeded, text = shell.run("%hpo dashboard digits")
    assert succeeded and "digits: Finished, 1 of 20 trials done" in text
