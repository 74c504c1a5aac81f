"""Names that nothing defines: told where they are certain to be missed, never else."""

from __future__ import annotations

import pytest

from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.notebook.undefined import undefined_names


def undefined(*sources: str) -> list[tuple[str, int]]:
    cells = [ParsedCell(source) for source in sources]
    return [(each.name, each.line) for each in undefined_names(cells)]


@pytest.mark.parametrize(
    "cells",
    [
        ["loss = k * x"],
        ["loss = 1\nfor epoch in range(3):\n    loss = k * x"],
        ["with open('f') as file:\n    loss = k * x"],
        ["def train(n):\n    return k * n * x\n", "loss = train(3)"],
        ["def inner():\n    return k * x", "def outer():\n    return inner()", "loss = outer()"],
        ["try:\n    loss = k * x\nexcept ValueError:\n    loss = 0"],
        ["%time loss = k * x"],
        ["%%time\nloss = k * x"],
        ["%matplotlib inline\n!ls", "loss = k * x"],
        ["loss = [k * x for _ in range(k)]\nloss = k * x"],
        ["class Net:\n    width = k * x"],
        ["loss = k * x", "x = 1"],
        ["def train():\n    x = 2\n    return x", "loss = train() * k * x"],
    ],
)
def test_a_name_that_is_certain_to_be_missed_is_told(cells: list[str]) -> None:
    assert [name for name, _ in undefined("k = 1", *cells)] == ["x"]


@pytest.mark.parametrize(
    "cells",
    [
        ["from numpy import *", "loss = x"],
        ["exec('x = 1')", "loss = x"],
        ["globals()['x'] = 1", "loss = x"],
        ["%run helpers.py", "loss = x"],
        ["%load_ext sql", "loss = x"],
        ["%%R -o x\nx <- 1", "loss = x"],
        ["import icecream\nicecream.install()", "x(1)"],
        ["import builtins\nbuiltins.x = 1", "loss = x"],
        ["%store -r x", "loss = x"],
        ["DEBUG = False", "if DEBUG:\n    x"],
        ["try:\n    x\nexcept NameError:\n    x = 1"],
        ["try:\n    x\nexcept (KeyError, NameError):\n    pass"],
        ["try:\n    x\nexcept:\n    pass"],
        ["from contextlib import suppress", "with suppress(NameError):\n    x"],
        ["def never_called():\n    return x"],
        ["def train(n):\n    if n:\n        return n\n    return x", "loss = train(1)"],
        ["def train(n):\n    for i in range(n):\n        break\n    x", "train(1)"],
        ["def numbers():\n    yield x", "later = numbers()"],
        ["import functools\n@functools.cache\ndef f():\n    return x", "f"],
        ["f = lambda: x"],
        ["flag = False", "loss = flag and x", "loss = 1 if not flag else x"],
        ["loss = [x for x in range(3)]", "total = sum(y for y in loss)"],
        ["def f():\n    global x\n    x = 1", "f()\nloss = x"],
        ["import os.path as p, sys", "p, sys, __name__, _, __, _1, _i, In, Out, get_ipython()"],
        ["display(1); print(2); _dh; exit; NotImplemented"],
        ["def f(a, *b, c=1, **d):\n    return a, b, c, d", "f(1)"],
        ["class A:\n    y = 1\n    z = y"],
        ["with open('f') as x:\n    x"],
        ["try:\n    pass\nexcept ValueError as x:\n    x"],
        ["match 3:\n    case x:\n        x"],
        ["if (x := 3):\n    x"],
        ["x: int = 3\nx += 1"],
        ["%%capture x\nprint(1)", "x"],
        ["files = !ls", "files"],
        ["%%timeit\nx"],
        ["def f(): return f", "f()"],
    ],
)
def test_a_name_that_may_be_there_is_passed_over(cells: list[str]) -> None:
    assert undefined(*cells) == []


def test_the_line_is_that_of_the_first_reading() -> None:
    assert undefined("a = 1\n\nb = a + x\nc = x") == [("x", 3)]


def test_a_cell_that_may_fail_is_passed_over() -> None:
    cells = [ParsedCell("x", frozenset({"raises-exception"})), ParsedCell("y = 1")]
    assert undefined_names(cells) == []


def test_functions_that_call_each_other_are_followed_once() -> None:
    names = [f"f{n}" for n in range(30)]
    calls = "\n    ".join(f"{name}()" for name in names)
    cells = [f"def {name}():\n    {calls}\n    x" for name in names]
    assert undefined(*cells, "f0()") == [("x", 32)]
