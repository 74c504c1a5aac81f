from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import Any


def test_stop_of_what_does_not_run(cli: Any, recorded: Any) -> None:
    recorded([0.5])
    result = cli("stop", "parabola", "--json")
    assert result.exit_code == 0
    assert "parabola is not running (Finished)" in result.stderr
    assert json.loads(result.stdout) == {"name": "parabola", "state": "Succeeded"}


def test_delete_needs_a_yes(cli: Any, recorded: Any, store: Any) -> None:
    record = recorded([0.5])
    refused = cli("delete", "parabola")
    assert refused.exit_code == 2
    assert "--yes: is needed where nobody can be asked" in refused.stderr
    assert store.named("parabola")
    folder = store.folder(record.uid)
    folder.mkdir(parents=True)
    deleted = cli("delete", "parabola", "--yes", "--json")
    assert (deleted.exit_code, json.loads(deleted.stdout)["deleted"]) == (0, True)
    assert store.experiments() == []
    assert not folder.exists()


def test_delete_asks_on_a_terminal(recorded: Any, store: Any) -> None:
    recorded([0.5])
    command = [sys.executable, "-c", "from hpo_lab.cli import main; main()", "delete", "parabola"]
    for answer, left in ((b"n\n", 1), (b"y\n", 0)):
        terminal, child = pty.openpty()
        process = subprocess.Popen(command, stdin=child, stderr=subprocess.PIPE)
        os.write(terminal, answer)
        _, said = process.communicate(timeout=30)
        assert b"Delete parabola with 1 trial and all files?" in said
        assert len(store.experiments()) == left
        os.close(terminal)
        os.close(child)


def test_fresh_asks_a_person_before_it_deletes(recorded: Any, notebook: Any, store: Any) -> None:
    path = notebook("%%tune maximize acc --trials 1\nlr = 0.1  # tune: uniform(0, 1)\nacc = lr")
    before = recorded([0.5])
    store.move(before.uid, os.path.realpath(path.parent), None)
    code = "from hpo_lab.cli import main; main()"
    command = [sys.executable, "-c", code, "run", str(path), "--name", "parabola", "--fresh"]
    for answer, exit_code in ((b"n\n", 2), (b"y\n", 0)):
        terminal, child = pty.openpty()
        process = subprocess.Popen(command, stdin=child, stderr=subprocess.PIPE)
        os.write(terminal, answer)
        _, said = process.communicate(timeout=120)
        assert b"Delete parabola with its 1 trial and start anew?" in said
        assert process.returncode == exit_code
        is_kept = store.experiment_by_uid(before.uid) is not None
        assert is_kept == (exit_code == 2)
        os.close(terminal)
        os.close(child)
    assert [each.name for each in store.experiments()] == ["parabola"]
    assert b"It replaces parabola and its 1 trial\n" in said


def test_a_list_is_of_this_folder_and_a_name_of_another_says_so(
    cli: Any, recorded: Any, store: Any
) -> None:
    store.move(recorded([0.5]).uid, "/other/folder", None)
    result = cli("list")
    assert result.stdout == ""
    assert "Of other folders: 1 (hpo-lab list --all)" in result.stderr
    assert "/other/folder" in cli("list", "--all").stdout
    shown = cli("best", "parabola", "--json")
    assert "parabola of /other/folder" in shown.stderr
    assert json.loads(shown.stdout)["name"] == "parabola"
