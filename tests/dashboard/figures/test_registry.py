"""The figures by name; each of ours passes the checks for figures of others."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpo_lab.dashboard import figures
from hpo_lab.dashboard.figures import ExperimentData, Figure
from hpo_lab.problems import InvalidInput
from hpo_lab.testing.figures import check_figure, check_figure_of, random_experiment
from tests.dashboard.figures.making import data, trial

OURS = [
    "history",
    "importances",
    "slices",
    "parallel",
    "curves",
    "contour",
    "space",
    "timeline",
    "edf",
    "pareto",
    "constraints",
    "rungs",
    "lineage",
]


def test_the_names_are_ours_in_the_order_of_what_a_person_asks() -> None:
    assert figures.names() == OURS


@pytest.mark.parametrize("name", OURS)
def test_ours_pass(name: str) -> None:
    check_figure(name, examples=3 if name == "importances" else 12)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([name for name in OURS if name != "importances"]), st.integers(0, 10**9))
def test_any_experiment_can_be_drawn(name: str, seed: int) -> None:
    check_figure_of(name, random_experiment(random.Random(seed)))


def test_an_unknown_figure_or_theme_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        figures.draw("histroy", data([]), "pink")
    assert [problem.where for problem in refused.value.problems] == ["pink", "histroy"]
    assert "did you mean 'history'?" in str(refused.value)
    assert "there are light, dark, contrast" in str(refused.value)


def test_a_figure_takes_the_colours_of_its_theme() -> None:
    light, dark, contrast = (
        figures.draw("history", data([trial(0, 1.0)]), theme).to_json() for theme in figures.THEMES
    )
    colours = [figure["data"][0]["line"]["color"] for figure in (light, dark, contrast)]
    assert colours == ["#0072B2", "#56B4E9", "#6CC4FF"]
    assert light["layout"]["template"]["layout"]["font"]["color"] == "#212121"
    assert contrast["layout"]["template"]["layout"]["font"]["color"] == "#FFFFFF"


def test_a_figure_has_the_title_in_front_of_the_subtitle() -> None:
    layout = figures.draw("history", data([trial(0, 1.0)])).to_json()["layout"]
    assert layout["title"]["text"].startswith("<b>loss</b>")
    assert "lower is better ↓" in layout["title"]["text"]
    assert layout["meta"]["text"] == "Best loss 1 in trial 0 of 1 trial."


def test_drawing_loads_neither_plotly_nor_optuna_nor_numpy() -> None:
    code = (
        "import sys; from hpo_lab.dashboard import figures, drawing;"
        "from tests.dashboard.figures.making import data, trial;"
        "made = data([trial(0, 1.0), trial(1, 2.0)]);"
        "[drawing.svg(figures.draw(name, made)) for name in figures.names()"
        " if name not in ('contour', 'importances')];"
        "print({'plotly', 'optuna', 'numpy', 'pandas'} & {*sys.modules})"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def _silent(experiment: ExperimentData) -> Figure:
    return Figure.of("Silent", "Some trials.")


def _infinite(experiment: ExperimentData) -> Figure:
    count = len(experiment.trials)
    trace = {"type": "scatter", "x": [0], "y": [float("inf")], "customdata": []}
    return Figure.of("Infinite", "All.", {"not drawn": count}, traces=[trace])


def _untold(experiment: ExperimentData) -> Figure:
    return Figure("Untold", "Nothing is said.", left_out={"gone": len(experiment.trials)})


@pytest.mark.parametrize(
    ("figure", "message"),
    [
        (_silent, "draws 0, sums up 0 and leaves out {} of"),
        (_infinite, "not JSON compliant"),
        (_untold, "the text does not say that"),
    ],
)
def test_a_defect_is_told(figure: figures.registry.Draw, message: str) -> None:
    with pytest.raises((AssertionError, ValueError), match=message):
        check_figure(figure)
