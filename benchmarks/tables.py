"""Writes measured tables to standard output and, on request, into docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

__all__ = ["publish", "setting", "table"]

DOCUMENT = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table whose columns after the first are numbers."""
    rule = ["---", *["--:"] * (len(header) - 1)]
    return [f"| {' | '.join(row)} |" for row in (header, rule, *rows)]


def setting(*packages: str) -> str:
    """One line about the machine and the versions of *packages*."""
    cpu = platform.processor()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"{os.cpu_count()} cores of {cpu}, Linux {platform.release()}, "
        f"Python {platform.python_version()}, {versions}; load {os.getloadavg()[0]:.1f}; "
        f"{time.strftime('%Y-%m-%d', time.gmtime())}."
    )


def publish(name: str, lines: Sequence[str], *, write: bool) -> None:
    """Print *lines*, and put them in place of the part *name* of the document if *write*."""
    text = "\n".join(lines)
    print(f"\n{text}", flush=True)
    if write:
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        document = DOCUMENT.read_text(encoding="utf-8")
        before, marker, rest = document.partition(begin)
        after = rest.partition(end)[2]
        if not marker:
            raise SystemExit(f"{DOCUMENT} has no part {name}")
        DOCUMENT.write_text(f"{before}{begin}\n{text}\n\n{end}{after}", encoding="utf-8")
