from __future__ import annotations

import math
import re

import pytest

from hpo_lab.dashboard.drawing import svg
from hpo_lab.dashboard.figures import drawn_trials
from hpo_lab.dashboard.figures.distribution import distribution
from hpo_lab.dashboard.figures.history import history
from hpo_lab.dashboard.figures.learning_curves import learning_curves
from hpo_lab.experiment.trial import TrialState
from tests.dashboard.figures.making import data, trace, trial


def test_the_best_so_far_is_a_stair_to_the_last_trial() -> None:
    figure = history(data([trial(0, 3.0), trial(1, 4.0), trial(2, 1.0), trial(3, 2.0)]))

    line = trace(figure, "best so far")
    assert (line["x"], line["y"]) == ([0, 2, 3], [3.0, 1.0, 1.0])
    assert line["line"]["shape"] == "hv"
    dots = trace(figure, "succeeded")
    assert (dots["x"], dots["y"]) == ([0, 1, 3], [3.0, 4.0, 2.0])
    assert trace(figure, "best")["customdata"] == [2]
    assert figure.text == "Best loss 1 in trial 2 of 4 trials."


def test_of_a_maximum_the_stair_rises() -> None:
    line = trace(history(data([trial(0, 3.0), trial(1, 4.0)], type="maximize")), "best so far")
    assert line["y"] == [3.0, 4.0, 4.0]


def test_every_ending_has_its_mark_and_those_without_a_value_a_lane() -> None:
    figure = history(
        data(
            [
                trial(0, 3.0),
                trial(1, 2.0, TrialState.EARLY_STOPPED),
                trial(2, None, TrialState.FAILED, message="ValueError: no <b>way</b>"),
                trial(3, math.nan),
                trial(4, math.inf, TrialState.METRICS_UNAVAILABLE),
                trial(5, 1.0, TrialState.KILLED),
                trial(6, 1.0, TrialState.RUNNING),
                trial(7, None, TrialState.CREATED),
            ]
        )
    )

    lanes = {name: trace(figure, name) for name in ("failed", "no value", "killed", "running")}
    assert {name: each["customdata"] for name, each in lanes.items()} == {
        "failed": [2],
        "no value": [3, 4],
        "killed": [5],
        "running": [6],
    }
    assert {each["yaxis"] for each in lanes.values()} == {"y2"}
    assert lanes["failed"]["text"] == ["failed, ValueError: no &lt;b&gt;way&lt;/b&gt;"]
    assert trace(figure, "best")["customdata"] == [1]
    assert figure.left_out == {"not started": 1}
    assert "Not drawn: 1 not started." in figure.text
    shapes = {each["name"]: each["marker"]["symbol"] for each in figure.traces if "marker" in each}
    assert len({*shapes.values()}) == len(shapes)


def test_a_trial_that_breaks_a_constraint_is_drawn_and_never_the_best() -> None:
    figure = history(
        data(
            [trial(0, 2.0, metrics={"memory": 1}), trial(1, 1.0, metrics={"memory": 9})],
            objective={"constraints": [{"name": "memory", "max": 8}]},
        )
    )
    assert trace(figure, "breaks a constraint")["customdata"] == [1]
    assert trace(figure, "best")["customdata"] == [0]
    assert trace(figure, "best so far")["y"] == [2.0, 2.0]


@pytest.mark.parametrize("values", [[9.0, 7, 6, 5], [5.0, 9, 7], [9.0, 1e-9, 3], [5.0] * 3])
def test_the_words_of_the_smallest_have_room_above_the_axis(values: list[float]) -> None:
    drawn = svg(history(data([trial(n, value) for n, value in enumerate(values)])))

    (words,) = re.findall(
        r'<text x="[\d.]+" y="([\d.]+)"[^>]*><tspan[^>]*>[^<]*</tspan>[^<]*trial', drawn
    )
    axis = max(map(float, re.findall(r'<path d="M60 ([\d.]+)H', drawn)))
    assert float(words) + 3 < axis


