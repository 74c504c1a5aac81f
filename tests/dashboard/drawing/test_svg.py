"""Figures as SVG: what is drawn can be read back into values, and it is small and harmless."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import pytest

from hpo_lab.dashboard.drawing import svg
from hpo_lab.dashboard.figures import Figure, draw, names
from hpo_lab.dashboard.figures.theme import TOKENS
from hpo_lab.experiment.trial import Trial, TrialState
from tests.dashboard.figures.making import data, trial

Point = tuple[float, float]


class Picture:
    """A drawn figure, from which values are read as a person does: by the ticks of its axes."""

    def __init__(self, figure: Figure) -> None:
        self.text = svg(figure)
        # Without the namespace, names of elements are short.
        self.root = ElementTree.fromstring(re.sub(r' xmlns="[^"]*"', "", self.text, count=1))
        words = [
            (float(each.get("x", "0")), float(each.get("y", "0")), "".join(each.itertext()))
            for each in self.root.iter("text")
        ]
        numbers = [(x, y, float(word)) for x, y, word in words if _is_number(word)]
        lowest = max(y for _, y, _ in numbers)
        leftmost = min(x for x, _, _ in numbers)
        self._across = [(x, value) for x, y, value in numbers if y == lowest]
        # The words of a tick stand four pixels below it.
        self._upwards = [(y - 4, value) for x, y, value in numbers if x == leftmost]

    def value(self, point: Point, *, log: bool = False) -> Point:
        """The values at a place of the picture."""
        return _read(self._across, point[0], False), _read(self._upwards, point[1], log)

    def marks(self, colour: str) -> list[Point]:
        """Where marks of a colour begin, inside the panels."""
        hue = TOKENS[colour][0]
        return [
            (float(x), float(y))
            for window in self.root.findall("svg")
            for path in window.iter("path")
            if hue in (path.get("stroke"), path.get("fill"))
            for x, y in re.findall(r"M(-?[\d.]+) (-?[\d.]+)", path.get("d", ""))
        ]


def _is_number(word: str) -> bool:
    return re.fullmatch(r"-?[\d.]+(e-?\d+)?", word) is not None


def _read(ticks: list[tuple[float, float]], pixel: float, log: bool) -> float:
    """The value at a pixel, from the first and the last tick of its axis."""
    (a, low), (b, high) = min(ticks), max(ticks)
    share = (pixel - a) / (b - a)
    if log:
        return 10 ** (math.log10(low) + share * math.log10(high / low))
    return low + share * (high - low)


def test_the_values_of_trials_can_be_read_from_the_history() -> None:
    values = [3.2, 2.5, 2.9, 1.4, 2.2, 1.9]
    picture = Picture(draw("history", data([trial(n, value) for n, value in enumerate(values)])))

    (star,) = (picture.value(mark) for mark in picture.marks("--hpo-gold"))
    # The path of a star begins in its middle.
    assert star == pytest.approx((3, 1.4), abs=0.02)
    read = sorted(picture.value(mark) for mark in picture.marks("--hpo-blue"))
    dots = {round(x): y for x, y in read if abs(x - round(x)) < 0.03}
    for number, value in enumerate(values):
        if number != 3:
            assert dots[number] == pytest.approx(value, abs=0.02)


def test_values_of_many_magnitudes_can_be_read() -> None:
    values = [10.0 ** (place - 12) for place in range(0, 25, 4)]
    trials = [trial(number, value) for number, value in enumerate(values)]
    picture = Picture(draw("history", data(trials, type="maximize")))
    read = {
        round(x): y
        for mark in picture.marks("--hpo-blue")
        for x, y in [picture.value(mark, log=True)]
    }
    for number, value in enumerate(values[:-1]):
        assert math.log10(read[number]) == pytest.approx(math.log10(value), abs=0.3)


def test_the_front_can_be_read() -> None:
    values = [(1.0, 20.0), (2.0, 10.0), (3.0, 5.0)]
    more = [{"type": "minimize", "objectiveMetricName": "time"}]
    trials = [trial(n, loss, metrics={"time": time}) for n, (loss, time) in enumerate(values)]
    picture = Picture(draw("pareto", data(trials, objective={"additionalObjectives": more})))
    read = [picture.value(mark) for mark in picture.marks("--hpo-green")]
    diamonds = [point for point in read if any(abs(point[0] - x) < 0.05 for x, _ in values)]
    for expected in values:
        assert any(point == pytest.approx(expected, abs=0.1) for point in diamonds)


def test_the_bars_of_importances_are_as_long_as_they_are_important() -> None:
    rng = random.Random(3)
    trials = [
        trial(
            number,
            rate := rng.uniform(0.001, 0.1),
            assignments={"lr": rate, "layers": rng.randint(1, 4)},
        )
        for number in range(40)
    ]
    figure = draw("importances", data(trials))
    root = ElementTree.fromstring(svg(figure))
    paths = [path.get("d", "") for path in root.iter("{http://www.w3.org/2000/svg}path")]
    lengths = [float(each) for path in paths for each in re.findall(r"h([\d.]+)", path)]
    shares = figure.traces[0]["x"]
    assert lengths[1] / lengths[0] == pytest.approx(shares[1] / shares[0], abs=0.01)


def _hard() -> Mapping[str, Any]:
    many = [
        Trial(
            number,
            {"lr": 10 ** (-1 - number % 30 / 10), "layers": number % 4 + 1, "opt": "adam"},
            TrialState.FAILED if number % 9 == 5 else TrialState.SUCCEEDED,
            {} if number % 9 == 5 else trial(number, float(number * 7919 % 10_007)).metrics,
            started_at=number,
            completed_at=number + 0.9,
        )
        for number in range(10_000)
    ]
    return {"none": data([]), "one": data([trial(0, 1.0)]), "many": data(many)}


def test_every_picture_is_small() -> None:
    sizes = {
        (which, name): len(svg(draw(name, experiment)))
        for which, experiment in _hard().items()
        for name in names()
        if name != "importances"
    }
    assert max(size for (which, _), size in sizes.items() if which != "many") < 16_000, sizes
    assert max(sizes.values()) < 40_000, sizes


def test_a_picture_says_what_it_is_and_loads_nothing() -> None:
    hostile = "loss\"><script>alert(1)</script>&'\x00"
    figure = draw(
        "history",
        data([trial(0, metrics={hostile: 1.0})], objective={"objectiveMetricName": hostile}),
    )
    text = svg(figure)
    root = ElementTree.fromstring(text)
    assert root.findtext("{http://www.w3.org/2000/svg}title") == figure.title.replace(
        "\x00", "\ufffd"
    )
    assert "Best" in (root.findtext("{http://www.w3.org/2000/svg}desc") or "")
    assert root.get("role") == "img"
    assert "<script" not in text and "href" not in text and "url(" not in text
    assert {each.tag.rpartition("}")[2] for each in root.iter()} <= {
        "svg",
        "title",
        "desc",
        "style",
        "rect",
        "path",
        "text",
        "tspan",
    }


def test_the_colours_are_those_of_the_page_or_of_the_scheme() -> None:
    figure = draw("history", data([trial(0, 1.0), trial(1, 0.5)]))
    text = svg(figure)
    assert "--p-blue:var(--hpo-blue,light-dark(#0072B2,#56B4E9))" in text
    assert "color-scheme:light dark" in text
    assert "color-scheme:dark}" in svg(figure, "dark")
    assert "--p-blue:#6CC4FF" in svg(figure, "contrast")
    # Programs that know no style sheets take the attributes.
    assert 'stroke="#0072B2"' in text


def test_marks_too_many_to_be_told_apart_are_counted() -> None:
    text = svg(draw("history", data([trial(n, float(n % 97)) for n in range(5000)])))
    description = text.partition("<desc>")[2].partition("</desc>")[0]
    assert re.search(r"Of the marks [\d\u202f]+ are not in this picture\.", description)


def test_a_figure_of_another_package_needs_no_ranges() -> None:
    trace = {"type": "bar", "x": [0, 1, 2], "y": [1.0, 2.0, 4.0]}
    points = {"type": "scatter", "mode": "markers", "x": [1], "y": [100.0], "yaxis": "y2"}
    layout = {"yaxis2": {"type": "log", "anchor": "x"}}
    root = ElementTree.fromstring(svg(Figure("Mine", "Bars.", [trace, points], layout)))
    words = ["".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert words[0] == "Mine"
    assert {0, 2, 4} <= {float(word) for word in words if _is_number(word)}
