"""Generated notebooks over objects of real libraries: the slice gives what the whole gives.

`benchmarks/slicing.py` runs thousands of them.
"""

from __future__ import annotations

import pytest

from tests.notebook.library_notebooks import generate, outcome_of


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_the_slice_gives_what_the_whole_gives(first: int) -> None:
    for number in range(first, first + 20):
        outcome = outcome_of(*generate(number))
        left_out = [cell for n, cell in enumerate(outcome.cells) if n not in outcome.kept]
        assert outcome.sliced == outcome.whole, (number, outcome.tuned, left_out)
