from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from hpo_lab.dashboard.report import report_of
from hpo_lab.experiment.identity import identity
from hpo_lab.experiment.model import (
    ExperimentDocument,
    Metadata,
    ObjectiveType,
    TrialTemplate,
    Value,
)
from hpo_lab.experiment.space import choice, uniform
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.facade.handle import Experiment
from hpo_lab.observation import Observation
from hpo_lab.options import TuneOptions
from hpo_lab.problems import InvalidInput
from hpo_lab.store import Store, open_store
from tests.store_writes import finish_trial, start_trial

VOID = {"meta", "br", "img", "wbr"}


class Page(HTMLParser):
    """A page whose tags are all closed, with its words and the rows of its tables."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self._open: list[str] = []
        self.text = ""
        self.attributes: list[tuple[str, str | None]] = []
        self.rows: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs
        if tag == "tr":
            self.rows.append("")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag in ("td", "th"):
            self.rows[-1] += "|"

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.text += data
        if "tr" in self._open:
            self.rows[-1] += data


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return open_store(tmp_path_factory.mktemp("report") / "hpo.db")


COUNT = iter(range(10_000))


def record(
    store: Store,
    values: Sequence[float | None],
    *,
    parameters: Mapping[str, Value] | None = None,
    metric: str = "accuracy",
    name: str = "",
    message: str = "ValueError: postgresql://me:hush@host",
) -> Experiment:
    options = TuneOptions(direction=ObjectiveType.MAXIMIZE, metric=metric, trials=40, seed=7)
    own = [choice(value, "other").named(name) for name, value in (parameters or {}).items()]
    spec = options.spec([uniform(0, 1).named("lr"), *own], TrialTemplate())
    metadata = Metadata(name=name or f"digits-{next(COUNT)}")
    document = ExperimentDocument(metadata=metadata, spec=spec)
    uid = store.create_experiment(document, identity=identity(spec)).uid
    for number, value in enumerate(values):
        assigned: dict[str, Any] = {"lr": number / 600, **(parameters or {})}
        start_trial(store, uid, number, 100.0, new=Trial(number, assigned))
        if value is None:
            finish_trial(store, uid, number, TrialState.FAILED, 101.0, message=message)
        else:
            seen = [Observation(metric=metric, value=value, time=1.0)]
            finish_trial(
                store, uid, number, TrialState.SUCCEEDED, 101.0, observations=seen, offset=1
            )
    store.set_condition(uid, "Running", "ExperimentRunning", "it runs")
    store.set_condition(uid, "Succeeded", "ExperimentMaxTrialsReached", "it is over")
    found = store.experiment_by_uid(uid)
    assert found is not None
    return Experiment.of(store, found)


def test_a_report_has_everything_and_needs_nothing(store: Store) -> None:
    experiment = record(store, [0.5, None, 0.75, 0.25, None], parameters={"opt": "adam"})
    html = report_of([experiment])
    page = Page(html)
    assert "http" not in html.replace("http-equiv", "")
    assert not {"src", "href", "onclick"} & {name for name, _ in page.attributes}
    assert "<script" not in html
    trials = [row.split("|")[:3] for row in page.rows if re.match(r"\d+\|", row)]
    assert trials == [
        ["2", "Best", "0.7500"],
        ["0", "Succeeded", "0.5000"],
        ["3", "Succeeded", "0.2500"],
        ["4", "Failed", "–"],  # noqa: RUF001
        ["1", "Failed", "–"],  # noqa: RUF001
    ]
    assert "All 5 trials, the best first." in page.text
    assert "lr|0.003333|" in page.rows and "opt|adam|" in page.rows
    assert "in all 2, first in trial 1" in page.text and "Trials 1, 4" in page.text
    assert "Seed|7|" in page.rows and "Budgets|40 trials, 2 at a time|" in page.rows
    assert "uniform(0, 1)" in page.text
    assert "hush" not in html and "postgresql://me:•••@host" in page.text
    for figure in ("accuracy", "Slices", "Parallel coordinates", "Search space"):
        assert ("aria-label", figure) in page.attributes
    assert html.count("<figcaption>") == html.count("<figure ")


@pytest.mark.parametrize("values", [[], [None], [0.5], [None] * 6, [float("nan")]])
def test_an_experiment_without_results_has_a_report(
    store: Store, values: list[float | None]
) -> None:
    page = Page(report_of([record(store, values)]))
    assert ("no result" in page.text) == (values != [0.5])


def test_of_many_trials_the_best_and_the_latest_are_shown(store: Store) -> None:
    experiment = record(store, [number / 600 for number in range(560)])
    html = report_of([experiment])
    page = Page(html)
    assert "The 250 best and the latest of 560 trials, 500 in all" in page.text
    rows = [int(row.split("|")[0]) for row in page.rows if re.match(r"\d+\|", row)]
    assert rows == [*range(559, 59, -1)]
    assert len(html) < 1_000_000


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=st.text(min_size=1, max_size=40).filter(lambda name: name not in ("lr", "accuracy")),
    value=st.text(max_size=60) | st.booleans() | st.integers(-9, 9),
    values=st.lists(st.none() | st.floats(allow_nan=False), max_size=4),
    message=st.text(max_size=80),
)
def test_whatever_names_and_values_are_a_report_is_whole(
    store: Store, name: str, value: Value, values: list[float | None], message: str
) -> None:
    try:
        experiment = record(store, values, parameters={name: value}, message=message)
    except (InvalidInput, ValueError):
        reject()
    html = report_of([experiment])
    assert Page(html).text
    html.encode()


def test_experiments_are_compared(store: Store) -> None:
    one = record(store, [0.5, 0.75], name="one")
    two = record(store, [0.25, None, 0.875], name="two")
    none = record(store, [None], name="none")
    page = Page(report_of([one, two, none]))
    rows = {row.split("|")[0]: row.split("|") for row in page.rows}
    assert rows["one"][2:5] == ["2", "0", "0.7500"]
    assert rows["two"][2:5] == ["3", "1", "0.8750"]
    assert rows["none"][1] == "Finished, no result"
    assert rows["lr"][1:4] == ["0.001667", "0.003333", "–"]  # noqa: RUF001
    said = "Best accuracy so far: one 0.75, two 0.875. Without a result: none."
    assert said in page.text


def test_different_objectives_are_not_compared(store: Store) -> None:
    one, two = record(store, [0.5]), record(store, [0.5], metric="f1", name="with-f1")
    with pytest.raises(InvalidInput, match="with-f1: has the objective f1") as caught:
        report_of([one, two])
    assert "accuracy (higher is better), and only the same can be compared" in str(caught.value)


@pytest.mark.browser
def test_a_report_fits_any_window(store: Store, chromium: Any, tmp_path: Path) -> None:
    experiment = record(store, [0.1 * number for number in range(12)], parameters={"opt": "a"})
    file = tmp_path / "report.html"
    file.write_text(report_of([experiment]))
    for width in (1000, 600):
        view = chromium.new_page(viewport={"width": width, "height": 700})
        problems: list[str] = []
        view.on("console", lambda message, problems=problems: problems.append(message.text))
        view.goto(file.as_uri())
        assert view.evaluate("document.documentElement.scrollWidth") == width
        assert problems == []
        view.close()
