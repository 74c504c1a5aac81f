"""Points that a person gives, as text and as values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_lab.experiment import space as domains
from hpo_lab.experiment.document import as_text
from hpo_lab.experiment.model import Value
from hpo_lab.experiment.points import point_problems, read_point
from hpo_lab.experiment.space import choice, loguniform, uniform
from hpo_lab.problems import InvalidInput

from .manifests import manifest, spec

SPACE = (
    loguniform(1e-4, 1e-1).named("lr"),
    uniform(0, 1, step=0.25).named("dropout"),
    domains.int(1, 4).named("layers"),
    choice(16, 32).named("batch"),
    choice("adam", "sgd", True, None).named("opt"),
    uniform(0.5, 0.99).when('opt == "sgd"').named("momentum"),
)


def found(**point: Value) -> list[str]:
    return [str(problem) for problem in point_problems(SPACE, point, "point")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("lr=1e-3", 1e-3),
        ("dropout=0", 0),
        ("layers=3", 3),
        ("layers=3.0", 3),
        ("batch=32.0", 32),
        ("opt=sgd", "sgd"),
        ("opt=true", True),
        ("opt=None", None),
        ("layers=many", "many"),
        ("lr=inf", "inf"),
        ("else=1", "1"),
    ],
)
def test_text_becomes_the_value_that_it_says(text: str, value: Value) -> None:
    name, _, said = text.partition("=")
    read = read_point(SPACE, {name: said})[name]
    assert read == value and type(read) is type(value)


@given(
    st.fixed_dictionaries(
        {
            "lr": st.floats(1e-4, 1e-1),
            "layers": st.integers(1, 4),
            "batch": st.sampled_from([16, 32]),
            "opt": st.sampled_from(["adam", "sgd", True, None]),
        }
    )
)
def test_every_value_is_read_back_from_its_text(point: dict[str, Value]) -> None:
    texts = {name: as_text(value) for name, value in point.items()}
    assert read_point(SPACE, texts) == point
    assert not found(**point)


def test_every_problem_is_said_at_once_with_what_is_allowed() -> None:
    assert found(lrr=0.1, dropout=0.3, layers=7, opt="adm", lr="x", batch=True) == [
        "point.lrr: is no parameter; there are lr, dropout, layers, batch, opt, momentum; "
        "did you mean 'lr'?",
        "point.dropout: is 0.3; allowed are numbers from 0 to 1 in steps of 0.25",
        "point.layers: is 7; allowed are integers from 1 to 4",
        "point.opt: is 'adm'; allowed are adam, sgd, true, null; did you mean 'adam'?",
        "point.lr: is 'x'; allowed are numbers from 0.0001 to 0.1",
        "point.batch: is True; allowed are 16, 32",
    ]


def test_a_value_that_would_take_no_part_is_a_problem() -> None:
    where = 'point.momentum: takes part only where opt == "sgd"'
    assert found(momentum=0.9, opt="adam") == [f"{where}; leave it out"]
    assert found(momentum=0.9) == [f"{where}; give opt as well"]
    assert found(momentum=0.9, opt="sgd") == []


def test_a_document_with_bad_points_or_names_is_refused() -> None:
    change = spec(
        initialPoints=[{"lr": 0.02}, {"lr": 5}],
        enqueuedPoints=[{"layer": 3}],
        warmStart=["Other", "lab/other", "lab/other"],
    )
    with pytest.raises(InvalidInput) as caught:
        manifest(change)
    assert [problem.where for problem in caught.value.problems] == [
        "spec.initialPoints[1].lr",
        "spec.enqueuedPoints[0].layer",
        "spec.warmStart[0]",
        "spec.warmStart",
    ]
