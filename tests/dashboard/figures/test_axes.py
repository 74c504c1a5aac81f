from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest

from hpo_lab.dashboard.drawing import svg
from hpo_lab.dashboard.figures import draw
from hpo_lab.dashboard.figures.axes import ParameterAxis, ValueAxis
from hpo_lab.experiment.space import choice, loguniform, uniform
from hpo_lab.experiment.trial import Trial
from tests.dashboard.figures.making import data, trace, trial


def _signed() -> list[Trial]:
    values = [sign * 10.0**power for power in range(-12, 13, 3) for sign in (-1, 1)]
    return [
        trial(number, value, assignments={"lr": 0.001 + number / 200, "layers": 1 + number % 4})
        for number, value in enumerate(values)
    ]


def test_values_of_both_signs_and_all_magnitudes_are_told_apart_and_hover_as_they_are() -> None:
    figure = draw("history", data(_signed(), objective={"goal": -1e6}))
    assert "symmetric log scale" in figure.subtitle
    axis = figure.layout["yaxis"]
    ticks = dict(zip(axis["ticktext"], axis["tickvals"], strict=True))
    assert {"-1e12", "-1e6", "-1", "0", "1", "1e6", "1e12"} <= ticks.keys()
    assert ticks["0"] == 0 and ticks["1e6"] == -ticks["-1e6"]
    dots = trace(figure, "succeeded")
    drawn = dict(zip(dots["text"], dots["y"], strict=True))
    assert drawn["1e6"] == ticks["1e6"] and "%{text}" in dots["hovertemplate"]
    # As far apart as their powers of ten are.
    steps = [drawn["1e12"] - drawn["1e9"], drawn["1e9"] - drawn["1e6"]]
    assert steps == pytest.approx([3 * math.log(10)] * 2, rel=1e-4)
    (goal,) = figure.layout["shapes"]
    assert goal["y0"] == ticks["-1e6"]
    root = ElementTree.fromstring(svg(figure))
    words = {each.text for each in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"-1e6", "0", "1e6"} <= words


@pytest.mark.parametrize("name", ["slices", "curves", "edf", "parallel", "contour"])
def test_the_other_figures_of_an_objective_have_the_same_scale(name: str) -> None:
    trials = _signed()
    curves = {each.number: {1: 0.0, 2: each.metrics["loss"].latest} for each in trials}
    figure = draw(name, data(trials, curves=curves))
    assert "symmetric log scale" in figure.subtitle
    assert "1e+" not in svg(figure)


@pytest.mark.parametrize(
    ("values", "bends"),
    [
        ([-3.0, -1.0, 0.5, 2.0, 4.0, 1.0, -2.0], False),
        # What is much worse than the others is cut off.
        ([-3.0, -1.0, 0.5, 2.0, 4.0, 1.0, 1e9], False),
        # What is much better is not.
        ([-3.0, -1.0, 0.5, 2.0, 4.0, 1.0, -1e9], True),
        ([0.0, 0.0, 0.0, 0.0, 90.0, 100.0, 80.0], False),
        ([-1e-9, -1e-3, -1.0, -1e3, -1e6, -1e9], True),
        # Above 0 all have a logarithm.
        ([1e-9, 1e-3, 1.0, 1e3, 1e6, 1e9], False),
        ([-1e300, 1.0, 1e-300, 5e-324], True),
        ([-1.7e308, 1.0, 1.7e308, 2.0], True),
        # A linear axis cannot be drawn there.
        ([-1e308, 1e308], True),
        ([-1e308, -1.1e308, -1.7e308], True),
    ],
)
def test_an_axis_bends_where_a_straight_one_would_be_flat(values: list[float], bends: bool) -> None:
    axis = ValueAxis.of(values, True, may_bend=True)
    assert bool(axis.bend) is bends and not ValueAxis.of(values, True).bend
    places = [axis.at(value) for value in sorted(values)]
    assert places == sorted(places) and all(map(math.isfinite, places))
    kept = [value for value in values if not axis.is_beyond(value)]
    low, high = axis.along(axis.low), axis.along(axis.high)
    assert all(low <= axis.along(value) <= high for value in kept)
    if bends:
        layout = axis.layout()
        assert "0" in layout["ticktext"] or max(values) < 0
        assert 2 <= len(layout["ticktext"]) <= 11


@pytest.mark.parametrize("sign", [[1.0], [-1.0], [1.0, -1.0]])
@pytest.mark.parametrize("may_bend", [True, False])
def test_no_axis_ends_where_nothing_is_drawn(sign: list[float], may_bend: bool) -> None:
    axis = ValueAxis.of([1.0e308 * each for each in sign], may_bend=may_bend)
    low, high = axis.layout()["range"]
    assert -1e301 < low < high < 1e301


def test_a_logarithmic_axis_over_all_floats_ends_near_its_values() -> None:
    axis = ValueAxis.of([0.1, 1e308])
    assert axis.is_log and axis.low > 1e-21


def test_a_contour_of_the_largest_losses_has_finite_cells() -> None:
    trials = [
        trial(number, loss, assignments={"lr": 0.001 + number / 200, "layers": 1 + number})
        for number, loss in enumerate([1.69e308, -1.69e308, 1.69e308])
    ]
    (field,) = [each for each in draw("contour", data(trials)).traces if each["type"] == "heatmap"]
    cells = [cell for row in field["z"] for cell in row if cell is not None]
    assert cells and all(map(math.isfinite, cells))


def test_what_is_in_each_part_of_an_axis_is_counted() -> None:
    axis = ParameterAxis(uniform(0, 1).named("x"))
    assert axis.parts([0.0, 0.1, 0.5, 1.0, "none", math.nan, True], 2) == [2, 2]
    axis = ParameterAxis(loguniform(1e-4, 1).named("x"))
    assert axis.parts([1e-4, 0.009, 0.011, 1.0, -1.0], 4) == [1, 1, 1, 1]
    assert ParameterAxis(choice("a", "b").named("x")).parts(["a", "b", "b", "c"], 2) == [1, 2]
