from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpo_lab.dashboard.experiment_html import experiment_html
from hpo_lab.dashboard.progress import progress_text
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
    spec = _spec()
    leader = next(Tally(spec.objective, trials).ranked(), None)
    fields: dict[str, object] = {
        "name": "digits",
        "namespace": "default",
        "uid": "u",
        "state": state,
        "reason": "",
        "message": "",
        "spec": spec,
        "counts": counts,
        "best": Best.of(spec.objective, leader) if leader else None,
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
    return experiment_html(summary, Tally(summary.spec.objective, trials), decisions, note)


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
        if tag != "wbr":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] != ["style"]:
            self.text += data


_CELL = re.compile(r"<t[hd].*?</t[hd]>")


def _rows(html: str) -> list[str]:
    """The texts of the table rows, a bar between their cells."""
    rows = re.findall(r"<tr.*?</tr>", html)
    return ["|".join(_Checker(cell).text for cell in _CELL.findall(row)) for row in rows]


def test_the_best_and_the_latest_others_are_shown_once_each_under_their_titles() -> None:
    trials = [_trial(n, value) for n, value in enumerate([0.5, 0.9, 0.1, 0.7, 0.2, 0.8, 0.3])]
    trials += [_trial(7, None, TrialState.RUNNING), _trial(8, None, TrialState.CREATED)]

    rows = _rows(_html(_summary(trials), trials))

    assert [row.split("|")[:3] for row in rows[1:]] == [
        ["Best trials"],
        ["1", "Best", "0.9000"],
        ["5", "Succeeded", "0.8000"],
        ["3", "Succeeded", "0.7000"],
        ["0", "Succeeded", "0.5000"],
        ["Others, latest first"],
        ["7", "Running", "–"],  # noqa: RUF001
        ["6", "Succeeded", "0.3000"],
    ]


def test_the_latest_others_make_up_for_those_that_are_among_the_best() -> None:
    trials = [_trial(n, n / 9) for n in range(9)]
    over = _rows(_html(_summary(trials, state="Succeeded"), trials))
    assert [row.split("|")[0] for row in over[1:]] == [
        *("Best trials", "8", "7", "6", "5"),
        *("Others, latest first", "4", "3", "2"),
    ]


def test_what_has_no_room_in_a_narrow_window_is_named_there() -> None:
    names = [f"encoder.layers.{place}.attention.dropout" for place in range(5)]
    options = TuneOptions(direction=ObjectiveType.MAXIMIZE, metric="accuracy", trials=30)
    spec = options.spec([uniform(0, 1).named(name) for name in names], TrialTemplate())
    trials = [replace(_trial(0, 0.5), assignments=dict.fromkeys(names, 0.123456))]
    html = _html(_summary(trials, spec=spec), trials)
    hidden = {
        (int(column), _Checker(cell).text)
        for cell in re.findall(r"<th[^>]*>.*?</th>", html)
        for column in re.findall(r'class="w(\d)"', cell)
    }
    note = r'<p class="hpo-more w(\d) [^>]*>In a wider window also: (.*?)</p>'
    notes = dict(re.findall(note, html))
    assert notes
    for place, words in notes.items():
        assert set(words.split(", ")) == {name for column, name in hidden if column <= int(place)}
    # Number, state and objective always have room.
    assert {name for _, name in hidden} <= {*names, "Time"}
    assert "wider window" not in _html(_summary([_trial(0, 0.5)]), [_trial(0, 0.5)])


def test_the_smallest_objective_leads_when_it_is_minimised() -> None:
    trials = [_trial(n, value) for n, value in enumerate([0.5, 0.9, 0.1])]
    spec = _spec(direction="minimize")
    summary = _summary(trials, spec=spec, best=Best.of(spec.objective, trials[2]))
    html = _html(summary, trials)
    assert _rows(html)[:2] == ["Trial|State|accuracy ↓|lr|Time", "2|Best|0.1000|0.2857 |–"]  # noqa: RUF001
    assert "0.1000 best, trial 2; accuracy, lower is better" in _Checker(html).text


def test_counts_failures_and_the_way_on_are_told() -> None:
    trials = [replace(_trial(0, 0.5), assignments={"lr": 0.123456})]
    trials += [_trial(1, None, TrialState.FAILED), _trial(2, None)]
    summary = _summary(trials, state="Stopped", best=_best(0, 0.51239, {"lr": 0.123456}))

    html = _Checker(_html(summary, trials)).text
    text = progress_text(summary)

    assert "Stopped 3 of 30 trials" in html
    assert "3 of 30 trials done" in text
    for shown in (html, text):
        assert "1 failed" in shown
        assert "0.5124" in shown
        assert "0.1235" in shown
    assert "Trial 1 failed ValueError: no luck" in html
    assert "%hpo best digits --apply" in html
    assert "%hpo resume digits" in html
    assert len(text.splitlines()) <= 3


