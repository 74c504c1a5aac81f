"""What `pyproject.toml` declares is what `hpo_lab` imports, and what `locks/` installs."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.test_imports import PACKAGE, imports

ROOT = PACKAGE.parent
DOCUMENT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = DOCUMENT["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
LOCKS = sorted((ROOT / "locks").glob("*.txt"))
PYTHONS = ("3.11", "3.12", "3.13")


def requirements(lines: list[str]) -> Iterator[Requirement]:
    """The requirements of *lines*, with those of the extras of `hpo_lab` that they name."""
    for requirement in map(Requirement, lines):
        if canonicalize_name(requirement.name) == "hpo-lab":
            for extra in requirement.extras:
                yield from requirements(EXTRAS[extra])
        else:
            yield requirement


def names(lines: list[str]) -> set[str]:
    return {canonicalize_name(requirement.name) for requirement in requirements(lines)}


def imported() -> dict[str, str]:
    """Top-level packages of others that `hpo_lab` imports, and a module that does."""
    importers = {}
    for path in PACKAGE.rglob("*.py"):
        package = ".".join(["hpo_lab", *path.relative_to(PACKAGE).parent.parts])
        for each in imports(path.read_text(encoding="utf-8"), package):
            top = each.module.partition(".")[0]
            if top != "hpo_lab" and top not in sys.stdlib_module_names:
                importers[top] = f"{path.relative_to(ROOT)}:{each.line}"
    return importers


def distributions(top: str) -> set[str]:
    """The distributions that bring the package *top*."""
    return set(map(canonicalize_name, packages_distributions().get(top, [top])))


def test_what_is_imported_is_declared() -> None:
    users = [line for extra, lines in EXTRAS.items() if extra != "dev" for line in lines]
    declared = names(PROJECT["dependencies"] + [line for line in users if "hpo_lab" not in line])

    undeclared = [
        f"{module} imports {top}, of {' or '.join(distributions(top))}, not in pyproject.toml"
        for top, module in sorted(imported().items())
        if not distributions(top) & declared
    ]

    assert not undeclared, "\n".join(undeclared)


def test_what_is_always_installed_is_imported() -> None:
    used = {name for top in imported() for name in distributions(top)}

    assert names(PROJECT["dependencies"]) <= used


def locked(path: Path) -> list[tuple[Requirement, str]]:
    """The requirements of a lock, and the options of each."""
    entries = path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    parts = [entry.partition(" --hash=") for entry in entries if not entry.startswith("#")]
    return [(Requirement(requirement), mark + hashes) for requirement, mark, hashes in parts]


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.stem)
def test_a_lock_names_one_version_of_each_file_and_no_place(path: Path) -> None:
    assert "://" not in path.read_text(encoding="utf-8")
    for requirement, options in locked(path):
        assert [specifier.operator for specifier in requirement.specifier] == ["=="]
        assert options.startswith(" --hash=sha256:"), requirement


@pytest.mark.parametrize(
    ("lock", "extra", "python"),
    [
        *(("dev", "dev", python) for python in PYTHONS),
        *(("run", "examples", python) for python in PYTHONS),
        ("oldest", "test", "3.11"),
    ],
)
def test_a_lock_has_what_is_declared(lock: str, extra: str, python: str) -> None:
    environment = {
        **default_environment(),
        "python_version": python,
        "python_full_version": f"{python}.9",
    }
    versions = {}
    for requirement, _ in locked(ROOT / "locks" / f"{lock}.txt"):
        if requirement.marker is None or requirement.marker.evaluate(environment):
            (specifier,) = requirement.specifier
            versions[canonicalize_name(requirement.name)] = specifier.version
    build = DOCUMENT["dependency-groups"]["build"]

    stale = [
        f"{requirement} in pyproject.toml, {versions.get(requirement.name)} in locks/{lock}.txt"
        for requirement in requirements(PROJECT["dependencies"] + EXTRAS[extra] + build)
        if not requirement.specifier.contains(
            versions.get(canonicalize_name(requirement.name), "0"), prereleases=True
        )
    ]

    assert not stale, "\n".join(["`make lock` is needed:", *stale])


def test_locks_of_the_same_environment_agree() -> None:
    dev = {(each.name, str(each.specifier)) for each, _ in locked(ROOT / "locks" / "dev.txt")}
    shared = {name for name, _ in dev}

    for lock in ("run", "torch"):
        for each, _ in locked(ROOT / "locks" / f"{lock}.txt"):
            assert each.name not in shared or (each.name, str(each.specifier)) in dev, lock
