from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpo_lab.dashboard.html import _GOLD
from hpo_lab.dashboard.progress import progress_html, progress_text
from hpo_lab.dashboard.tables import progress_line
from hpo_lab.dashboard.words import number
from hpo_lab.experiment.model import (
    API_VERSION,
    AdditionalObjective,
    ExperimentSpec,
    ObjectiveType,
    TrialTemplate,
    Value,
)
from hpo_lab.experiment.space import uniform
from hpo_lab.experiment.status import GIVEN_UP
from hpo_lab.experiment.trial import Metric, Trial, TrialState, pareto_front
from hpo_lab.facade.summary import Best, Failure, Summary, written_value
from hpo_lab.facade.tally import Tally
from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.notebook.slicing import Decision
from hpo_lab.options import TuneOptions


def _spec(metric: str = "accuracy", direction: str = "maximize") -> ExperimentSpec:
    options = TuneOptions(direction=ObjectiveType(direction), metric=metric, trials=30)
    return options.spec([uniform(0, 1).named("lr")], TrialTemplate())


def _summary(trials: list[Trial], *, state: str = "Running", **changes: object) -> Summary:
    counts: dict[TrialState, int] = {}
    for trial in trials:
        counts[trial.state] = counts.get(trial.state, 0) + 1
    fields: dict[str, object] = {
        "name": "digits",
        "namespace": "default",
        "uid": "u",
        "state": state,
        "reason": "",
        "message": "",
        "spec": _spec(),
        "counts": counts,
        "best": None,
        "elapsed": 42.0,
        "created_at": 0.0,
    }
    return Summary(**{**fields, **changes})  # type: ignore[arg-type]


def _several(trials: list[Trial]) -> Summary:
    """Of an experiment that minimises loss and maximises accuracy."""
    options = TuneOptions(
        direction=ObjectiveType.MINIMIZE,
        metric="loss",
        additional_objectives=(
            AdditionalObjective(type=ObjectiveType.MAXIMIZE, objective_metric_name="accuracy"),
        ),
    )
    spec = options.spec([uniform(0, 1).named("lr")], TrialTemplate())
    front = tuple(Best.of(spec.objective, each) for each in pareto_front(spec.objective, trials))
    return _summary(trials, spec=spec, best=front[0] if front else None, front=front)


def _pair(number: int, loss: float, accuracy: float) -> Trial:
    metrics = {"loss": Metric.single(loss), "accuracy": Metric.single(accuracy)}
    return Trial(number, {"lr": number / 7}, TrialState.SUCCEEDED, metrics)


def _best(number: int, value: float, parameters: Mapping[str, Value]) -> Best:
    return Best(number, value, parameters, {"accuracy": value})


def _trial(number: int, value: float | None, state: TrialState = TrialState.SUCCEEDED) -> Trial:
    metrics = {} if value is None else {"accuracy": Metric.single(value)}
    message = "ValueError: no luck" if state is TrialState.FAILED else ""
    return Trial(number, {"lr": number / 7}, state, metrics, completed_at=number, message=message)


def _html(
    summary: Summary, trials: list[Trial], decisions: Sequence[Decision] = (), note: str = ""
) -> str:
    return progress_html(summary, Tally(summary.spec.objective, trials), decisions, note)


