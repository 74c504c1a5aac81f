"""Figures of how the search went: fronts, constraints, rungs, lineage, timeline."""

from __future__ import annotations

import itertools
import math
import re

from hpo_lab.dashboard.drawing import svg
from hpo_lab.dashboard.figures import drawn_trials, is_of_use
from hpo_lab.dashboard.figures.axes import rounded
from hpo_lab.dashboard.figures.constraints import constraints
from hpo_lab.dashboard.figures.lineage import lineage
from hpo_lab.dashboard.figures.pareto import pareto
from hpo_lab.dashboard.figures.rungs import rungs
from hpo_lab.dashboard.figures.timeline import timeline
from hpo_lab.experiment.trial import TrialState
from tests.dashboard.figures.making import data, trace, trial

ACCURACY = {"additionalObjectives": [{"type": "maximize", "objectiveMetricName": "accuracy"}]}


def test_the_front_is_joined_and_the_others_are_behind_it() -> None:
    values = [(1.0, 0.5), (2.0, 0.4), (3.0, 0.9), (0.5, 0.25)]
    trials = [
        trial(number, loss, metrics={"accuracy": accuracy})
        for number, (loss, accuracy) in enumerate(values)
    ]
    trials += [trial(4, None, TrialState.FAILED), trial(5, 1.0, metrics={"accuracy": math.nan})]
    figure = pareto(data(trials, objective=ACCURACY))

    assert trace(figure, "on the front")["customdata"] == [0, 2, 3]
    assert trace(figure, "behind the front")["customdata"] == [1]
    line = figure.traces[0]
    assert (line["x"], line["y"]) == ([0.5, 1.0, 3.0], [0.25, 0.5, 0.9])
    assert figure.left_out == {"failed": 1, "without all objectives": 1}
    assert figure.text.startswith(
        "3 trials of 6 on the Pareto front of loss, accuracy. "
        "The best loss on it is 0.5 in trial 3."
    )


def test_three_objectives_have_a_panel_for_each_pair() -> None:
    more = [{"type": "minimize", "objectiveMetricName": name} for name in ("b", "c")]
    figure = pareto(
        data(
            [trial(0, 1.0, metrics={"b": 2.0, "c": 3.0})], objective={"additionalObjectives": more}
        )
    )
    fronts = [each for each in figure.traces if each["name"] == "on the front"]
    assert [(each["x"], each["y"]) for each in fronts] == [
        ([1.0], [2.0]),
        ([1.0], [3.0]),
        ([2.0], [3.0]),
    ]


def test_a_single_objective_has_no_front() -> None:
    figure = pareto(data([trial(0, 1.0)]))
    assert figure.text.startswith("There is a single objective, loss; a front needs two.")
    assert figure.traces == ()


def test_who_breaks_a_constraint_is_beyond_its_line() -> None:
    bounds = {"constraints": [{"name": "memory", "max": 8}, {"name": "speed", "min": 2}]}
    figure = constraints(
        data(
            [
                trial(0, 2.0, metrics={"memory": 9, "speed": 3}),
                trial(1, 1.0, metrics={"memory": 7, "speed": 2}),
                trial(2, 1.5, metrics={"memory": 6}),
            ],
            objective=bounds,
        )
    )
    broken = [each for each in figure.traces if each["name"] == "breaks a constraint"]
    assert [(each["xaxis"], each["customdata"]) for each in broken] == [("x", [0])]
    lines = [shape["y0"] for shape in figure.layout["shapes"] if shape["type"] == "line"]
    assert lines == [8, 2]
    assert trace(figure, "no value")["customdata"] == [2]
    assert figure.text.startswith("2 trials of 3 break a constraint. Best loss 1 in trial 1")


def test_promotions_join_rungs_in_the_panel_of_their_bracket() -> None:
    def rung(number: int, value: float, bracket: int, level: int, parent: int | None = None):  # type: ignore[no-untyped-def]
        labels = {"bracket": str(bracket), "rung": str(level), "resource": str(3**level)}
        return trial(number, value, parent=parent, labels=labels)

    trials = [rung(0, 3.0, 1, 0), rung(1, 2.0, 1, 0), rung(2, 1.0, 1, 1, 1), rung(3, 4.0, 0, 0)]
    figure = rungs(data([*trials, trial(4, 1.5)], algorithm="hyperband"))

    assert trace(figure, "promoted")["customdata"] == [1]
    alone = [each["customdata"] for each in figure.traces if each.get("name") == "not promoted"]
    assert alone == [[0], [3]]
    line = figure.traces[0]
    assert (line["x"], line["y"]) == ([0.0, 1.0], [2.0, 1.0])
    assert figure.layout["xaxis"]["ticktext"] == ["1", "3"]
    assert figure.left_out == {"without a rung": 1}
    assert figure.text.startswith("2 brackets, 1 trial promoted.")


