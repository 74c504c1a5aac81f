"""What leads too far is not followed to the end: the cell is kept, and slicing stays short."""

from __future__ import annotations

import pytest

from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.notebook.slicing import slice_cells

TOO_FAR = "calls more than can be followed, kept when in doubt"
CHAIN = [f"def f{n}(v): return f{n + 1}(v)" for n in range(200)]

DEEP = {
    "an object that is its own call": [
        "class A: pass\na = A()\nA.__call__ = a\ny = [1]",
        "a(y)",
    ],
    "methods in a long row": [
        "class Q:\n    def m(self): y.append(1); return self\nq = Q()\ny = [1]",
        "q" + ".m()" * 400,
    ],
    "a long sum": ["y = [1]", "z = " + "+".join(["y.append(1)"] * 900)],
    "functions one below the other": [
        "y = [1]\n" + "\n".join(CHAIN) + "\ndef f200(v): v.append(1)",
        "f0(y)",
    ],
    "functions that call two each": [
        "y = [1]\n"
        + "\n".join(f"def f{n}(v): f{n + 1}([v]); f{n + 1}((v,))" for n in range(20))
        + "\ndef f20(v): v[0].append(1)",
        "f0(y)",
    ],
}


@pytest.mark.parametrize("what", DEEP)
def test_a_cell_that_leads_too_far_is_kept(what: str) -> None:
    cells = [*DEEP[what], "print(1)"]

    first, second, third = slice_cells([ParsedCell(cell) for cell in cells], ParsedCell("y"))

    assert first.kept
    assert second.kept and TOO_FAR in second.reason
    assert not third.kept


def test_what_is_not_followed_may_have_put_anything_into_anything() -> None:
    cells = [
        *DEEP["functions one below the other"],
        "y, z = [1], [[2]]",
        "f0(y); z.append(y)",
        "z[-1].append(3)",
        "k = 1",
    ]

    decisions = slice_cells([ParsedCell(cell) for cell in cells], ParsedCell("result = y"))

    assert [decision.kept for decision in decisions] == [True] * 5 + [False]


def test_objects_that_all_refer_to_each_other_are_not_followed_for_ever() -> None:
    cells = ["import ownmod"]
    for n in range(60):
        cells.append(
            f"class C{n}:\n    def __init__(self, o): self.o = o\n"
            f"    def go(self, v): self.v = v; return ownmod.mix(self.o, v)\n"
            f"c{n} = C{n}({f'c{n - 1}' if n else 'ownmod'})\nc{n}.go(c{n})"
        )
    cells.append("k = 1")

    decisions = slice_cells([ParsedCell(cell) for cell in cells], ParsedCell("c59"))

    assert all(decision.kept for decision in decisions[:-1])
    assert TOO_FAR in decisions[-2].reason


def test_a_long_plain_notebook_is_followed_to_the_end() -> None:
    cells = ["import pandas as pd", "df = pd.DataFrame({'a': [1]})"]
    for n in range(100):
        cells.append(
            f"df['c{n}'] = df.a * {n}\nx{n} = df.groupby('a').c{n}.mean()\nx{n}.plot()"
            if n % 2
            else f"print(df.head())\ndf.a.hist()\nx{n} = df.describe()"
        )

    decisions = slice_cells([ParsedCell(cell) for cell in cells], ParsedCell("df"))

    assert not any(TOO_FAR in decision.reason for decision in decisions)
    assert sum(decision.kept for decision in decisions) == 52