class _Checker(HTMLParser):
    """Collects the tags, and sees that each is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self._open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def _rows(html: str) -> list[str]:
    """The texts of the table rows."""
    return [_Checker(row).text for row in re.findall(r"<tr.*?</tr>", html)]


def test_the_best_and_the_latest_trials_are_shown_once_each() -> None:
    trials = [_trial(n, value) for n, value in enumerate([0.5, 0.9, 0.1, 0.7, 0.2, 0.8, 0.3])]
    trials += [_trial(7, None, TrialState.RUNNING), _trial(8, None, TrialState.CREATED)]

    rows = _rows(_html(_summary(trials), trials))

    numbers = [re.match(r"(★ best|2nd best|3rd best|latest)(\d)", row) for row in rows]
    assert [match.groups() for match in numbers if match] == [
        ("★ best", "1"),
        ("2nd best", "5"),
        ("3rd best", "3"),
        ("latest", "7"),
        ("latest", "6"),
    ]


def test_the_smallest_objective_leads_when_it_is_minimised() -> None:
    trials = [_trial(n, value) for n, value in enumerate([0.5, 0.9, 0.1])]
    summary = _summary(trials, spec=_spec(direction="minimize"))
    rows = _rows(_html(summary, trials))
    assert rows[1].startswith("★ best2Succeeded0.1")


def test_counts_failures_and_the_way_on_are_told() -> None:
    trials = [replace(_trial(0, 0.5), assignments={"lr": 0.123456})]
    trials += [_trial(1, None, TrialState.FAILED), _trial(2, None)]
    summary = _summary(trials, state="Stopped", best=_best(0, 0.51239, {"lr": 0.123456}))

    html = _Checker(_html(summary, trials)).text
    text = progress_text(summary)

    for shown in (html, text):
        assert "3 of 30 trials done" in shown
        assert "1 failed" in shown
        assert "0.5124" in shown
        assert "0.1235" in shown
    assert "Trial 1: ValueError: no luck" in html
    assert "%hpo best digits --apply" in html
    assert "%hpo resume digits" in html
    assert len(text.splitlines()) <= 3


def test_while_the_set_up_runs_trials_wait() -> None:
    trials = [_trial(n, None, TrialState.RUNNING) for n in range(2)]
    message = "Experiment is running the 2 set-up cells"
    summary = _summary(trials, message=message, set_up=8.4)

    html = _Checker(_html(summary, trials)).text
    text = progress_text(summary)

    for shown in (html, text, progress_line(summary)):
        assert "2 waiting" in shown
        assert "running the 2 set-up cells, 8 s" in shown
        assert "2 running" not in shown
    assert "Waiting" in html
    assert _GOLD not in _html(summary, trials)
    assert "1 min 10 s" in progress_text(replace(summary, set_up=77.0))


def test_what_may_change_says_as_of_when_it_was_so() -> None:
    for state, shown in (("Running", True), ("Succeeded", False), ("Stopped", False)):
        summary = _summary([], state=state)
        tally = Tally(summary.spec.objective)
        html = progress_html(summary, tally, as_of="27 Nov, 15:04")
        text = progress_text(summary, as_of="27 Nov, 15:04")
        assert ("as of 27 Nov, 15:04" in html, "as of 27 Nov, 15:04" in text) == (shown, shown)


def test_where_nothing_succeeded_the_traceback_is_shown_and_the_ways_on() -> None:
    trials = [_trial(n, None, TrialState.FAILED) for n in range(4)]
    summary = _summary(trials, state="Failed", reason=GIVEN_UP, message="The first 4 failed")
    failure = Failure(3, "ValueError: no luck", excerpt="Cell In[2], line 1\n----> 1 f(<x>)")
    html = progress_html(summary, Tally(summary.spec.objective, trials), failure=failure)
    text = _Checker(html).text
    assert "----> 1 f(<x>)" in text
    assert "The first 4 failed" in text
    for command in ("%hpo logs digits", "%hpo resume digits", "--max-failed 30"):
        assert command in text


def _many(count: int, number: int = 0) -> dict[str, Value]:
    """Parameters of which the first is the same in each trial."""
    return {"fixed": 1} | {f"parameter_{n}": n + number / 7 for n in range(count - 1)}


def test_each_parameter_has_a_column_of_its_own() -> None:
    trials = [replace(_trial(n, n / 9), assignments=_many(5, n)) for n in range(3)]
    rows = _rows(_html(_summary(trials, best=_best(2, 0.2, _many(5))), trials))
    assert rows[0] == "TrialStateaccuracylrfixed" + "".join(f"parameter_{n}" for n in range(4))
    assert rows[1] == "★ best2Succeeded0.222210.28571.2862.2863.286"


def test_of_many_parameters_those_that_vary_have_columns_and_all_best_values_are_there() -> None:
    trials = [replace(_trial(n, n / 9), assignments=_many(30, n)) for n in range(9)]
    html = _html(_summary(trials, best=_best(8, 8 / 9, _many(30, 8))), trials)
    assert _rows(html)[0].startswith("TrialStateaccuracyparameter_0parameter_1")
    assert "+27" in _rows(html)[0]
    assert re.search(r'title="[^"]*parameter_28"', html)
    text = _Checker(html).text
    assert all(f"{name} {number(value)}" in text for name, value in _many(30, 8).items())


def test_a_long_value_is_cut_and_whole_where_the_pointer_rests() -> None:
    long = "optimizers." * 5 + "<Adam>"
    trials = [replace(_trial(0, 0.5), assignments={"lr": long})]
    html = _html(_summary(trials, best=_best(0, 0.5, {"lr": long})), trials)
    assert f'title="{escape(long)}"' in html
    assert _rows(html)[1].endswith("optimizers.optimizers.op…")


def _notebook(trials: list[Trial], **changes: object) -> Summary:
    """Of a notebook whose cell as written has lr = 0.25."""
    template = TrialTemplate(trial_spec={"apiVersion": API_VERSION, "kind": "NotebookTrial"})
    spec = _spec().model_copy(
        update={"trial_template": template, "initial_points": ({"lr": 0.25},)}
    )
    written = written_value(spec, trials[0])
    tally = Tally(spec.objective, trials)
    best = next(tally.ranked(), None)
    return _summary(
        trials,
        spec=spec,
        as_written=written,
        best=Best.of(spec.objective, best) if best else None,
        **changes,
    )


def _as_written(value: float | None) -> Trial:
    return replace(_trial(0, value), assignments={"lr": 0.25})


def test_the_improvement_over_the_cell_as_written_is_shown() -> None:
    trials = [_as_written(0.33834), *(_trial(n, 0.9 + n / 100) for n in range(1, 8))]
    summary = _notebook(trials)
    html = _html(summary, trials)
    assert "0.3383 → 0.97 accuracy, maximize" in _Checker(html).text
    assert _rows(html)[-1] == "as written0Succeeded0.33830.25"
    assert "best accuracy 0.3383 → 0.97 in trial 7: lr=1" in progress_text(summary)


def test_a_parameter_that_was_not_active_leaves_the_cell_as_written() -> None:
    spec = _notebook([_as_written(0.5)]).spec
    point = {"lr": 0.25, "degree": 3}
    spec = spec.model_copy(update={"initial_points": (point,)})
    assert written_value(spec, _as_written(0.5)) == 0.5


def test_the_cell_as_written_may_be_the_best() -> None:
    trials = [_as_written(0.9), _trial(1, 0.5)]
    running, over = (_notebook(trials, state=state) for state in ("Running", "Succeeded"))
    assert "0.9 as written, no better yet" in _Checker(_html(running, trials)).text
    assert "0.9 as written is best" in _Checker(_html(over, trials)).text
    assert "best accuracy 0.9 in trial 0, as written" in progress_text(over)


def test_without_a_result_of_the_cell_as_written_nothing_is_compared() -> None:
    for trials in (
        [_as_written(None), _trial(1, 0.5)],
        [_trial(0, 0.2), _trial(1, 0.5)],
    ):
        assert "→" not in _html(_notebook(trials), trials)
    text = _Checker(_html(_notebook([_as_written(None)]), [_as_written(None)])).text
    assert "no result yet: accuracy, maximize" in text


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (0.0, "about 5 s left"),
        (41.0, "about 45 s left"),
        (163.0, "about 2 min 50 s left"),
        (118.0, "about 2 min left"),
        (1500.0, "about 25 min left"),
        (7300.0, "about 2 h 2 min left"),
    ],
)
def test_the_time_left_is_told_coarsely(left: float, text: str) -> None:
    summary = _summary([], left=left)
    assert text in _html(summary, [])
    assert text in progress_text(summary)
    assert "left" not in progress_text(_summary([]))


def test_a_trial_that_reported_no_number_has_no_value() -> None:
    trials = [_trial(0, float("nan"))]
    assert "nan" not in _html(_summary(trials), trials)


def test_of_several_objectives_the_front_is_shown_and_drawn() -> None:
    trials = [_pair(0, 1, 0.5), _pair(1, 2, 0.4), _pair(2, 3, 0.9), _pair(3, 0.5, 0.25)]
    summary = _several(trials)

    html = _html(summary, trials)

    assert "3 on the Pareto front minimize loss, maximize accuracy" in _Checker(html).text
    rows = _rows(html)
    assert rows[0] == "Front: triallossaccuracylr"
    assert [row[0] for row in rows[1:4]] == ["3", "0", "2"]
    assert rows[5].startswith("latest3Succeeded0.50.25")
    assert 'alt="3 of 4 trials on the Pareto front"' in html
    behind, diamonds = _paths(html)
    assert (behind.count("h0"), diamonds.count("z")) == (1, 3)
    assert "3 on the Pareto front, first loss 0.5, accuracy 0.25 in trial 3" in progress_text(
        summary
    )


def _paths(html: str) -> tuple[str, str]:
    """The marks of the picture of a front: those behind it, and those on it."""
    picture = unquote(html.partition("data:image/svg+xml,")[2].partition('"')[0])
    window = picture.partition("viewBox=")[2].partition("<svg ")[2].partition("</svg>")[0]
    paths = re.findall(r"<path d='(.*?)' (.*?)/>", window)
    dots = [path for path, _ in paths if "h0" in path]
    return dots[0] if dots else "", paths[-1][0]


@given(
    st.lists(st.tuples(st.floats(-1e308, 1e308), st.floats(-1e308, 1e308)), min_size=1, max_size=9)
)
def test_whatever_the_objectives_are_the_drawing_holds_every_trial(
    pairs: list[tuple[float, float]],
) -> None:
    trials = [_pair(number, *pair) for number, pair in enumerate(pairs)]
    html = _html(_several(trials), trials)
    assert len(html.encode()) <= 20_000
    behind, diamonds = _paths(html)
    assert behind.count("h0") + diamonds.count("z") >= min(2, len({*pairs}))
    places = re.findall(r"M([\d.]+) ([\d.]+)", behind + diamonds)
    assert all(float(x) <= 420 and float(y) <= 380 for x, y in places)


def test_a_large_front_is_shown_from_end_to_end() -> None:
    trials = [_pair(number, number, number) for number in range(300)]
    html = _html(_several(trials), trials)
    numbers = _rows(html)[1:9]
    assert numbers[0].startswith("000")
    assert numbers[7].startswith("299")
    assert "and 292 between them" in _Checker(html).text
    assert len(html.encode()) <= 20_000


def test_how_the_search_made_a_trial_is_told() -> None:
    made = {"rung": "1", "resource": "9", "point": "initial-0"}
    trials = [replace(_trial(4, 0.5), labels=made, parent=2)]
    rows = _rows(_html(_summary(trials), trials))
    assert rows[0] == "TrialStateaccuracyrungresourceparentlr"
    assert rows[1] == "★ best4Succeeded0.51920.5714"


def test_why_a_trial_was_stopped_early_is_at_its_state() -> None:
    trials = [replace(_trial(4, 0.5, TrialState.EARLY_STOPPED), message='worse than "3"')]
    assert 'title="worse than &quot;3&quot;"' in _html(_summary(trials), trials)


_words = st.text(max_size=80)


@settings(max_examples=20)
@given(name=_words, message=_words, reason=_words, data=st.data())
def test_whatever_it_is_called_the_html_is_whole_harmless_and_small(
    name: str, message: str, reason: str, data: st.DataObject
) -> None:
    values = data.draw(
        st.dictionaries(_words, st.one_of(_words, st.floats(), st.booleans()), max_size=14)
    )
    trials = [
        Trial(n, values, TrialState.SUCCEEDED, {name: Metric.single(n)}, message=message)
        for n in range(10)
    ]
    trials.append(Trial(10, values, TrialState.FAILED, message=message))
    decisions = [Decision(ParsedCell("", label=name), n % 2 == 0, reason) for n in range(50)]
    summary = _summary(
        trials,
        name=name,
        message=message,
        state="Failed",
        spec=_spec(name),
        best=_best(1, 1.0, values),
    )

    html = _html(summary, trials, decisions, note=reason)

    assert len(html.encode()) <= 20_000
    harmless = {"div", "span", "b", "code", "details", "summary"}
    harmless |= {"table", "thead", "tbody", "tr", "th", "td", "img"}
    assert _Checker(html).tags <= harmless


def test_the_largest_that_can_be_is_small() -> None:
    long = "<&\"'é" * 100
    values = {f"{long}{n}": long for n in range(50)}
    measured = {long: Metric.single(1.0)}
    labels = {long: long}
    trials = [
        Trial(n, values, TrialState.SUCCEEDED, measured, message=long, labels=labels)
        for n in range(10)
    ]
    trials += [Trial(n, values, TrialState.METRICS_UNAVAILABLE, message=long) for n in (10, 11, 12)]
    decisions = [Decision(ParsedCell("", label=long), True, long) for _ in range(100)]
    summary = _summary(
        trials,
        name=long,
        message=long,
        state="Failed",
        spec=_spec(long),
        best=_best(1, 1.0, values),
    )
    assert len(_html(summary, trials, decisions, note=long).encode()) <= 20_000