def test_promotions_without_a_line_are_counted() -> None:
    trials = [
        trial(
            number,
            2000.0 - number,
            parent=number - 720 if number >= 720 else None,
            labels={"bracket": "0", "rung": str(number // 720)},
        )
        for number in range(1440)
    ]
    figure = rungs(data(trials, algorithm="hyperband"))

    lines = sum(each["x"].count(None) + 1 for each in figure.traces if each["mode"] == "lines")
    assert lines == 701
    assert figure.text.endswith(" trials. Without a line: 19 promotions.")


def test_the_lineage_leads_to_the_best() -> None:
    def member(number: int, value: float, generation: int, member: int, parent: int | None = None):  # type: ignore[no-untyped-def]
        origin = "new" if parent is None else "exploited" if member == 0 else "continued"
        labels = {"generation": str(generation), "member": str(member), "origin": origin}
        return trial(number, value, parent=parent, labels=labels)

    trials = [member(0, 3.0, 0, 0), member(1, 2.0, 0, 1), member(2, 1.0, 1, 0, 1)]
    trials.append(member(3, 1.5, 1, 1, 1))
    figure = lineage(data(trials, algorithm="pbt"))

    first = {each["name"]: each for each in figure.traces if each["xaxis"] == "x"}
    assert (first["led to the best"]["x"], first["led to the best"]["y"]) == ([0, 1], [2.0, 1.0])
    assert first["copied from another"]["line"]["dash"] != "solid"
    assert first["goes on"]["y"] == [2.0, 1.5]
    assert figure.text.startswith("2 members over 2 generations, 1 time a better one was copied.")


def test_a_row_of_the_timeline_is_a_slot_or_what_the_record_says() -> None:
    trials = [
        trial(0, 1.0, started_at=10, completed_at=20),
        trial(1, 2.0, started_at=12, completed_at=14),
        trial(2, 3.0, started_at=15, completed_at=18),
        trial(3, None, TrialState.RUNNING, started_at=21),
        trial(4, None, TrialState.FAILED, started_at=11, completed_at=13, labels={"worker": "b"}),
        trial(5, None, TrialState.CREATED),
    ]
    figure = timeline(data(trials, now=30))

    assert figure.layout["yaxis"]["ticktext"] == ["worker b", "slot 0", "slot 1"]
    bars = {
        number: (y, base, x)
        for each in figure.traces
        if each["type"] == "bar"
        for number, y, base, x in zip(
            each["customdata"], each["y"], each["base"], each["x"], strict=True
        )
    }
    assert bars == {
        0: (1, 0, 10),
        1: (2, 2, 2),
        2: (2, 5, 3),
        3: (2, 11, 9),
        4: (0, 1, 2),
    }
    assert figure.left_out == {"without a start": 1}
    assert "1 running" in figure.text


def test_a_pixel_is_between_a_bar_and_the_next() -> None:
    times = [0, 7.3, 11, 30.5, 31, 60]
    trials = [
        trial(n, n, started_at=start, completed_at=end)
        for n, (start, end) in enumerate(itertools.pairwise(times))
    ]
    drawn = svg(timeline(data(trials, type="maximize")))

    paths = re.findall(r'<path d="((?:M[\d. ]+h[\d.]+)+)"[^>]*stroke-width="[\d.]+"', drawn)
    bars = sorted(
        (float(start), float(start) + float(wide))
        for path in paths
        for start, wide in re.findall(r"M([\d.]+) [\d.]+h([\d.]+)", path)
    )
    assert len(bars) == 5
    ends = [(end, start) for (_, end), (start, _) in itertools.pairwise(bars)]
    assert all(start - end == 1 for end, start in ends)


def test_the_bars_of_many_trials_are_joined() -> None:
    trials = [
        trial(number, 1.0 + number, started_at=number, completed_at=number + 1.0)
        for number in range(5000)
    ]
    figure = timeline(data(trials))
    assert len(drawn_trials(figure)) < 1600
    (count,) = figure.left_out.values()
    assert count + len(drawn_trials(figure)) == 5000


def test_a_rule_with_rungs_shows_how_far_each_trial_came() -> None:
    rule = {
        "algorithmName": "asha",
        "algorithmSettings": [{"name": "max_resource", "value": "9"}],
    }
    curves = {
        0: {step: 1 / step for step in range(1, 10)},
        1: {1: 3.0},
        2: {step: 2 / step for step in range(1, 4)},
    }
    trials = [
        trial(0, 1 / 9),
        trial(1, 3.0, TrialState.EARLY_STOPPED),
        trial(2, 2 / 3, TrialState.EARLY_STOPPED),
        trial(3, None, TrialState.FAILED),
    ]
    made = data(trials, curves=curves, early_stopping=rule)
    assert is_of_use("rungs", made)
    figure = rungs(made)
    assert figure.text == (
        "2 trials of 3 stopped at a rung. Best loss 0.1111 in trial 0 of 4 trials. "
        "Not drawn: 1 without a rung."
    )
    # The rungs are the steps 1 and 3: the rule lets a trial go on to its end from there.
    assert figure.layout["xaxis"]["ticktext"] == ["1", "3"]
    stopped, best, *_ = figure.traces
    assert (stopped["x"], stopped["y"]) == ([0, None, 0, 1], [3, None, 2, rounded(2 / 3)])
    assert (best["x"], best["y"]) == ([0, 1], [1, rounded(1 / 3)])
    assert drawn_trials(figure) == {0, 1, 2}
    assert not is_of_use("rungs", data(trials, early_stopping={"algorithmName": "medianstop"}))