def test_while_the_set_up_runs_trials_wait() -> None:
    trials = [_trial(n, None, TrialState.RUNNING) for n in range(2)]
    message = "Experiment is running the 2 set-up cells"
    summary = _summary(trials, message=message, set_up=8.4)

    html = _Checker(_html(summary, trials)).text
    text = progress_text(summary)

    assert "Setting up" in html
    for shown in (html, text, progress_line(summary)):
        assert "2 waiting" in shown
        assert "running the 2 set-up cells, 8 s" in shown
        assert "2 running" not in shown
    assert "Waiting" in html
    assert 'class="best"' not in _html(summary, trials)
    assert "1 min 10 s" in progress_text(replace(summary, set_up=77.0))


def test_trials_that_were_interrupted_wait_for_a_resume_in_the_bar_and_in_words() -> None:
    trials = [_trial(0, 0.5), _trial(1, None, TrialState.CREATED)]
    summary = _summary(trials, state="Stopped")

    html = _html(summary, trials)

    assert 'aria-label="1 succeeded, 1 waiting for resume"' in html
    assert '<i class="created"' in html
    assert "1 waiting for resume" in progress_text(summary)
    assert "waiting for resume" not in _html(_summary(trials), trials)


@pytest.mark.parametrize("state", ["Created", "Restarting"])
def test_before_its_runner_runs_it_is_starting(state: str) -> None:
    summary = _summary([], state=state, elapsed=0.0, starting=8.4)
    assert "starting, 8 s" in _Checker(_html(summary, [])).text
    assert progress_text(summary).endswith("0 of 30 trials done\nstarting, 8 s")
    assert progress_line(summary).endswith("starting, 8 s")
    assert "0 s" not in progress_text(summary)


def test_what_may_change_says_as_of_when_it_was_so() -> None:
    for state, shown in (("Running", True), ("Succeeded", False), ("Stopped", False)):
        summary = _summary([], state=state)
        tally = Tally(summary.spec.objective)
        html = experiment_html(summary, tally, as_of="27 Nov, 15:04")
        text = progress_text(summary, as_of="27 Nov, 15:04")
        assert ("as of 27 Nov, 15:04" in html, "as of 27 Nov, 15:04" in text) == (shown, shown)
        assert ("%hpo show digits" in html, "%hpo show digits" in text) == (shown, shown)


def test_where_nothing_succeeded_the_traceback_is_shown_and_the_ways_on() -> None:
    trials = [_trial(n, None, TrialState.FAILED) for n in range(4)]
    summary = _summary(trials, state="Failed", reason=GIVEN_UP, message="The first 4 failed")
    failure = Failure(3, "ValueError: no luck", excerpt="Cell In[2], line 1\n----> 1 f(<x>)")
    html = experiment_html(summary, Tally(summary.spec.objective, trials), failure=failure)
    text = _Checker(html).text
    assert "----> 1 f(<x>)" in text
    assert "The first 4 failed" in text
    for command in ("%hpo logs digits", "%hpo resume digits", "--max-failed 30"):
        assert command in text


def _spec_of(count: int) -> ExperimentSpec:
    """A search space of the parameters of `_many`."""
    names = ["fixed", *(f"parameter_{n}" for n in range(count - 1))]
    options = TuneOptions(direction=ObjectiveType.MAXIMIZE, metric="accuracy", trials=30)
    return options.spec([uniform(-9, 99).named(name) for name in names], TrialTemplate())


def _many(count: int, number: int = 0) -> dict[str, Value]:
    """Parameters of which the first is the same in each trial."""
    return {"fixed": 1} | {f"parameter_{n}": n + number / 7 for n in range(count - 1)}


def test_each_parameter_has_a_column_of_its_own() -> None:
    trials = [replace(_trial(n, n / 9), assignments=_many(5, n)) for n in range(3)]
    spec = _spec_of(5)
    rows = _rows(_html(_summary(trials, spec=spec), trials))
    names = "|".join(f"parameter_{n}" for n in range(4))
    assert rows[0] == f"Trial|State|accuracy ↑|fixed|{names}|Time"
    assert rows[1] == "2|Best|0.2222|1 |0.2857 |1.286 |2.286 |3.286 |–"  # noqa: RUF001


def test_of_many_parameters_those_that_vary_have_columns_and_all_best_values_are_there() -> None:
    trials = [replace(_trial(n, n / 9), assignments=_many(30, n)) for n in range(9)]
    html = _html(_summary(trials, spec=_spec_of(30)), trials)
    assert _rows(html)[0].startswith("Trial|State|accuracy ↑|parameter_0|parameter_1|")
    assert "+26" in _rows(html)[0]
    assert re.search(r'title="[^"]*parameter_28"', html)
    text = _Checker(html).text
    assert all(f"{name} {number(value)}" in text for name, value in _many(30, 8).items())