def test_the_worst_quarter_lies_beyond_the_range_and_is_counted() -> None:
    values = [100.0, 90.0, 3.0, 2.9, 2.8, 2.7, 2.6, 2.5]
    figure = history(data([trial(number, value) for number, value in enumerate(values)]))

    assert figure.layout["yaxis"]["range"][1] < 4
    assert "▴ 2 above" in figure.subtitle
    beyond = [
        each for each in figure.traces if each.get("marker", {}).get("symbol") == "triangle-up"
    ]
    assert [each["customdata"] for each in beyond] == [[0, 1]]
    assert beyond[0]["text"] == ["100", "90"]


def test_values_of_many_magnitudes_have_a_logarithmic_axis() -> None:
    figure = history(data([trial(number, 10.0 ** (number - 12)) for number in range(25)]))
    assert figure.layout["yaxis"]["type"] == "log"
    low, high = figure.layout["yaxis"]["range"]
    assert low < -12 and high > 12


def test_the_goal_is_a_line_where_it_is_near() -> None:
    trials = [trial(0, 3.0), trial(1, 2.0)]
    near = history(data(trials, objective={"goal": 1.5}))
    assert [shape["y0"] for shape in near.layout["shapes"]] == [1.5]
    assert any("goal 1.5" in note["text"] for note in near.layout["annotations"])
    assert history(data(trials, objective={"goal": -1e6})).layout["shapes"] == []


def test_of_several_objectives_each_has_a_panel() -> None:
    more = [{"type": "maximize", "objectiveMetricName": "accuracy"}]
    figure = history(
        data(
            [trial(0, 1.0, metrics={"accuracy": 0.5}), trial(1, 2.0, metrics={"accuracy": 0.9})],
            objective={"additionalObjectives": more},
        )
    )
    lines = [each for each in figure.traces if each["name"] == "best so far"]
    assert [line["y"] for line in lines] == [[1.0, 1.0], [0.5, 0.9, 0.9]]
    assert [line["yaxis"] for line in lines] == ["y", "y3"]


def test_of_many_trials_every_improvement_is_kept_and_the_rest_counted() -> None:
    trials = [trial(number, float((number * 7919) % 10_007)) for number in range(10_000)]
    figure = history(data(trials))

    best, improved = math.inf, []
    for each in trials:
        value = each.metrics["loss"].latest
        if value < best:
            best = value
            improved.append(each.number)
    assert trace(figure, "best so far")["x"][:-1] == improved
    assert {*improved} <= drawn_trials(figure)
    assert len(drawn_trials(figure)) <= 1500 + len(improved)
    rest = 10_000 - len(drawn_trials(figure))
    assert figure.left_out == {"left out among their neighbours": rest}


def test_nothing_to_draw_is_said() -> None:
    assert history(data([])).text == "No trial has started yet."
    failed = history(data([trial(0, None, TrialState.FAILED)]))
    assert failed.text.startswith("No trial of 1 trial has a value of loss that counts, 1 failed.")
    assert drawn_trials(failed) == {0}


def test_curves_are_lines_and_the_stopped_ones_end_in_a_bar() -> None:
    curves = {0: {1: 3.0, 2: 2.0}, 1: {1: 4.0, 2: math.nan, 3: 3.5}, 2: {1: 5.0}}
    figure = learning_curves(
        data(
            [
                trial(0, 2.0),
                trial(1, 3.5),
                trial(2, 5.0, TrialState.EARLY_STOPPED),
                trial(3, None, TrialState.FAILED),
            ],
            curves=curves,
        )
    )
    usual = trace(figure, "succeeded")
    assert (usual["x"], usual["y"]) == ([1, 3], [4.0, 3.5])
    ends = [each for each in figure.traces if each["name"] == "early stopped"]
    assert [each["mode"] for each in ends] == ["lines", "markers"]
    assert ends[1]["marker"]["symbol"] == "line-ns-open"
    assert figure.left_out == {"without a report": 1}


def test_the_distribution_rises_to_all_trials() -> None:
    figure = distribution(data([trial(0, 3.0), trial(1, 1.0), trial(2, 2.0), trial(3, 4.0)]))
    line = figure.traces[0]
    assert line["x"] == [1.0, 1.0, 2.0, 3.0, 4.0]
    assert line["y"] == [0, 0.25, 0.5, 0.75, 1.0]
    assert "the median is 2" in figure.text
