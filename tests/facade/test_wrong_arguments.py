"""Every wrong argument of the Python functions is answered by its name, extremes among them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hpo_lab
from hpo_lab.facade.experiments import Experiments
from hpo_lab.facade.handle import Experiment
from hpo_lab.problems import InvalidInput
from hpo_lab.store import Store
from tests.facade.conftest import Create

SPACE = {"x": "uniform(0, 1)"}


def plain(x):
    return x


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", "abc"),
        ("seed", 1.5),
        ("seed", -1),
        ("trials", "5"),
        ("trials", float("inf")),
        ("trials", 2.5),
        ("parallel", 0),
        ("name", 5),
        ("name", "\ud800"),
        ("timeout", "soon"),
        ("timeout", float("nan")),
        ("early_stopping", ["medianstop"]),
        ("additional_objectives", ["latency"]),
        ("settings", [("gamma", 1)]),
        ("goal", "0.5"),
        ("fresh", "no"),
        ("block", 1),
        ("callbacks", 5),
        ("space", [("x", "uniform(0, 1)")]),
        ("space", 5),
        ("space", {5: "uniform(0, 1)"}),
        ("space", {"x": 5}),
        ("minimize", 5),
        ("objective", 5),
        ("store", 5),
        ("store", "a\0b"),
    ],
)
def test_tune(location: Path, name: str, value: Any) -> None:
    arguments: dict[str, Any] = {
        "objective": plain,
        "space": SPACE,
        "minimize": "loss",
        "trials": 1,
        "store": location,
        "name": "wrong",
    }

    with pytest.raises(InvalidInput) as caught:
        hpo_lab.tune(**{**arguments, name: value})

    assert any(problem.where.startswith(name) for problem in caught.value.problems), caught.value
    str(caught.value).encode()
    assert not location.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        {"minimize": "\ud800"},
        {"space": {"\udfff": "uniform(0, 1)"}},
        {"space": {"x": hpo_lab.choice("a", "\ud800")}},
    ],
)
def test_half_of_a_surrogate_pair_is_no_text(location: Path, arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="is no text"):
        hpo_lab.tune(**{"objective": dict, "space": SPACE, "minimize": "a", **arguments})
    assert not location.exists()


@pytest.fixture
def handle(store: Store, create: Create) -> Experiment:
    return Experiments(store).get(create("base"))


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda it: it.enqueue(5), "point"),
        (lambda it: it.enqueue([1]), "point"),
        (lambda it: it.enqueue(), "point"),
        (lambda it: it.enqueue({"x": 2**2000}), "point.x"),
        (lambda it: it.enqueue({"x": float("nan")}), "point.x"),
        (lambda it: it.enqueue({"\ud800": 1}), "point"),
        (lambda it: it.trial("x"), "trial x"),
        (lambda it: it.trial(2**70), "trial"),
        (lambda it: it.log_of(-1), "trial -1"),
        (lambda it: it.history(2**70), "trial"),
        (lambda it: it.wait("soon"), "timeout"),
        (lambda it: it.wait([1]), "timeout"),
        (lambda it: hpo_lab.get(5, store=it.store.location), "name"),
        (lambda it: hpo_lab.get("a", namespace=5, store=it.store.location), "namespace"),
        (lambda it: hpo_lab.get("\ud800", store=it.store.location), "\ud800"),
    ],
)
def test_the_handle(handle: Experiment, call: Callable[[Experiment], object], name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        call(handle)

    assert caught.value.problems[0].where.startswith(name)
    str(caught.value).encode()
