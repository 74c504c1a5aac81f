"""Writes the files of `deploy/` that are made of the models: `python -m hpo_lab.cluster.resources`.

The folder is the argument, by default `deploy` in the working directory.
"""

from __future__ import annotations

import sys
from pathlib import Path

from hpo_lab.cluster.resources.files import deploy_files


def main(folder: Path) -> None:
    """Write the files below *folder*."""
    for name, text in deploy_files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "deploy"))
