"""Figures over parameters: the search space, slices, parallel coordinates, contour, importances."""

from __future__ import annotations

import random
import re
from dataclasses import replace

from hpo_lab.dashboard.drawing import svg
from hpo_lab.dashboard.drawing.canvas import text_width
from hpo_lab.dashboard.figures import drawn_trials
from hpo_lab.dashboard.figures.axes import ParameterAxis
from hpo_lab.dashboard.figures.contour import contour
from hpo_lab.dashboard.figures.importances import importances
from hpo_lab.dashboard.figures.influence import chosen_parameters
from hpo_lab.dashboard.figures.parallel import parallel
from hpo_lab.dashboard.figures.search_space import search_space
from hpo_lab.dashboard.figures.slices import slices
from hpo_lab.dashboard.figures.wording import distinct
from hpo_lab.experiment.trial import Trial, TrialState
from tests.dashboard.figures.making import data, trial


def _searched(count: int) -> list[Trial]:
    """Trials whose loss is that of the learning rate alone, almost."""
    rng = random.Random(1)
    return [
        trial(
            number,
            (rate := 10 ** rng.uniform(-4, -1)) + rng.random() / 1000,
            assignments={
                "lr": rate,
                "layers": rng.randint(1, 4),
                "opt": rng.choice(["adam", "sgd", True, 1]),
            },
        )
        for number in range(count)
    ]


def test_choices_that_are_equal_and_not_the_same_have_places_of_their_own() -> None:
    axis = ParameterAxis(data([]).parameters["opt"], [1.0, "gone"])
    assert [axis.place(value) for value in ("adam", "sgd", True, 1, 1.0, "gone")] == [
        0,
        1,
        2,
        3,
        3,
        4,
    ]


def test_a_logarithmic_range_has_places_by_magnitude() -> None:
    axis = ParameterAxis(data([]).parameters["lr"])
    assert [round(axis.unit(value) or 0, 3) for value in (1e-4, 1e-3, 1e-1)] == [0, 0.333, 1]
    assert axis.unit(-1.0) is None
    assert axis.layout()["type"] == "log"


def test_the_parameter_that_matters_comes_first() -> None:
    experiment = data(_searched(40))
    assert chosen_parameters(experiment, 2)[0].name == "lr"
    chosen = chosen_parameters(replace(experiment, focus=("opt", "layers")), 2)
    assert [parameter.name for parameter in chosen] == ["opt", "layers"]
    # Before ten results they stay in their order.
    assert [p.name for p in chosen_parameters(data(_searched(9)), 4)] == ["lr", "layers", "opt"]


def test_a_slice_has_the_values_of_its_parameter_across() -> None:
    trials = [
        trial(0, 2.0, assignments={"lr": 0.01, "layers": 2, "opt": "adam"}),
        trial(1, 1.0, assignments={"lr": 0.001, "layers": 3, "opt": "sgd", "momentum": 0.6}),
        trial(2, None, TrialState.FAILED, assignments={"lr": 0.1, "layers": 4, "opt": True}),
    ]
    figure = slices(data(trials))

    first = [each for each in figure.traces if each["xaxis"] == "x" and each["name"]]
    assert {each["name"]: each["x"] for each in first} == {
        "succeeded": [0.01],
        "best": [0.001],
        "failed": [0.1],
    }
    assert figure.layout["xaxis"]["type"] == "log"
    assert figure.layout["xaxis3"]["ticktext"] == ["adam", "sgd", "True", "1"]
    momentum = [each for each in figure.traces if each["xaxis"] == "x4" and each["name"]]
    assert [each["customdata"] for each in momentum] == [[1]]
    assert drawn_trials(figure) == {0, 1, 2}


def test_parallel_coordinates_end_at_the_objective() -> None:
    trials = [
        trial(0, 2.0),
        trial(1, 1.0, assignments={"lr": 0.1, "layers": 4, "opt": "sgd", "momentum": 0.9}),
        trial(2, None, TrialState.FAILED),
    ]
    (lines,) = parallel(data(trials)).traces

    labels = [dimension["label"] for dimension in lines["dimensions"]]
    assert labels == ["lr", "layers", "opt", "momentum", "loss"]
    rate, layers, _, momentum, loss = (each["values"] for each in lines["dimensions"])
    assert rate == [round(2 / 3, 4), 1.0]
    assert layers == [round(1 / 3, 4), 1.0]
    # Below its axis where it was not active.
    assert momentum[0] < 0 and momentum[1] == 1.0
    assert loss == [2.0, 1.0]
    low, high = lines["dimensions"][-1]["range"]
    assert low > high, "the best is at the top"
    assert lines["line"]["color"] == [0.5, 1.0]
    assert parallel(data(trials)).left_out == {"failed": 1}


