"""Whatever is wrong with a document, all of it is said and nothing else happens."""

from __future__ import annotations

import copy
from importlib.metadata import entry_points
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpo_lab.experiment.manifest import parse_manifest
from hpo_lab.prepare.checking import every_problem
from hpo_lab.problems import InvalidInput
from hpo_lab.search.algorithm import algorithms, get_algorithm
from hpo_lab.stopping.rule import ENTRY_POINT_GROUP, get_rule
from tests.experiment.manifests import KATIB

WORDS = ["", "x", "-1", "0", "1", "3", "27", "1.5", "nan", "inf", "1e400", "True", "lr", "b"]
NUMBERS = ["-1", "0", "1", "3", "1.5", "nan", "inf", "abc"]
CONDITIONS = ["b == 1", "lr > 1", "c == 1", "layers >", "nothing == 1"]


def settings_from(names: list[str]) -> st.SearchStrategy[list[dict[str, str]]]:
    one = st.fixed_dictionaries(
        {"name": st.sampled_from([*names, "nonsense"]), "value": st.sampled_from(WORDS)}
    )
    return st.lists(one, max_size=5)


def parameters() -> st.SearchStrategy[list[dict[str, Any]]]:
    ranges = st.fixed_dictionaries(
        {},
        optional={
            "min": st.sampled_from(NUMBERS),
            "max": st.sampled_from(NUMBERS),
            "step": st.sampled_from(NUMBERS),
            "distribution": st.sampled_from(["uniform", "logUniform", "normal", "logNormal"]),
        },
    )
    lists = st.fixed_dictionaries({"list": st.lists(st.sampled_from(WORDS), max_size=3)})
    one = st.fixed_dictionaries(
        {
            "name": st.sampled_from(["lr", "b", "c", ""]),
            "parameterType": st.sampled_from(["double", "int", "discrete", "categorical"]),
            "feasibleSpace": ranges | lists,
        },
        optional={"when": st.sampled_from(CONDITIONS)},
    )
    return st.lists(one, max_size=4)


def budgets() -> st.SearchStrategy[dict[str, Any]]:
    points = st.dictionaries(st.sampled_from(["lr", "b", "zzz"]), st.sampled_from(WORDS))
    objectives = st.fixed_dictionaries(
        {"type": st.just("minimize"), "objectiveMetricName": st.sampled_from(["", "a"])},
        optional={
            "goal": st.sampled_from([1, float("nan")]),
            "additionalObjectives": st.just([{"type": "minimize", "objectiveMetricName": "a"}]),
        },
    )
    return st.fixed_dictionaries(
        {},
        optional={
            "maxTrialCount": st.sampled_from([-1, 0, 3]),
            "parallelTrialCount": st.sampled_from([-1, 0, 5]),
            "maxFailedTrialCount": st.sampled_from([-1, 9]),
            "initialPoints": st.lists(points, max_size=2),
            "enqueuedPoints": st.lists(points, max_size=2),
            "objective": objectives,
        },
    )


def check(document: dict[str, Any]) -> None:
    """Read *document*; it may be refused, and every reason names its field."""
    try:
        parse_manifest(document, rules=every_problem)
    except InvalidInput as error:
        assert error.problems
        assert all(problem.where.startswith("spec") for problem in error.problems)


@pytest.mark.parametrize("name", algorithms())
@settings(max_examples=60)
@given(data=st.data())
def test_any_document_is_read_or_refused_whatever_the_algorithm(
    name: str, data: st.DataObject
) -> None:
    document = copy.deepcopy(KATIB)
    own = list(get_algorithm(name).settings)
    document["spec"] |= data.draw(budgets())
    document["spec"]["parameters"] = data.draw(parameters())
    document["spec"]["algorithm"] = {
        "algorithmName": name,
        "algorithmSettings": data.draw(settings_from(own)),
    }
    check(document)


@pytest.mark.parametrize("name", sorted(entry_points(group=ENTRY_POINT_GROUP).names))
@settings(max_examples=30)
@given(data=st.data())
def test_any_document_is_read_or_refused_whatever_the_stopping_rule(
    name: str, data: st.DataObject
) -> None:
    document = copy.deepcopy(KATIB)
    own = list(get_rule(name).settings)
    document["spec"] |= data.draw(budgets())
    document["spec"]["parameters"] += data.draw(parameters())
    document["spec"]["earlyStopping"] = {
        "algorithmName": name,
        "algorithmSettings": data.draw(settings_from(own)),
    }
    check(document)


def test_space_budget_settings_and_stopping_rule_are_refused_together() -> None:
    document = copy.deepcopy(KATIB)
    document["spec"]["parallelTrialCount"] = -3
    document["spec"]["parameters"][0]["feasibleSpace"] = {"min": "3", "max": "1"}
    document["spec"]["algorithm"] = {
        "algorithmName": "tpe",
        "algorithmSettings": [{"name": "n_startup_trals", "value": "3"}],
    }
    document["spec"]["earlyStopping"] = {"algorithmName": "medianstp"}
    with pytest.raises(InvalidInput) as error:
        parse_manifest(document, rules=every_problem)
    assert [problem.where for problem in error.value.problems] == [
        "spec.parallelTrialCount",
        "spec.parameters[0].feasibleSpace.min",
        "spec.algorithm.algorithmSettings[0].name",
        "spec.earlyStopping.algorithmName",
    ]
