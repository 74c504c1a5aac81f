"""Cells that change what later cells read in a way that their names do not tell."""

from __future__ import annotations

import contextlib
import copy
import importlib.util
import io

import pytest

from hpo_lab.notebook.parsed_cell import ParsedCell
from hpo_lab.notebook.slicing import slice_cells

# The set-up, what the tuned cell reads, cells that change it, and a cell that only looks.
CASES: dict[str, tuple[str, str, list[str], str]] = {
    "draws of a generator are arrays": (
        "import numpy as np\nrng = np.random.default_rng(0)\nx = rng.integers(10, size=5)",
        "x.tolist()",
        ["x[0] = 12", "x.sort()", "x.fill(9)", "y = x[:2]\ny[0] = 44", "x += 1"],
        "print(x.mean(), x[:2])",
    ),
    "draws of a RandomState are arrays": (
        "import numpy as np\nrng = np.random.RandomState(0)\nx = rng.normal(size=5)",
        "x.tolist()",
        ["x[0] = 12", "x.sort()", "x.fill(9)", "y = x[:2]\ny[0] = 44", "x += 1"],
        "print(x.mean(), x[:2])",
    ),
    "what is chosen is what was there": (
        "import random\nrng = random.Random(0)\nxs = [[1], [1]]",
        "xs",
        ["rng.choice(xs)[0] = 9", "for v in rng.sample(xs, 2): v.append(3)"],
        "print(rng, xs)",
    ),
    "a generator gives generators": (
        "import numpy as np\nparts = np.random.default_rng(0).spawn(2)",
        "parts[0].normal()",
        ["parts[0].normal()"],
        "print(parts)",
    ),
}
HAS_TORCH = importlib.util.find_spec("torch") is not None


def decisions_and_results(earlier: list[str], tuned: str) -> tuple[list[int], list[object]]:
    """The numbers of the kept cells, and what the whole and the slice give."""
    decisions = slice_cells([ParsedCell(source) for source in earlier], ParsedCell(tuned))
    kept = [number for number, decision in enumerate(decisions) if decision.kept]
    results: list[object] = []
    for sources in ([*earlier, tuned], [*(earlier[number] for number in kept), tuned]):
        names: dict[str, object] = {"__name__": "__main__"}
        with contextlib.redirect_stdout(io.StringIO()):
            for source in sources:
                exec(source, names)
        results.append(copy.deepcopy(names["result"]))
    return kept, results


@pytest.mark.parametrize("kind", CASES)
def test_a_cell_that_changes_what_is_read_is_kept(kind: str) -> None:
    set_up, read, changes, look = CASES[kind]
    if "torch" in set_up and not HAS_TORCH:
        pytest.skip("needs torch")
    for change in changes:
        kept, (whole, sliced) = decisions_and_results([set_up, change], f"result = {read}")

        assert 1 in kept, change
        assert repr(sliced) == repr(whole), change
    kept, (whole, sliced) = decisions_and_results([set_up, look], f"result = {read}")

    assert kept == [0]
    assert repr(sliced) == repr(whole)
