"""What of a cell can be tuned, and writing annotations."""

from __future__ import annotations

import pytest

from hpo_lab.notebook.annotations import parse_annotations
from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.notebook.tunable import annotated, metric_names, suggestion, tunables, words_of

CELL = """%%tune maximize accuracy
lr = 0.1  # type: float  # tune: loguniform(1e-4, 1)
a, b = 1, 2
name = (
    "adam"
)
n = m = 3
x = 1; y = 2
rate = lr * 2
if True:
    inner = 1
hpo_lab.report(recall=rate, step=1)
accuracy = rate"""


def test_the_values_that_can_be_annotated() -> None:
    assert [
        (each.name, each.first, each.last, each.annotation) for each in tunables(ParsedCell(CELL))
    ] == [
        ("lr", 2, 2, "loguniform(1e-4, 1)"),
        ("name", 4, 6, ""),
    ]


def test_what_the_cell_may_be_measured_by() -> None:
    names = metric_names(ParsedCell(CELL))
    assert names[:3] == ["recall", "accuracy", "inner"]
    assert "lr" not in names
    assert metric_names(ParsedCell("x =")) == []


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("lr", 0.01, "loguniform(0.0001, 1.0)"),
        ("base_learning_rate", 3e-4, "loguniform(3e-06, 0.03)"),
        ("dropout", 0.5, "uniform(0.0, 0.9)"),
        ("shuffle", True, "choice(True, False)"),
        ("optimizer", "sgd", 'choice("sgd", "adam")'),
        ("path", 'a"b', r'choice("a\"b")'),
        ("units", 64, "int(16, 256)"),
        ("layers", 1, "int(1, 4)"),
        ("offset", -8, "int(-32, -2)"),
        ("seed", 0, "int(0, 4)"),
        ("share", 0.5, "uniform(0.0, 1.0)"),
        ("temperature", 2.0, "uniform(0.5, 8.0)"),
        ("shift", -2.0, "uniform(-8.0, -0.5)"),
        ("nothing", None, "choice(None)"),
        ("x", 1e308, "uniform(2.5e+307, 1e+308)"),
        ("x", -1.7976931348623157e308, "uniform(-1.7976931348623157e+308, -4.494e+307)"),
        ("lr", 5e-324, "loguniform(5e-324, 4.94e-322)"),
    ],
)
def test_a_suggestion_can_be_written_as_it_is(name: str, value: object, text: str) -> None:
    assert suggestion(name, value) == text  # type: ignore[arg-type]
    cell = ParsedCell(annotated(ParsedCell(f"{name} = {value!r}"), 1, text))
    (annotation,) = parse_annotations(cell)
    assert (annotation.name, annotation.text, annotation.default) == (name, text, value)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = 1", "x = 1  # tune: int(0, 4)"),
        ("x = 1   # tune: int(1, 2)", "x = 1   # tune: int(0, 4)"),
        ("x = 1  # noqa", "x = 1  # noqa  # tune: int(0, 4)"),
        ("x = 1  # noqa  # tune: int(1, 2)", "x = 1  # noqa  # tune: int(0, 4)"),
        ("x = 1  # tune int(1, 2)", "x = 1  # tune: int(0, 4)"),
        ('x = "#"', 'x = "#"  # tune: int(0, 4)'),
        ("x = 1  # tune: int(1, 4)  # noqa", "x = 1  # tune: int(0, 4)  # noqa"),
        ("x = 1  # why  # tune: int(1, 4) # noqa", "x = 1  # why  # tune: int(0, 4)  # noqa"),
    ],
)
def test_an_annotation_is_written_and_taken_away(before: str, after: str) -> None:
    assert annotated(ParsedCell(f"{before}\ny = x"), 1, "int(0, 4)") == f"{after}\ny = x"
    bare = annotated(ParsedCell(after), 1, "")
    assert "tune" not in bare and ("noqa" in bare) == ("noqa" in before)
    assert annotated(ParsedCell(bare), 1, "") == bare


def test_an_annotation_is_told_from_a_comment_behind_it() -> None:
    cell = ParsedCell("x = 'a'  # tune: choice('a', '#') when y == '#'  # keep")
    (value,) = tunables(cell)
    assert value.annotation == "choice('a', '#') when y == '#'"


def test_an_annotation_in_parts() -> None:
    words = words_of('int(1, high=9, step=2) when kind == "a"')
    assert words is not None
    assert (words.word, words.arguments, words.step, words.when) == (
        "int",
        ("1", "9"),
        "2",
        'kind == "a"',
    )
    assert words_of("choice(1e-3, 'b')").arguments == ("1e-3", "'b'")  # type: ignore[union-attr]
    assert words_of("not one") is None
