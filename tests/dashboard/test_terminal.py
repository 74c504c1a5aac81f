from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from hpo_lab.dashboard.selection import best_so_far
from hpo_lab.dashboard.terminal import live_view, sparkline
from hpo_lab.experiment.model import ExperimentSpec, ObjectiveType, TrialTemplate
from hpo_lab.experiment.space import uniform
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.facade.summary import Best, Summary
from hpo_lab.facade.tally import Tally
from hpo_lab.options import TuneOptions


@pytest.mark.parametrize(
    ("values", "width", "line"),
    [
        ([], 8, ""),
        ([0.5], 8, "▅"),
        ([1, 1, 1], 8, "▅▅▅"),
        ([0, 1, 2, 3, 4, 5, 6, 7], 8, "▁▂▃▄▅▆▇█"),
        (list(range(16)), 8, "▁▂▃▄▅▆▇█"),
        ([-1.7e308, 1.7e308], 8, "▁█"),
    ],
)
def test_a_sparkline_has_a_block_for_each_value_or_for_several(
    values: list[float], width: int, line: str
) -> None:
    assert sparkline(values, width) == line


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)), st.integers(1, 40))
def test_a_sparkline_is_as_wide_as_its_values_at_most_and_ends_with_the_last(
    values: list[float], width: int
) -> None:
    line = sparkline(values, width)
    assert len(line) == min(len(values), width)
    if width > 1 and values and values[-1] == max(values) > min(values):
        assert line[-1] == "█" or len(values) > width


def _spec(direction: ObjectiveType = ObjectiveType.MAXIMIZE) -> ExperimentSpec:
    options = TuneOptions(direction=direction, metric="accuracy", trials=30)
    names = ["lr", *(f"parameter_{n}" for n in range(9))]
    return options.spec([uniform(0, 1).named(name) for name in names], TrialTemplate())


def _trial(number: int, value: float | None, state: TrialState = TrialState.SUCCEEDED) -> Trial:
    metrics = {} if value is None else {"accuracy": Metric.single(value)}
    return Trial(number, {"lr": number / 7}, state, metrics, completed_at=number)


def _view(trials: list[Trial], width: int) -> list[str]:
    spec = _spec()
    tally = Tally(spec.objective, trials)
    leader = next(tally.ranked(), None)
    summary = Summary(
        name="digits",
        namespace="default",
        uid="u",
        state="Running",
        reason="",
        message="",
        spec=spec,
        counts={state: count for state, count in tally.counts.items() if count},
        best=Best.of(spec.objective, leader) if leader else None,
        elapsed=30.0,
        created_at=0.0,
        left=100.0,
    )
    console = Console(file=io.StringIO(), width=width)
    console.print(live_view(summary, tally, console))
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_the_view_says_state_progress_and_the_climb() -> None:
    trials = [_trial(n, value) for n, value in enumerate([0.3, 0.5, 0.4, 0.9])]
    trials += [_trial(4, None, TrialState.FAILED), _trial(5, None, TrialState.RUNNING)]
    lines = _view(trials, 100)
    assert lines[0].split("  ") == [
        "digits",
        "Running",
        "5 of 30 trials",
        "30 s, about 1 min 40 s left, 10 trials a minute",
    ]
    assert lines[1].count("━") == round(100 * 5 / 30)
    assert lines[2] == "4 succeeded · 1 failed · 1 running"
    assert lines[3] == "accuracy 0.3000 ▁▃▃█ 0.9000 in trial 3"
    assert lines[7].split()[:4] == ["★", "3", "Succeeded", "0.9"]


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("count", [0, 1, 500])
def test_no_line_is_wider_than_the_terminal_and_few_there_are(width: int, count: int) -> None:
    lines = _view([_trial(n, n / 500) for n in range(count)], width)
    assert max(map(len, lines)) <= width
    assert len(lines) <= 14


def test_the_curve_goes_the_way_that_is_better() -> None:
    trials = [_trial(n, value) for n, value in enumerate([0.5, 0.7, 0.3, 0.4])]
    trials.insert(2, _trial(9, None, TrialState.FAILED))
    up, down = _spec(), _spec(ObjectiveType.MINIMIZE)
    assert best_so_far(Tally(up.objective, trials)) == [0.5, 0.7, 0.7, 0.7]
    assert best_so_far(Tally(down.objective, trials)) == [0.5, 0.5, 0.3, 0.3]
