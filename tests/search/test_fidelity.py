from __future__ import annotations

from typing import Any

import pytest

from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.search.algorithm import get_algorithm, search_problems
from hpo_lab.search.fidelity import Fidelity
from hpo_lab.search.setting import read_settings

LR = {"name": "lr", "parameterType": "double", "feasibleSpace": {"min": 0.001, "max": 0.1}}
EPOCHS = {"name": "epochs", "parameterType": "int", "feasibleSpace": {"min": 1, "max": 81}}
SETTINGS = "spec.algorithm.algorithmSettings"
SPACE = "spec.parameters[1].feasibleSpace"


def experiment(
    resource: dict[str, Any] = EPOCHS, *others: dict[str, Any], **settings: str
) -> ExperimentSpec:
    given = {"resource_name": "epochs", **settings}
    return ExperimentSpec.model_validate(
        {
            "parameters": [LR, resource, *others],
            "objective": {"type": "maximize", "objectiveMetricName": "accuracy"},
            "algorithm": {
                "algorithmName": "hyperband",
                "algorithmSettings": [{"name": k, "value": v} for k, v in given.items()],
            },
        }
    )


def epochs(kind: str = "int", **space: Any) -> dict[str, Any]:
    return {"name": "epochs", "parameterType": kind, "feasibleSpace": space}


def resources(spec: ExperimentSpec) -> list[Any]:
    assert search_problems(spec) == []
    settings = read_settings(get_algorithm("hyperband"), spec.algorithm.settings)
    return list(Fidelity.of(spec, settings).resources)


@pytest.mark.parametrize(
    ("resource", "settings", "expected"),
    [
        (EPOCHS, {}, [1, 3, 9, 27, 81]),
        (EPOCHS, {"r_l": "9", "eta": "3"}, [1, 3, 9]),
        (EPOCHS, {"r_l": "81.0", "eta": "9.0"}, [1, 9, 81]),
        (EPOCHS, {"min_resource": "5", "resource_type": "int"}, [9, 27, 81]),
        (epochs(min=1, max=100), {"r_l": "100"}, [1, 4, 11, 33, 100]),
        (epochs(min=3, max=30), {"eta": "2"}, [4, 7, 15, 30]),
        (epochs(min=0, max=16), {"eta": "4"}, [1, 4, 16]),
        (epochs(min=10, max=100, step=10), {"eta": "3"}, [10, 30, 100]),
        (epochs("double", min=0.01, max=1), {"eta": "10"}, [0.01, 0.1, 1.0]),
        (epochs("double", min=1, max=50), {"resource_type": "int"}, [2, 6, 17, 50]),
        (epochs("discrete", list=[2, 10, 50]), {"eta": "5"}, [2, 10, 50]),
    ],
)
def test_the_rungs_divide_the_resource(
    resource: dict[str, Any], settings: dict[str, str], expected: list[float]
) -> None:
    found = resources(experiment(resource, **settings))
    assert found == pytest.approx(expected)
    if resource["parameterType"] == "int":
        assert all(type(value) is int for value in found)


@pytest.mark.parametrize(
    ("spec", "where", "message"),
    [
        (
            experiment(resource_name="epoch"),
            f"{SETTINGS}[0].value",
            "resource_name is 'epoch'; must be one of the parameters, which are lr, epochs; "
            "did you mean 'epochs'?",
        ),
        (experiment(r_l="0"), f"{SETTINGS}[1].value", "must be a number above 0"),
        (experiment(eta="1"), f"{SETTINGS}[1].value", "must be a number of at least 2"),
        (experiment(resource_type="real"), f"{SETTINGS}[1].value", "one of int, float"),
        (experiment(r_i="3"), f"{SETTINGS}[1].name", "did you mean 'r_l'?"),
        (experiment(r_l="100"), SPACE, "reaches up to 81; the last rung needs r_l, which is 100"),
        (
            experiment(epochs(min=2, max=81), min_resource="1"),
            SPACE,
            "begins at 2; the first rung needs min_resource, which is 1",
        ),
        (experiment(epochs(min=2, max=2), r_l="2"), SPACE, "room for one rung only, of 2"),
        (
            experiment(epochs(min=1, max=81, step=20), r_l="81"),
            SPACE,
            "is too coarse for the rungs 1, 3, 9, 27, 81: on its grid they are 1, 1, 1, 21, 81",
        ),
        (
            experiment(epochs("categorical", list=["few", "many"])),
            "spec.parameters[1].parameterType",
            "is categorical; the resource must be a number",
        ),
        (
            experiment({**EPOCHS, "when": "lr > 0.01"}),
            "spec.parameters[1].when",
            "must be active in every trial",
        ),
        (
            experiment(EPOCHS, {**LR, "name": "decay", "when": "epochs > 3"}),
            "spec.parameters[2].when",
            "must not depend on the resource",
        ),
    ],
)
def test_what_leaves_no_room_for_rungs_is_said(
    spec: ExperimentSpec, where: str, message: str
) -> None:
    (problem,) = search_problems(spec)
    assert problem.where == where
    assert message in problem.message


@pytest.mark.parametrize("algorithm", ["asha", "bohb", "hyperband", "successivehalving"])
def test_the_resource_has_to_be_named(algorithm: str) -> None:
    spec = experiment()
    bare = spec.model_copy(
        update={
            "algorithm": spec.algorithm.model_copy(
                update={"algorithm_name": algorithm, "algorithm_settings": ()}
            )
        }
    )
    (problem,) = search_problems(bare)
    assert problem.where == SETTINGS
    assert "lacks 'resource_name'" in problem.message
    assert "the parameters are lr, epochs" in problem.message
