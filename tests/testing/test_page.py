"""The examples of docs/extending.md: a package of them is installed, and its tests pass."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parent.parent.parent / "docs" / "extending.md"


def test_the_package_of_the_page_passes_its_own_tests(tmp_path: Path) -> None:
    text = PAGE.read_text()
    modules = re.findall(r"^```python\n# (\w+\.py)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    for name, source in modules:
        (tmp_path / name).write_text(source)
    groups = re.findall(
        r'^\[project\.entry-points\."(\S+)"\]\n(\S+ = )"(\S+)"$', text, re.MULTILINE
    )
    info = tmp_path / "mine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    entries = "".join(f"[{group}]\n{entry}{target}\n" for group, entry, target in groups)
    (info / "entry_points.txt").write_text(entries)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "4 passed" in run.stdout
    kind = "from hpo_lab.trial.trial_kinds import trial_kind; trial_kind('CommandTrial')"
    subprocess.run([sys.executable, "-c", kind], env=environment, check=True)
