"""What is read of the file in which a trial reports."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from hpo_lab.local.metrics import Batch, read_metrics
from hpo_lab.observation import Outcome
from hpo_lab.trial.folder import METRICS, TRIAL_FOLDER, mark_interrupted, write_outcome
from hpo_lab.trial.report import report


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(TRIAL_FOLDER, str(tmp_path))
    return tmp_path


def values(batch: Batch) -> list[float]:
    return [one.value for one in batch.observations]


def test_the_outcome_is_told_as_often_as_it_is_asked_for(folder: Path) -> None:
    report(score=1)
    write_outcome(Outcome(True, 5.0), folder)

    first = read_metrics(folder, 0)
    again = read_metrics(folder, first.offset)

    assert values(first) == [1.0] and values(again) == []
    assert first.outcome == again.outcome == Outcome(True, 5.0)
    assert again.offset == first.offset


def test_a_report_after_the_outcome_is_kept_apart(folder: Path) -> None:
    report(score=1)
    write_outcome(Outcome(True, 5.0), folder)
    report(score=2)

    found = read_metrics(folder, 0)

    assert values(found) == [1.0]
    assert [one.value for one in found.late] == [2.0]


def test_a_line_without_its_end_is_lost_and_no_other(folder: Path) -> None:
    report(score=1)
    with (folder / METRICS).open("a") as file:
        file.write('{"time": 1, "st')
    write_outcome(Outcome(True, 5.0), folder)
    report(score=2)

    found = read_metrics(folder, 0)

    assert values(found) == [1.0, 2.0]
    assert found.outcome is None


def test_an_endless_traceback_is_cut(folder: Path) -> None:
    write_outcome(Outcome(False, 5.0, "é" * 10_000_000, "x" * 10_000_000 + "the end"), folder)

    outcome = read_metrics(folder, 0).outcome

    assert outcome is not None and outcome.traceback.endswith("the end")
    assert len(outcome.message) + len(outcome.traceback) <= 200_000


@pytest.mark.parametrize("line", [b"\xff\n", b"5\n", b"null\n", b'{"time": 1}\n'])
def test_a_line_that_is_no_report_is_a_problem_unless_the_trial_had_ended(
    folder: Path, line: bytes
) -> None:
    report(score=1)
    spoilt = folder / METRICS
    with spoilt.open("ab") as file:
        file.write(line)
    report(score=2)

    batch = read_metrics(folder, 0)

    assert values(batch) == [1.0] and batch.outcome is None
    assert "no report" in batch.problem
    assert read_metrics(folder, batch.offset).problem == batch.problem
    lines = spoilt.read_bytes().splitlines(keepends=True)
    spoilt.write_bytes(lines[0])
    write_outcome(Outcome(True, 5.0), folder)
    with spoilt.open("ab") as file:
        file.write(line + lines[2])
    ended = read_metrics(folder, 0)
    assert ended.outcome == Outcome(True, 5.0) and not ended.problem
    assert [one.value for one in ended.late] == [2.0]


def test_zeros_that_a_crash_of_the_machine_left_are_passed(folder: Path) -> None:
    report(score=1)
    with (folder / METRICS).open("ab") as file:
        file.write(b"\0" * 100 + b"\n")
    report(score=2)

    assert values(read_metrics(folder, 0)) == [1.0, 2.0]


def test_an_exception_after_an_interruption_is_no_outcome(folder: Path) -> None:
    report(score=1)
    write_outcome(Outcome(False, time.time() - 1, "ValueError"), folder)
    mark_interrupted(folder)
    before = read_metrics(folder, 0)
    write_outcome(Outcome(False, time.time() + 1, "SystemExit: 1"), folder)
    after = read_metrics(folder, 0)
    write_outcome(Outcome(True, time.time() + 1), folder)

    assert before.outcome is not None and before.outcome.message == "ValueError"
    assert after.outcome is None and values(after) == [1.0]
    assert read_metrics(folder, 0).outcome is not None
