"""Time to build each figure, beside Optuna's: `python benchmarks/figures.py [--trials N ...]`.

Optuna's figures are made of a study in memory, whose making is not counted; ours of the trials
as a store gives them. A figure of Optuna ends as JSON too, since that is what a browser is sent.
Each case is measured once in every round, in turns; the median counts.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
import warnings
from collections.abc import Callable

import optuna
from tables import publish, setting, table

from hpo_lab.dashboard import figures
from hpo_lab.dashboard.drawing import svg
from hpo_lab.experiment.model import ExperimentDocument
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.search.studies import study_of

Make = Callable[[], object]

_STEPS = 20
_SPACE = [
    {
        "name": f"p{place}",
        "parameterType": "double",
        "feasibleSpace": {"min": 1e-4, "max": 1.0}
        | ({"distribution": "logUniform"} if place % 2 else {}),
    }
    for place in range(5)
]
_SECOND = [{"type": "minimize", "objectiveMetricName": "time"}]
_THEIRS = {
    "history": "plot_optimization_history",
    "importances": "plot_param_importances",
    "slices": "plot_slice",
    "parallel": "plot_parallel_coordinate",
    "curves": "plot_intermediate_values",
    "contour": "plot_contour",
    "timeline": "plot_timeline",
    "edf": "plot_edf",
    "pareto": "plot_pareto_front",
}
_SECONDS = 120
"""A figure of Optuna that would take longer than so many seconds is left out."""


def experiment(count: int, several: bool) -> figures.ExperimentData:
    """*count* trials of five parameters, which report twenty values each."""
    rng = random.Random(count)
    trials, curves = [], {}
    for number in range(count):
        values = {f"p{place}": 10 ** rng.uniform(-4, 0) for place in range(5)}
        loss = values["p0"] + 0.1 * values["p1"] + rng.random() / 20
        metrics = {"loss": Metric.single(loss)}
        if several:
            metrics["time"] = Metric.single(1 / (0.05 + loss) + rng.random())
        failed = number % 20 == 7
        state = TrialState.FAILED if failed else TrialState.SUCCEEDED
        trials.append(
            Trial(
                number,
                values,
                state,
                {} if failed else metrics,
                started_at=1.7e9 + number,
                completed_at=1.7e9 + number + 3 * rng.random(),
            )
        )
        curves[number] = {step: loss + 1 / (1 + step) for step in range(_STEPS)}
    objective = {"type": "minimize", "objectiveMetricName": "loss"}
    document = ExperimentDocument.model_validate(
        {
            "metadata": {"name": "figures"},
            "spec": {
                "parameters": _SPACE,
                "objective": objective | ({"additionalObjectives": _SECOND} if several else {}),
                "algorithm": {"algorithmName": "random"},
            },
        }
    )
    return figures.ExperimentData(document, trials, lambda metric, numbers: curves, now=1.8e9)


def fresh(data: figures.ExperimentData) -> figures.ExperimentData:
    """The same data, of which nothing has been worked out yet."""
    return figures.ExperimentData(data.document, data.trials, data.read_curves, now=data.now)


def ours_of(name: str, data: figures.ExperimentData) -> Make:
    """Makes our figure and writes it as JSON."""
    return lambda: json.dumps(figures.draw(name, fresh(data)).to_json())


def theirs(name: str, study: optuna.Study) -> Make:
    """Makes Optuna's figure and writes it as JSON."""
    plot = getattr(optuna.visualization, _THEIRS[name])
    more = {"params": ["p0", "p1"]} if name == "contour" else {}
    return lambda: plot(study, **more).to_json()


def seconds(make: Make) -> float:
    """How long *make* takes."""
    begin = time.perf_counter()
    make()
    return time.perf_counter() - begin


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    rows = []
    for count in options.trials:
        sides = {several: experiment(count, several) for several in (False, True)}
        studies = {
            several: study_of(data.document, data.trials, data.read_curves("loss", None))
            for several, data in sides.items()
        }
        for name in figures.names():
            data = sides[name == "pareto"]
            figure = figures.draw(name, data)
            size = len(json.dumps(figure.to_json()))
            picture = len(svg(figure))
            ours: list[float] = []
            other: list[float] = []
            for _ in range(options.rounds):
                ours.append(seconds(ours_of(name, data)))
                if name in _THEIRS and (not other or other[-1] < _SECONDS):
                    other.append(seconds(theirs(name, studies[name == "pareto"])))
            mine = statistics.median(ours)
            yours = statistics.median(other) if other else None
            rows.append(
                (
                    f"{count:,}",
                    name,
                    f"{1000 * mine:.0f}",
                    "" if yours is None else f"{1000 * yours:.0f}",
                    "" if yours is None else f"{yours / mine:.1f}",
                    f"{size / 1000:.0f}",
                    f"{picture / 1000:.0f}",
                )
            )
            print(*rows[-1], flush=True)
    heads = ("trials", "figure", "ms", "Optuna ms", "times ours", "JSON KB", "SVG KB")
    publish(
        "figures",
        [*table(heads, rows), "", setting("hpo_lab", "optuna", "plotly")],
        write=options.write,
    )


if __name__ == "__main__":
    main()