def test_long_names_are_whole_beside_their_best_values_and_every_hidden_one_is_counted() -> None:
    names = [f"a_rather_long_parameter_name_{n}" for n in range(30)]
    options = TuneOptions(direction=ObjectiveType.MAXIMIZE, metric="accuracy", trials=30)
    spec = options.spec([uniform(0, 1).named(name) for name in names], TrialTemplate())
    trials = [replace(_trial(n, n / 9), assignments=dict.fromkeys(names, n / 7)) for n in range(9)]
    html = _html(_summary(trials, spec=spec), trials)

    items = re.findall(r"<dt[^>]*>(.*?)</dt>", html)
    assert [_Checker(item).text for item in items] == names
    # So wide that a name and its value stand on one line: 29 letters and 5 digits.
    (width,) = re.findall(r"hpo-vals\" style=\"--w:(\d+)px", html)
    assert int(width) >= 7 * 34
    notes = re.findall(r'<p class="hpo-more[^>]*>(.*?)</p>', html)
    assert notes
    for note in notes:
        assert note.endswith(". The other 26 parameters are among the best values.")


def test_a_long_value_is_cut_and_whole_where_the_pointer_rests() -> None:
    long = "optimizers." * 5 + "<Adam>"
    trials = [replace(_trial(0, 0.5), assignments={"lr": long})]
    html = _html(_summary(trials, best=_best(0, 0.5, {"lr": long})), trials)
    assert f'title="{escape(long)}"' in html
    assert _rows(html)[1].endswith("optimizers.optimizers.op…|–")  # noqa: RUF001


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
    climb = "0.3383 as written → 0.9700 best, trial 7 +0.6317 accuracy, higher is better"
    assert climb in _Checker(html).text
    assert _rows(html)[-1] == "0|As written|0.3383|0.25 |–"  # noqa: RUF001
    assert "best accuracy 0.3383 → 0.97 in trial 7: lr=1" in progress_text(summary)


def test_a_parameter_that_was_not_active_leaves_the_cell_as_written() -> None:
    spec = _notebook([_as_written(0.5)]).spec
    point = {"lr": 0.25, "degree": 3}
    spec = spec.model_copy(update={"initial_points": (point,)})
    assert written_value(spec, _as_written(0.5)) == 0.5


def test_the_cell_as_written_may_be_the_best() -> None:
    trials = [_as_written(0.9), _trial(1, 0.5)]
    running, over = (_notebook(trials, state=state) for state in ("Running", "Succeeded"))
    assert "0.9000 as written, no better one yet" in _Checker(_html(running, trials)).text
    assert "0.9000 as written is best" in _Checker(_html(over, trials)).text
    assert "best accuracy 0.9 in trial 0, as written" in progress_text(over)


def test_without_a_result_of_the_cell_as_written_nothing_is_compared() -> None:
    for trials in (
        [_as_written(None), _trial(1, 0.5)],
        [_trial(0, 0.2), _trial(1, 0.5)],
    ):
        assert "→" not in _html(_notebook(trials), trials)
    text = _Checker(_html(_notebook([_as_written(None)]), [_as_written(None)])).text
    assert "no result yet: accuracy, higher is better" in text


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

    assert "3 on the Pareto front of loss, accuracy" in _Checker(html).text
    rows = _rows(html)
    assert rows[0] == "Trial|State|loss ↓|accuracy ↑|lr|Time"
    assert [row.split("|")[:2] for row in rows[1:]] == [
        ["Pareto front"],
        ["3", "On the front"],
        ["0", "On the front"],
        ["2", "On the front"],
        ["Others, latest first"],
        ["1", "Succeeded"],
    ]
    assert "3 on the Pareto front, first loss 0.5, accuracy 0.25 in trial 3" in progress_text(
        summary
    )


def test_a_large_front_is_shown_from_end_to_end() -> None:
    trials = [_pair(number, number, number) for number in range(300)]
    trials.append(_pair(300, 400, 0))
    rows = _rows(_html(_several(trials), trials))[1:]
    assert rows[0] == "Pareto front, 8 of its 300 trials"
    assert rows[1].startswith("0|On the front")
    assert rows[8].startswith("299|On the front")
    assert [row.split("|")[0] for row in rows[9:]] == ["Others, latest first", "300"]


def test_how_the_search_made_a_trial_is_told() -> None:
    made = {"rung": "1", "resource": "9", "point": "initial-0"}
    trials = [replace(_trial(4, 0.5), labels=made, parent=2)]
    rows = _rows(_html(_summary(trials), trials))
    assert rows[0] == "Trial|State|accuracy ↑|lr|rung|resource|parent|Time"
    assert rows[1] == "4|Best|0.5000|0.5714 |1|9|2|–"  # noqa: RUF001


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

    assert len(html.encode()) <= 40_000
    harmless = {"section", "style", "div", "span", "b", "i", "p", "pre", "code", "dl", "dt", "dd"}
    harmless |= {"details", "summary", "svg", "path", "circle", "rect"}
    harmless |= {"table", "thead", "tbody", "tr", "th", "td", "wbr"}
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
    assert len(_html(summary, trials, decisions, note=long).encode()) <= 40_000
