from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from hpo_lab.dashboard import figures
from hpo_lab.dashboard.plot import SUFFIXES, Plot
from hpo_lab.problems import InvalidInput
from tests.dashboard.figures.making import data, trial


@pytest.fixture
def plot() -> Plot:
    values = [0.5, 0.25, 0.75]
    return Plot(figures.draw("history", data([trial(n, value) for n, value in enumerate(values)])))


def test_each_ending_gives_its_form(plot: Plot, tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        plot.save(tmp_path / f"x{suffix.upper()}")
    root = ET.fromstring((tmp_path / "x.SVG").read_text())
    assert root.tag.endswith("svg") and root.get("aria-label") == "loss"
    png = (tmp_path / "x.PNG").read_bytes()
    assert png.startswith(b"\x89PNG")
    size = [int.from_bytes(png[place : place + 4], "big") for place in (16, 20)]
    assert size == [2 * plot.figure.width, 2 * plot.figure.height]
    document = json.loads((tmp_path / "x.JSON").read_text())
    assert document == json.loads(json.dumps(plot.to_json()))
    best = next(each for each in document["data"] if each["name"] == "best")
    assert (best["x"], best["y"]) == ([1], [0.25])


def test_a_page_needs_no_network_and_has_the_data(plot: Plot) -> None:
    odd = replace(plot.figure, title="</script><b>", text="a < b")
    page = Plot(odd, "dark").encoded(".html").decode()
    data = re.search(r"const figure=(.*);Plotly\.newPlot", page)
    assert data and json.loads(data[1])["layout"]["meta"]["title"] == "</script><b>"
    assert "<title>&lt;/script&gt;&lt;b&gt;</title>" in page
    assert not re.search(r'(?:src|href)="', page[: page.index("<script>")])
    assert "background:#111" in page


def test_a_theme_is_that_of_the_file_in_every_form(plot: Plot) -> None:
    dark = replace(plot, theme="dark")
    assert 'class="hpo-ground f-bg"' in dark.svg and 'fill="#111111"' in dark.svg
    assert dark.to_json()["layout"]["paper_bgcolor"].upper() == "#111111"
    pixels = {theme: replace(plot, theme=theme).encoded(".png") for theme in figures.THEMES}
    assert len(set(pixels.values())) == 3
    assert replace(plot, theme="light").encoded(".png") == plot.encoded(".png")


def test_a_notebook_gets_a_picture_and_words(plot: Plot, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = plot._repr_mimebundle_()
    assert {*bundle} == {"application/vnd.plotly.v1+json", "text/html", "text/plain"}
    assert bundle["text/plain"] == "loss: Best loss 0.25 in trial 1 of 3 trials."
    assert 'alt="Best loss 0.25 in trial 1 of 3 trials."' in bundle["text/html"]
    monkeypatch.setitem(sys.modules, "plotly", None)
    monkeypatch.setattr("hpo_lab.dashboard.plot.find_spec", lambda name: None)
    assert {*plot._repr_mimebundle_()} == {"text/html", "text/plain"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("x.pdf", "ends in .pdf; a figure is saved as .svg, .png, .html, .json"),
        ("x.jsn", "did you mean '.json'?"),
        ("x", "has no ending"),
        ("no/where.svg", "cannot be written"),
    ],
)
def test_a_file_that_cannot_be_is_refused(
    plot: Plot, tmp_path: Path, name: str, message: str
) -> None:
    with pytest.raises(InvalidInput, match=re.escape(message)):
        plot.save(tmp_path / name)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("suffix", "module", "message"),
    [
        (".png", "raster", "needs resvg-py, which is not here; install hpo_lab[plot]"),
        (".html", "plot", "needs plotly, which is not here; install hpo_lab[plot]"),
    ],
)
def test_a_missing_package_is_named(
    plot: Plot, monkeypatch: pytest.MonkeyPatch, suffix: str, module: str, message: str
) -> None:
    monkeypatch.setattr(f"hpo_lab.dashboard.{module}.find_spec", lambda name: None)
    with pytest.raises(InvalidInput, match=re.escape(message)):
        plot.encoded(suffix)
