"""What a wheel installs for JupyterLab, and that nothing of it is left by an uninstall."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from packaging.version import Version

import hpo_lab
from tests.conftest import Require

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment that has what hpo_lab needs, and not hpo_lab."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    venv.create(folder)
    packages = sysconfig.get_path("purelib", vars={"base": str(folder)})
    needed = folder / "needed"
    needed.mkdir()
    for each in Path(sysconfig.get_path("purelib")).iterdir():
        if not each.name.startswith(("hpo_lab", "_editable", "__editable__", "_hpo_lab")):
            (needed / each.name).symlink_to(each)
    Path(packages, "needed.pth").write_text(str(needed))
    return folder


def _run(environment: Path, *arguments: str) -> str:
    # No Node, and no settings of the user.
    variables = {"PATH": str(environment / "bin"), "HOME": str(environment)}
    ended = subprocess.run(
        [str(environment / "bin" / "python"), *arguments],
        env=variables | {name: os.environ[name] for name in ("LANG",) if name in os.environ},
        cwd=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert not ended.returncode, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def test_a_wheel_brings_both_extensions_and_an_uninstall_takes_them(
    environment: Path, tmp_path: Path, require: Require
) -> None:
    bundle = ROOT / "hpo_lab" / "labextension" / "package.json"
    require("node", bundle.exists(), "make labextension")
    # Built in a copy, since a build writes into its folder.
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns(".*", "node_modules", "lib", "dist", "tests", "__pycache__")
    shutil.copytree(ROOT, source, ignore=ignored)
    shutil.copy(ROOT / ".gitignore", source)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    wheel = [*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir"]
    subprocess.run([*wheel, str(tmp_path), str(source)], check=True, timeout=240)
    (built,) = tmp_path.glob("*.whl")

    inside = [*pip, "--python", str(environment / "bin" / "python")]
    subprocess.run([*inside, "install", "--quiet", "--no-deps", "--no-index", built], check=True)
    listed = _run(environment, "-m", "jupyterlab.labextensions", "list")
    assert "hpo-lab" in listed
    (line,) = [line for line in listed.splitlines() if "hpo-lab v" in line]
    assert "enabled" in line and "OK" in line and "python, hpo_lab" in line
    listed = _run(environment, "-m", "jupyter_server.extension.serverextension", "list")
    assert any("hpo_lab" in line and "OK" in line for line in listed.splitlines())

    subprocess.run([*inside, "uninstall", "--quiet", "--yes", "hpo_lab"], check=True)
    left = [each for part in ("share", "etc") for each in (environment / part).rglob("*")]
    # JupyterLab itself writes a file when it lists extensions.
    names = [str(each.relative_to(environment)) for each in left]
    assert not [name for name in names if "hpo" in name]


def test_both_halves_have_one_version() -> None:
    package = json.loads((ROOT / "labextension" / "package.json").read_text())
    assert Version(package["version"]) == Version(hpo_lab.__version__)
    front_end = (ROOT / "labextension" / "src" / "model" / "version.ts").read_text()
    assert f"VERSION = '{package['version']}'" in front_end
