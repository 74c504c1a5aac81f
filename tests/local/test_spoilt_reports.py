"""Whatever a trial does to its own files ends that trial, and neither its runner nor others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hpo_lab.experiment.space import choice
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.local.metrics import read_metrics
from hpo_lab.local.runner import local_runner
from hpo_lab.store import Store
from hpo_lab.trial.attributes import set_attribute
from hpo_lab.trial.folder import METRICS, TRIAL_FOLDER
from hpo_lab.trial.report import report


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "store" / "hpo_lab.db")
    database: str = request.getfixturevalue("new_database")()
    return database


def spoiling(how):
    """Spoil the files of this trial, as *how* says."""
    import os
    import shutil
    import time
    from pathlib import Path

    from hpo_lab import report

    folder = Path(os.environ["HPO_LAB_TRIAL_FOLDER"])
    report(score=0.5)
    time.sleep(0.5)
    metrics, log, kept = (folder / name for name in ("metrics.jsonl", "log.txt", "kept"))

    def append(content):
        with metrics.open("ab") as file:
            file.write(content)

    def replace(path, make):
        path.unlink()
        make(path)

    match how:
        case "nothing is wrong":
            return 0.5
        case "reported step":
            report(score=0.5, step=2**63)
        case "number":
            append(b"123\n")
        case "no time":
            append(b'{"step": 1, "metrics": {"score": 1}}\n')
        case "text as time":
            append(b'{"time": "now", "step": 1, "metrics": {"score": 1}}\n')
        case "wide step":
            append(b'{"time": 1, "step": 9223372036854775808, "metrics": {"score": 1}}\n')
        case "half step":
            append(b'{"time": 1, "step": 0.5, "metrics": {"score": 1}}\n')
        case "wide number":
            append(b'{"time": 1, "step": 1, "metrics": {"score": 1%s}}\n' % (b"0" * 400))
        case "long name":
            append(
                b'{"time": 1, "step": 1, "metrics": {"%s": 1}}\n' % os.urandom(1500).hex().encode()
            )
        case "not UTF-8":
            append(b"\xff\xfe\n")
        case "long line":
            append(b" " * 5_000_000 + b"\n")
        case "deep line":
            append(b"[" * 1_000_000 + b"\n")
        case "outcome of nothing":
            append(b'{"outcome": {"succeeded": "yes", "completed_at": null}}\n')
        case "pipe":
            replace(metrics, os.mkfifo)
        case "folder":
            replace(metrics, os.mkdir)
        case "link":
            replace(metrics, lambda path: path.symlink_to("/etc/passwd"))
        case "emptied":
            os.truncate(metrics, 0)
        case "removed":
            metrics.unlink()
        case "log is a pipe":
            replace(log, os.mkfifo)
            return 0.5
        case "log is a folder":
            replace(log, os.mkdir)
            return 0.5
        case "kept is a file":
            kept.touch()
            return 0.5
        case "kept is odd":
            place = kept / "1-text"
            (place / "folder").mkdir(parents=True)
            os.mkfifo(place / "pipe")
            (place / "ok").touch()
            (place / "\udcff").touch()
            return 0.5
        case "folder is gone":
            shutil.rmtree(folder)
            return 0.5
    time.sleep(30)


FATAL = {
    "reported step": "ValueError: step is 9223372036854775808; it must fit into 64 bits",
    "number": "has a line that cannot be recorded, it is no report: 123",
    "no time": "it is no report",
    "text as time": 'the time "now" is no time in seconds since the epoch',
    "wide step": "the step 9223372036854775808 is no integer of 64 bits",
    "half step": "the step 0.5 is no integer of 64 bits",
    "wide number": "which is no number",
    "long name": "the name of a metric has 3000 bytes",
    "not UTF-8": "has a line that is no report",
    "long line": "it has a line of more than 4 MiB",
    "deep line": "has a line that is no report",
    "outcome of nothing": "has a line that is no report",
    "pipe": "it is no plain file",
    "folder": "it is no plain file",
    "link": "it is a link",
    "emptied": "it is shorter than before",
    "removed": "it was removed",
}
HARMLESS = ("log is a pipe", "log is a folder", "kept is a file", "kept is odd")


def test_a_trial_that_spoils_its_files_fails_alone(store: Store, enrolled) -> None:
    kinds = [*FATAL, *HARMLESS, "folder is gone", "nothing is wrong"]
    record = enrolled(
        spoiling,
        space={"how": choice(*kinds)},
        algorithm="grid",
        trials=len(kinds),
        parallel=8,
        max_failed=len(kinds),
    )

    verdict = local_runner(store, record.uid).run()

    trials = {trial.assignments["how"]: trial for trial in store.trials(record.uid)}
    assert verdict.state == "Succeeded", verdict
    for how, words in FATAL.items():
        assert trials[how].state is TrialState.FAILED, how
        assert words in trials[how].message, how
        assert trials[how].metrics["score"].latest == 0.5, how
    for how in (*HARMLESS, "nothing is wrong"):
        assert trials[how].state is TrialState.SUCCEEDED, how
    assert trials["folder is gone"].state is TrialState.FAILED
    kept = [each.name for each in store.artifacts(record.uid, trials["kept is odd"].number)]
    assert "ok" in kept and not {"pipe", "folder", "\udcff"} & set(kept)


# What JSON can hold, and more often what is nearly a report.
_VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        [2**63, -(2**63) - 1, 10**400, "nan", "-inf", "1e999", "\0", "\ud800", 5e-324]
    ),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=4,
)
_NAME = st.text(max_size=6) | st.sampled_from(["n" * 1000, "n" * 1001, "é" * 501, "a\0", "\udfff"])
_REPORT = st.fixed_dictionaries(
    {},
    optional={
        "time": st.floats() | _VALUE,
        "step": st.none() | st.integers() | _VALUE,
        "metrics": st.dictionaries(_NAME, _VALUE, max_size=3) | _VALUE,
        "outcome": _VALUE,
        "interrupted_at": _VALUE,
    },
)
_GOOD = st.fixed_dictionaries(
    {
        "time": st.floats(0, 1e11),
        "step": st.none() | st.integers(-(2**63), 2**63 - 1),
        "metrics": st.dictionaries(
            _NAME, st.floats() | st.integers(-(10**300), 10**300) | st.text(max_size=6), max_size=3
        ),
    }
)
_LINES = st.lists(
    (_GOOD | _REPORT | _VALUE).map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=9),
    max_size=4,
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_LINES)
def test_what_is_read_of_any_file_can_be_stored(
    store: Store, enrolled, tmp_path: Path, lines: list[bytes]
) -> None:
    (record,) = store.named("any") or [enrolled(_never_run, name="any")]
    folder = tmp_path / "trial"
    folder.mkdir(exist_ok=True)
    (folder / METRICS).write_bytes(b"".join(line + b"\n" for line in lines))

    batch = read_metrics(folder, 0)

    overview = store.overview(record.uid)
    assert overview is not None
    number = sum(overview.counts.values())
    observations = [*batch.observations, *batch.late]
    with store.transaction(record.uid) as transaction:
        transaction.start_trial(number, new=Trial(number, {"x": 0.5}))
        transaction.observe(number, observations, max(1, batch.offset))
        transaction.finish_trial(
            number,
            TrialState.FAILED,
            batch.outcome.completed_at if batch.outcome else None,
            message=batch.problem or (batch.outcome.message if batch.outcome else ""),
            traceback=batch.outcome.traceback if batch.outcome else "",
        )
    stored = store.observations(record.uid, number)
    assert [each.step for each in stored] == [each.step for each in observations]
    assert [each.time for each in stored] == [each.time for each in observations]
    assert [each.metric for each in stored] == [each.metric for each in observations]
    assert [trial.number for trial in store.trials(record.uid, [number])] == [number]


def _never_run(x):
    return x


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(TRIAL_FOLDER, str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("step", "metrics", "words"),
    [
        (2**63, {"loss": 1}, "must fit into 64 bits"),
        (None, {"n" * 3000: 1}, "has 3000 bytes"),
        (None, {"a\0b": 1}, "no text"),
        (None, {"\ud800": 1}, "no text"),
        (None, {"loss": 10**400}, "does not fit into a float"),
    ],
)
def test_report_refuses_what_a_store_cannot_hold(folder: Path, step, metrics, words) -> None:
    with pytest.raises(ValueError, match=words):
        report(step=step, **metrics)
    with pytest.raises(ValueError, match="keep"):
        set_attribute("note", "x" * 5_000_000)
    assert not (folder / METRICS).exists()


def test_a_line_that_a_full_disk_cut_keeps_no_report_back(folder: Path) -> None:
    from hpo_lab.trial.report import reported_metrics

    report(a=1)
    with (folder / METRICS).open("a") as file:
        file.write('{"time": 1, "st')
    report(b=1)
    report(c=1)

    assert reported_metrics() == {"a", "c"}
    assert [each.metric for each in read_metrics(folder, 0).observations] == ["a", "c"]
