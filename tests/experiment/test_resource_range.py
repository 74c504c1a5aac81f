"""The range of Hyperband's resource in a manifest of Katib."""

from __future__ import annotations

from typing import Any

import pytest

from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.resource_range import with_resource_range


def spec(space: dict[str, Any], kind: str = "int", **settings: str) -> ExperimentSpec:
    named = [{"name": name, "value": value} for name, value in settings.items()]
    return ExperimentSpec.model_validate(
        {
            "objective": {"type": "minimize", "objectiveMetricName": "loss"},
            "algorithm": {"algorithmName": "hyperband", "algorithmSettings": named},
            "parameters": [{"name": "epochs", "parameterType": kind, "feasibleSpace": space}],
        }
    )


@pytest.mark.parametrize(
    ("kind", "low", "high", "r_l", "eta", "taken"),
    [
        ("int", 1, 1, "2", "2", (1, 2)),
        ("int", 9, 9, "9", "3", (1, 9)),
        ("int", 2, 5, "9", "3", (2, 9)),
        ("double", 0.5, 1, "8.5", "2", (0.5, 8.5)),
        ("int", 1, 100, "9", "3", None),
        ("int", 1, 1, "1", "3", None),
        ("int", 1, 1, "many", "3", None),
        ("int", 1, 1, "1e400", "3", None),
    ],
)
def test_a_range_without_room_for_the_rungs_is_widened_and_said(
    kind: str, low: float, high: float, r_l: str, eta: str, taken: tuple[float, float] | None
) -> None:
    settings = {"resource_name": "epochs", "r_l": r_l, "eta": eta}
    before = spec({"min": low, "max": high, "step": 1}, kind, **settings)
    after, warnings = with_resource_range(before)
    space = after.parameters[0].feasible_space
    assert (space.min, space.max) == (taken or (low, high))
    if taken is None:
        assert after is before and warnings == []
    else:
        assert isinstance(space.max, int) is (kind == "int")
        (warning,) = warnings
        assert warning.where == "spec.parameters[0].feasibleSpace"
        assert f"is {low} to {high}; as in Katib, Hyperband gives {taken[0]} to" in str(warning)


def test_other_algorithms_and_other_parameters_keep_their_ranges() -> None:
    narrow = spec({"min": 1, "max": 1}, resource_name="other", r_l="9")
    assert with_resource_range(narrow) == (narrow, [])
