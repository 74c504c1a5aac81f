"""The checks that every figure of hpo_lab passes, for figures of other packages."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

from hpo_lab.dashboard.drawing import svg
from hpo_lab.dashboard.figures import THEMES, ExperimentData, Figure, draw, drawn_trials
from hpo_lab.dashboard.figures.wording import amount
from hpo_lab.experiment.condition import ParameterCondition, order
from hpo_lab.experiment.model import (
    AdditionalObjective,
    AlgorithmSpec,
    ExperimentDocument,
    ExperimentSpec,
    Metadata,
    MetricConstraint,
    Objective,
    ObjectiveType,
    Parameter,
    Value,
)
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.search.axis import Axis
from hpo_lab.testing.spaces import random_outcome, random_space

__all__ = ["check_figure", "check_figure_of", "random_experiment"]

_NAMES = ("lr", "a rather long name of a parameter", "<b>x</b> & %{y} $z$", "größe", "x" * 90)
_SCALES = (0.0, 1e-12, 1e-3, 1.0, 1e12, 1e300)


def check_figure(
    figure: str | Callable[[ExperimentData], Figure], *, examples: int = 40, seed: int = 0
) -> None:
    """Check a figure as those of hpo_lab are checked, with random experiments.

    There are experiments without a trial, with one, and with trials of which all failed, all
    have the same value, or the values are far apart; with lists, logarithmic ranges and
    conditions; with several objectives and constraints; with rungs and generations.
    Checked is, each time, that

    - nothing is raised, and the same data has the same figure;
    - there are a title and a text, and the figure as JSON has finite numbers alone;
    - no trial is left out silently: those that are drawn, those that are summed up, and those
      that the text counts as not drawn are all of them;
    - no name of a colour is left in any theme, and what it reads from names of the experiment
      does not become a tag;
    - it can be drawn as SVG, with its title and its text.

    Args:
        figure: The name that it is registered under, or the function itself.
        examples: How many experiments it is drawn of.
        seed: Of all that is random; a failure comes again with the same one.

    Raises:
        AssertionError: A check fails.
    """
    for place in range(examples):
        data = random_experiment(random.Random(f"{seed}/{place}"))
        check_figure_of(figure, data)


def check_figure_of(
    figure: str | Callable[[ExperimentData], Figure], data: ExperimentData
) -> Figure:
    """The figure of *data*, which is checked as `check_figure` says."""

    def made() -> Figure:
        return draw(figure, data) if isinstance(figure, str) else figure(data)

    result = made()
    assert result == made(), "the same data has another figure"
    assert result.title.strip(), "a figure needs a title"
    assert result.text.strip(), "a figure needs a text for those who cannot see it"
    _check_trials(result, data)
    for theme in THEMES:
        plotly = result.to_json(theme)
        # Here the words are those for people.
        del plotly["layout"]["meta"]
        document = json.dumps(plotly, allow_nan=False)
        assert "--hpo-" not in document, f"the theme {theme} has no such colour"
        assert "<b>x</b>" not in document, "names have to be written with `plain()`"
    picture = svg(result)
    root = ElementTree.fromstring(picture)
    name = "{http://www.w3.org/2000/svg}"
    assert root.findtext(f"{name}title") and root.findtext(f"{name}desc"), (
        "the picture has no title or no text"
    )
    for element in root.iter():
        for attribute in ("x", "y", "width", "height", "d", "viewBox"):
            place = element.get(attribute, "")
            assert "nan" not in place and "inf" not in place, f"{attribute} is {place[:60]}"
    return result


def _check_trials(figure: Figure, data: ExperimentData) -> None:
    numbers = {trial.number for trial in data.trials}
    drawn = drawn_trials(figure)
    assert drawn <= numbers, f"draws trials that there are not: {sorted(drawn - numbers)[:5]}"
    counted = len(drawn) + figure.summarised + sum(figure.left_out.values())
    assert counted == len(numbers), (
        f"draws {len(drawn)}, sums up {figure.summarised} and leaves out "
        f"{dict(figure.left_out)} of {len(numbers)} trials"
    )
    for why, count in figure.left_out.items():
        assert count > 0 and f"{amount(count)} {why}" in figure.text, (
            f"the text does not say that {count} trials are left out: {why}"
        )


def random_experiment(rng: random.Random) -> ExperimentData:
    """An experiment of any kind, with trials of any kind, drawn by *rng*."""
    parameters = _renamed(random_space(rng), rng)
    objective = _random_objective(rng)
    kind = rng.choice(["random", "hyperband", "asha", "pbt"])
    spec = ExperimentSpec(
        parameters=parameters,
        objective=objective,
        algorithm=AlgorithmSpec(algorithm_name=kind),
        max_trial_count=rng.choice([None, 10, 200]),
    )
    count = rng.choice([0, 1, 2, rng.randint(3, 30), rng.randint(30, 120)])
    scale, fate = rng.choice(_SCALES), rng.choice(["any", "any", "equal", "failed", "good"])
    trials = []
    for number in range(count):
        trial = Trial(number, _assigned(parameters, rng), labels=_labels(kind, number, rng))
        trial = _ended(trial, objective, fate, scale, rng)
        if number and kind != "random" and rng.random() < 0.5:
            trial = replace(trial, parent=rng.randrange(number))
        trials.append(trial)
    curves = {
        trial.number: {
            rng.randint(-3, 50): rng.choice([rng.gauss(0, scale), math.nan, math.inf])
            for _ in range(rng.randint(0, 12))
        }
        for trial in trials
        if rng.random() < 0.7
    }
    document = ExperimentDocument(metadata=Metadata(name="random"), spec=spec)
    return ExperimentData(
        document, trials, lambda metric, numbers: curves, now=rng.choice([None, 1e9])
    )


def _renamed(parameters: tuple[Parameter, ...], rng: random.Random) -> tuple[Parameter, ...]:
    """*parameters*, those that no condition reads under names that are hard to draw."""
    read = {
        name
        for parameter in parameters
        if parameter.when
        for name in ParameterCondition.parse(parameter.when).names
    }
    names = rng.sample(_NAMES, len(parameters))
    return tuple(
        parameter.model_copy(update={"name": parameter.name if parameter.name in read else name})
        for parameter, name in zip(parameters, names, strict=True)
    )


def _random_objective(rng: random.Random) -> Objective:
    names = rng.sample(["loss", "accuracy of the <b>x</b> & %{y}", "memory in GB", "z" * 70], 4)
    several = rng.choice([0, 0, 0, 1, 2, 3])
    return Objective(
        type=rng.choice(list(ObjectiveType)),
        objective_metric_name=names[0],
        goal=rng.choice([None, 0.5, -1e12, 1e300]),
        additional_objectives=tuple(
            AdditionalObjective(type=rng.choice(list(ObjectiveType)), objective_metric_name=name)
            for name in names[1 : several + 1]
        ),
        constraints=(
            (MetricConstraint(name=names[3], max=rng.choice([0.0, 1e300])),)
            if several < 3 and rng.random() < 0.4
            else ()
        ),
    )


def _assigned(parameters: tuple[Parameter, ...], rng: random.Random) -> Mapping[str, Value]:
    """A value for each parameter that is active; now and then none at all."""
    values: dict[str, Value] = {}
    if rng.random() < 0.05:
        return values
    for parameter in order(parameters):
        if parameter.when is None or ParameterCondition.parse(parameter.when).holds(values):
            values[parameter.name] = Axis(parameter).value_at(rng.random())
    return values


def _labels(kind: str, number: int, rng: random.Random) -> Mapping[str, str]:
    labels: dict[str, Any] = {}
    match kind:
        case "hyperband":
            labels = {"bracket": rng.randint(0, 2), "rung": rng.randint(0, 3), "resource": 9}
        case "asha":
            labels = {"rung": rng.choice([0, 0, 1, 2, "odd"]), "resource": "27"}
        case "pbt":
            labels = {"generation": number // 5, "member": number % 5, "origin": "exploited"}
    if rng.random() < 0.2:
        labels = {}
    if rng.random() < 0.2:
        labels |= {"worker": rng.choice("ab"), "gpu": rng.randint(0, 1)}
    return {name: str(text) for name, text in labels.items()}


def _ended(
    trial: Trial, objective: Objective, fate: str, scale: float, rng: random.Random
) -> Trial:
    match fate:
        case "any":
            trial = random_outcome(rng, trial, objective)
        case "failed":
            trial = replace(
                trial, state=rng.choice([TrialState.FAILED, TrialState.METRICS_UNAVAILABLE])
            )
        case _:
            value = 0.25 * scale if fate == "equal" else None
            metrics = {
                name: Metric.single(rng.gauss(0, scale) if value is None else value)
                for name in objective.metric_names
            }
            trial = replace(trial, state=TrialState.SUCCEEDED, metrics=metrics)
    if trial.state is TrialState.CREATED or rng.random() < 0.05:
        return trial
    start = 1.7e9 + trial.number * rng.random()
    end = start + rng.expovariate(1) if trial.is_final else None
    return replace(trial, started_at=start, completed_at=end, message=rng.choice(["", "<b>x</b>"]))
