from __future__ import annotations

import io
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from hpo_lab.dashboard.columns import STAR, Column, print_columns
from hpo_lab.dashboard.tables import print_trials
from hpo_lab.dashboard.words import ago, duration, number
from hpo_lab.experiment.model import ObjectiveType, TrialTemplate
from hpo_lab.experiment.space import uniform
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.facade.columns import trial_row
from hpo_lab.facade.results import TrialResult, table_of
from hpo_lab.options import TuneOptions

_names = st.text("abcdefgh_é漢", min_size=1, max_size=30)
_values = st.one_of(st.floats(), st.integers(-(10**9), 10**9), st.sampled_from(["adam", "sgd"]))


@dataclass
class Printed:
    lines: list[str]
    dropped: list[str]


def _print(columns: list[Column], rows: list[list[str]], width: int, option: str = "") -> Printed:
    console = Console(file=io.StringIO(), width=width)
    dropped = print_columns(console, columns, rows, option=option)
    assert isinstance(console.file, io.StringIO)
    return Printed(console.file.getvalue().splitlines(), dropped)


@given(
    names=st.lists(_names, unique=True, max_size=30),
    width=st.integers(42, 200),
    data=st.data(),
)
def test_whatever_the_width_words_and_numbers_are_whole(
    names: list[str], width: int, data: st.DataObject
) -> None:
    columns = [Column("trial", stays=True), Column("state", stays=True, left=True)]
    columns += [Column("score", stays=True), *map(Column, names)]
    values = [st.just("7"), st.just("MetricsUnavailable"), *([_values.map(number)] * len(names))]
    row = st.tuples(*values[:2], _values.map(number), *values[2:]).map(list)
    rows = data.draw(st.lists(row, min_size=1, max_size=5))

    printed = _print(columns, rows, width, "--columns")

    assert all(cell_len(line) <= width for line in printed.lines)
    kept = [column.name for column in columns if column.name not in printed.dropped]
    assert kept[:3] == ["trial", "state", "score"]
    assert printed.lines[0].split() == kept
    for line, cells in zip(printed.lines[2:], rows, strict=False):
        texts = [text for column, text in zip(columns, cells, strict=True) if column.name in kept]
        assert line.split() == [text for text in texts if text]
    note = " ".join(printed.lines[2 + len(rows) :])
    assert all(name in note.replace(",", " ").split() for name in printed.dropped)
    assert ("a wider terminal" in note) == bool(printed.dropped)


def test_what_varies_is_preferred_to_what_is_the_same_everywhere() -> None:
    columns = [Column("trial", stays=True), Column("fixed"), Column("varies")]
    printed = _print(columns, [["0", "1", "2"], ["1", "1", "3"]], 14)
    assert printed.lines[0].split() == ["trial", "varies"]
    assert printed.dropped == ["fixed"]


def test_the_head_of_a_column_that_stays_gives_way_to_its_numbers() -> None:
    columns = [Column("trial", stays=True), Column("a_very_long_metric", stays=True)]
    printed = _print(columns, [["0", "0.1235"]], 14)
    assert printed.lines[0] == "trial  a_very…"
    assert printed.lines[2] == "    0   0.1235"


def test_long_values_are_cut_and_line_breaks_are_none() -> None:
    (text,) = _print([Column("text")], [["a\nb" + "c" * 50]], 80).lines[2:]
    assert text == f"a b{'c' * 20}…"


def test_the_best_trial_is_marked() -> None:
    options = TuneOptions(direction=ObjectiveType.MAXIMIZE, metric="accuracy")
    spec = options.spec([uniform(0, 1).named("lr")], TrialTemplate())
    trials = [
        Trial(n, {"lr": n / 7}, TrialState.SUCCEEDED, {"accuracy": Metric.single(n / 3)})
        for n in range(3)
    ]
    console = Console(file=io.StringIO(), width=80)
    print_trials(console, spec, (trial_row(spec, trial) for trial in trials), best={2})
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert [STAR in line for line in lines] == [False, False, False, False, True]
    assert lines[-1].split() == [STAR, "2", "Succeeded", "0.6667", "0.2857"]


