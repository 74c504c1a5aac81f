"""Generated notebooks over objects of real libraries, run whole and as the slice of a tuned cell.

    python benchmarks/slicing.py --notebooks 2000 --first 0

Says how many gave another result, and how many of the cells that came after the set-up were kept.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.notebook.library_notebooks import generate, outcome_of


def main() -> None:
    """Run the notebooks and print what differed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notebooks", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0)
    arguments = parser.parse_args()
    started, differing, kept, cells = time.monotonic(), 0, 0, 0
    for number in range(arguments.first, arguments.first + arguments.notebooks):
        outcome = outcome_of(*generate(number))
        kept += len(outcome.kept)
        cells += len(outcome.cells)
        if outcome.sliced != outcome.whole:
            differing += 1
            print(f"notebook {number}: {outcome.tuned}: {outcome.whole} but {outcome.sliced}")
    seconds = time.monotonic() - started
    print(
        f"{arguments.notebooks} notebooks, {differing} with another result, "
        f"{kept} of {cells} cells kept, {seconds:.0f} s"
    )


if __name__ == "__main__":
    main()