def test_words_of_parallel_coordinates_do_not_lie_on_each_other() -> None:
    words = ["the largest choice of all", "the larger choice of all", None, "a", *range(40)]
    parameters = [
        {"name": f"p{n}", "parameterType": "categorical", "feasibleSpace": {"list": words}}
        for n in range(9)
    ]
    rng = random.Random(2)
    trials = [
        trial(n, 5 + n / 7, assignments={each["name"]: rng.choice(words) for each in parameters})
        for n in range(12)
    ]
    figure = parallel(replace(data(trials, parameters=parameters), axes=5))
    assert len(figure.traces[0]["dimensions"]) == 6
    drawn = svg(replace(figure, width=464))

    shown = re.findall(
        r'<text x="([\d.]+)" y="([\d.]+)"( text-anchor="end")? font-size="10"[^>]*>([^<]+)<', drawn
    )
    assert any(text.endswith("…") for *_, text in shown)
    boxes = []
    for x, y, is_right, text in shown:
        left, wide = float(x), text_width(text, 10)
        boxes.append((left - wide if is_right else left, left if is_right else left + wide, y))
    for place, (left, right, y) in enumerate(boxes):
        assert left >= 0 and right <= 464
        for other, end, height in boxes[:place]:
            assert right <= other or end <= left or abs(float(y) - float(height)) >= 10


def test_the_contour_is_coloured_near_trials_alone() -> None:
    trials = [
        trial(0, 1.0, assignments={"lr": 1e-4, "layers": 1, "opt": "adam"}),
        trial(1, 2.0, assignments={"lr": 1e-4, "layers": 4, "opt": "adam"}),
    ]
    figure = contour(replace(data(trials), focus=("lr", "layers")))
    field = figure.traces[0]
    assert field["type"] == "heatmap"
    assert field["z"][0][0] is not None and field["z"][0][-1] is None
    assert abs(field["z"][0][0] - 1.0) < 0.05 and abs(field["z"][-1][0] - 2.0) < 0.05
    assert field["reversescale"]
    assert drawn_trials(figure) == {0, 1}


def test_importances_are_bars_the_largest_first() -> None:
    figure = importances(data(_searched(60)))
    bars, whiskers = figure.traces
    assert figure.layout["yaxis"]["ticktext"][0] == "lr"
    assert bars["x"] == sorted(bars["x"], reverse=True)
    assert bars["x"][0] > 0.5 and abs(sum(bars["x"]) - 1) < 0.01
    # No trial has it.
    assert figure.layout["yaxis"]["ticktext"][-1] == "momentum" and bars["x"][-1] == 0
    assert figure.summarised == 60
    # The spread of a share, which is certain of what is never there.
    lows, highs = whiskers["x"][::3], whiskers["x"][1::3]
    assert all(low <= bar <= high for low, bar, high in zip(lows, bars["x"], highs, strict=True))
    assert lows[0] < highs[0] and lows[-1] == highs[-1] == 0
    assert figure.layout["annotations"][-1]["text"] == "0%"


def test_why_there_are_no_importances_is_said() -> None:
    few = importances(data(_searched(9)))
    assert few.text.startswith(
        "Importances need 10 trials that succeeded with a value of loss; there are 9."
    )
    equal = importances(data([trial(number, 1.0) for number in range(12)]))
    assert equal.text.startswith("All trials have the same value; no parameter matters.")


def test_the_search_space_is_a_tree_with_what_was_sampled() -> None:
    trials = [
        trial(0, 2.0, assignments={"lr": 0.01, "layers": 2, "opt": "adam"}),
        trial(1, 1.0, assignments={"lr": 0.1, "layers": 2, "opt": "sgd", "momentum": 0.6}),
    ]
    figure = search_space(data(trials))

    words = [note["text"] for note in figure.layout["annotations"]]
    assert {"lr", "0.0001 … 0.1", "float, log scale", "integer", "choice of 4"} <= {*words}
    assert "when opt == &quot;sgd&quot;" in words or 'when opt == "sgd"' in words
    assert "at upper bound" in words
    assert "<b>0.1</b>" in words and "<b>sgd</b>" in words
    layers = figure.traces[2]
    heights = [-height for height in layers["y"]]
    assert heights == [0, 0.5, 0, 0]
    assert "At a bound: lr." in figure.text
    assert "4 parameters, 1 with a condition." in figure.text
    stars = [each for each in figure.traces if each["name"] == "best, trial 1"]
    assert len(stars) == 4
    # The conditional parameter is the row below the one that it reads.
    names = [note["text"] for note in figure.layout["annotations"] if "family" in note["font"]]
    assert names == ["lr", "layers", "opt", "momentum"]


def test_long_names_are_told_apart() -> None:
    names = [f"encoder.layers.{place}.attention.dropout" for place in (0, 12)]
    assert distinct(names, 60) == names
    assert distinct(names, 20) == ["encoder.layers.0…", "encoder.layers.12…"]
    assert distinct(names, 10) == ["encode…0…", "encode…12…"]
    assert distinct(["alpha" * 9, "beta"], 8) == ["alph…pha", "beta"]
    # That others are called otherwise takes nothing away.
    names = ["lr", *(f"a_rather_long_parameter_name_{place}" for place in range(20))]
    for room in (9, 15, 22):
        labels = distinct(names, room)
        assert len({*labels}) == len(names) and max(map(len, labels)) <= room
    assert distinct(names, 15)[18] == "a_rathe…name_17"
