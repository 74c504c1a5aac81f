"""Which address answers what.

The same table stands in `openapi.yaml`, for programs; `tests/server/test_openapi.py` holds one
against the other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from hpo_lab.server import cells, experiments, exports, figures, options, panels, trials
from hpo_lab.server.request import Answer, Fields, Nothing

__all__ = ["ROUTES", "Endpoint", "Route", "match"]

_PATTERNS = {"uid": "[0-9a-f]{32}", "number": "[0-9]{1,9}", "name": ".+"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a method of an address does.

    Attributes:
        answer: Gives the answer.
        query: What may stand behind the request mark.
        body: What is sent with it.
        status: The status of an answer.
    """

    answer: Answer
    query: type[Fields] = Nothing
    body: type[Fields] = Nothing
    status: int = 200


@dataclass(frozen=True)
class Route:
    """An address with its endpoints.

    Attributes:
        path: Behind `hpo-lab/api`; what stands in braces is named.
        endpoints: By method.
    """

    path: str
    endpoints: Mapping[str, Endpoint]

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The path with groups of the names."""
        names = re.sub(r"\{(\w+)\}", lambda name: f"(?P<{name[1]}>{_PATTERNS[name[1]]})", self.path)
        return re.compile(names)


_EXPERIMENT: Final = "/experiments/{uid}"
_TRIAL: Final = f"{_EXPERIMENT}/trials/{{number}}"

ROUTES: Final = (
    Route("", {"GET": Endpoint(experiments.about)}),
    Route("/options", {"GET": Endpoint(options.listed)}),
    Route("/cell", {"POST": Endpoint(cells.read, body=cells.CellSource)}),
    Route("/cell/annotation", {"POST": Endpoint(cells.annotate, body=cells.AnnotationEdit)}),
    Route("/cell/line", {"POST": Endpoint(cells.change_line, body=cells.LineEdit)}),
    Route(
        "/experiments",
        {
            "GET": Endpoint(experiments.listed, experiments.Listing),
            "POST": Endpoint(experiments.begin, body=experiments.NewExperiment, status=201),
        },
    ),
    Route(
        _EXPERIMENT,
        {
            "GET": Endpoint(experiments.shown),
            "DELETE": Endpoint(experiments.delete, status=204),
        },
    ),
    Route(f"{_EXPERIMENT}/trace", {"GET": Endpoint(experiments.trace)}),
    Route(f"{_EXPERIMENT}/stop", {"POST": Endpoint(experiments.stop, status=202)}),
    Route(
        f"{_EXPERIMENT}/resume",
        {"POST": Endpoint(experiments.resume, body=experiments.Budgets, status=202)},
    ),
    Route(
        f"{_EXPERIMENT}/points",
        {"POST": Endpoint(experiments.enqueue, body=experiments.EnqueuedPoints, status=202)},
    ),
    Route(f"{_EXPERIMENT}/log", {"GET": Endpoint(trials.runner_log, trials.LogTail)}),
    Route(f"{_EXPERIMENT}/curves", {"GET": Endpoint(trials.learning_curves, trials.Curves)}),
    Route(f"{_EXPERIMENT}/panel", {"GET": Endpoint(panels.panel, panels.NotebookFolder)}),
    Route(f"{_EXPERIMENT}/figures", {"GET": Endpoint(figures.listed)}),
    Route(f"{_EXPERIMENT}/figures/{{name}}", {"GET": Endpoint(figures.drawn, figures.Look)}),
    Route(
        f"{_EXPERIMENT}/comparison",
        {"GET": Endpoint(figures.compared_with, figures.Compared)},
    ),
    Route(f"{_EXPERIMENT}/report", {"GET": Endpoint(exports.report)}),
    Route(f"{_EXPERIMENT}/table", {"GET": Endpoint(exports.table)}),
    Route(f"{_EXPERIMENT}/matches", {"GET": Endpoint(trials.matching, trials.Description)}),
    Route(f"{_EXPERIMENT}/trials", {"GET": Endpoint(trials.listed, trials.TrialPage)}),
    Route(_TRIAL, {"GET": Endpoint(trials.shown)}),
    Route(f"{_TRIAL}/code", {"GET": Endpoint(trials.code)}),
    Route(f"{_TRIAL}/curve", {"GET": Endpoint(figures.trial_curve, figures.Theme)}),
    Route(f"{_TRIAL}/log", {"GET": Endpoint(trials.log, trials.LogTail)}),
    Route(f"{_TRIAL}/notebook", {"GET": Endpoint(trials.notebook)}),
    Route(f"{_TRIAL}/artifacts/{{name}}", {"GET": Endpoint(trials.artifact)}),
)


def match(path: str) -> tuple[Route, Mapping[str, str]] | tuple[None, Mapping[str, str]]:
    """The route of *path* and what is named in it; None where there is none."""
    for route in ROUTES:
        if matched := route.pattern.fullmatch(path.removesuffix("/")):
            return route, matched.groupdict()
    return None, {}
