"""The programs of docs/coming-from-optuna.md, Optuna's and ours: lines of code, and seconds.

Run: python benchmarks/coming_from_optuna.py
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "coming-from-optuna.md"


def programs() -> Iterator[tuple[str, str, str]]:
    """The title of each section with two programs, and these: Optuna's and ours."""
    for section in PAGE.read_text().split("\n## ")[1:]:
        blocks = re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
        if len(blocks) == 2:
            yield section.partition("\n")[0], *blocks


def seconds_of(program: str) -> float:
    """How long *program* runs in an empty folder, with an empty store."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "program.py"
        script.write_text(program)
        environment = {**os.environ, "HPO_LAB_STORE": f"{folder}/store.db"}
        began = time.monotonic()
        command = [sys.executable, "-W", "error", str(script)]
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
        return time.monotonic() - began


def lines_of(program: str) -> int:
    """How many lines of *program* are not blank."""
    return sum(1 for line in program.splitlines() if line.strip())


def main() -> None:
    """Print the table."""
    print("| program | Optuna, lines | hpo_lab, lines | Optuna, s | hpo_lab, s |")
    print("|---|---|---|---|---|")
    for title, theirs, ours in programs():
        lines = f"{lines_of(theirs)} | {lines_of(ours)}"
        print(f"| {title} | {lines} | {seconds_of(theirs):.1f} | {seconds_of(ours):.1f} |")


if __name__ == "__main__":
    main()