def test_parameters_and_metrics_may_be_called_as_our_columns() -> None:
    options = TuneOptions(direction=ObjectiveType.MINIMIZE, metric="seconds")
    spec = options.spec(
        [uniform(0, 9).named("state"), uniform(0, 9).named("number")], TrialTemplate()
    )
    metrics = {"seconds": Metric.single(1000.0)}
    trial = Trial(
        7, {"state": 5, "number": 6}, TrialState.SUCCEEDED, metrics, started_at=1, completed_at=3
    )
    row = trial_row(spec, trial)
    flat = row.flat()
    assert [flat[name] for name in ("state", "number", "seconds", "attempt")] == [5, 6, 1000.0, 1]
    assert [flat[f"trial_{name}"] for name in ("state", "number", "seconds")] == ["Succeeded", 7, 2]
    assert row.flat(["number"]) == {"trial_number": 7, "trial_state": "Succeeded", "number": 6}
    console = Console(file=io.StringIO(), width=80)
    print_trials(console, spec, [row])
    assert isinstance(console.file, io.StringIO)
    head, _, line = console.file.getvalue().splitlines()
    assert head.split() == ["trial", "trial_state", "seconds", "state", "number", "time"]
    assert line.split() == ["7", "Succeeded", "1000", "5", "6", "2.0", "s"]


def test_parameters_and_metrics_may_be_called_as_our_columns_beside_others() -> None:
    options = TuneOptions(direction=ObjectiveType.MINIMIZE, metric="trial_seconds")
    names = ["trial_state", "trial_number", "time"]
    spec = options.spec([uniform(0, 9).named(name) for name in names], TrialTemplate())
    values = {"trial_state": 0.5, "trial_number": 6, "time": 4}
    metrics = {"trial_seconds": Metric.single(1000.0)}
    trial = Trial(7, values, TrialState.SUCCEEDED, metrics, started_at=1, completed_at=3)
    row = trial_row(spec, trial)
    flat = row.flat()
    assert [flat[name] for name in ("number", "state", "seconds")] == [7, "Succeeded", 2]
    assert [flat[name] for name in [*names, "trial_seconds"]] == [0.5, 6, 4, 1000.0]
    console = Console(file=io.StringIO(), width=100)
    print_trials(console, spec, [row])
    assert isinstance(console.file, io.StringIO)
    head, _, line = console.file.getvalue().splitlines()
    assert head.split() == ["trial", "state", "trial_seconds", *names, "trial_time"]
    assert line.split() == ["7", "Succeeded", "1000", "0.5", "6", "4", "2.0", "s"]


def test_a_parameter_a_metric_and_a_label_of_the_same_name_are_all_there() -> None:
    options = TuneOptions(direction=ObjectiveType.MINIMIZE, metric="x")
    spec = options.spec([uniform(0, 9).named("x")], TrialTemplate())
    metrics = {"x": Metric.single(40.0)}
    trial = Trial(0, {"x": 4}, TrialState.SUCCEEDED, metrics, labels={"x": "noted"})
    row = trial_row(spec, trial)
    console = Console(file=io.StringIO(), width=80)
    print_trials(console, spec, [row], labels=["x"])
    assert isinstance(console.file, io.StringIO)
    head, _, line = console.file.getvalue().splitlines()
    assert head.split() == ["trial", "state", "trial_x", "metric_x", "x", "time"]
    assert line.split() == ["0", "Succeeded", "noted", "40", "4"]
    table = table_of(["x"], [TrialResult.of(spec.objective, trial)])
    for name, value in {"x": 4, "metric_x": 40.0, "trial_x": "noted"}.items():
        assert row.flat()[name] == table[name][0] == value


@given(st.floats(-1e300, 1e300))
def test_a_number_has_four_significant_digits(value: float) -> None:
    text = number(value)
    assert abs(float(text) - value) <= abs(value) * 0.5001e-3 + 1e-300
    digits = text.partition("e")[0].lstrip("-").replace(".", "").lstrip("0")
    assert len(digits) <= 4 or (1e4 - 1 <= abs(value) < 1e6 and "." not in text)


def test_numbers_as_they_would_be_typed() -> None:
    values = [0.001312345, 0.1, 512, 64.0, 1.23e-6, 12345.6, 9999.7, 2.5e7, True, "adam", None]
    assert [number(value) for value in values] == [
        *("0.001312", "0.1", "512", "64", "1.23e-6", "12346", "10000", "2.5e7"),
        *("True", "adam", ""),
    ]


def test_times_in_two_units() -> None:
    spans = [0.25, 9.96, 59.7, 187.0, 7389.0, 273_000.0]
    assert [duration(span) for span in spans] == [
        *("0.2 s", "10 s", "1 min 0 s", "3 min 7 s", "2 h 3 min", "3 d 3 h"),
    ]
    ages = [2.0, 42.0, 800.0, 7300.0, 90_000.0, 800_000.0]
    assert [ago(age) for age in ages] == [
        *("just now", "42 s ago", "13 min ago", "2 h ago", "yesterday", "9 days ago"),
    ]
