"""The experiments of manifests: from plain data, from text, from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hpo_lab.experiment.manifest import described, parse_manifest, read_manifest
from hpo_lab.experiment.model import ExperimentDocument
from hpo_lab.experiment.yaml_text import read_documents


def parse(document: Any) -> ExperimentDocument:
    """The experiment that plain data describes."""
    return parse_manifest(document).experiment


def parse_text(text: str) -> ExperimentDocument:
    """The experiment that YAML or JSON describes."""
    return parse(described(read_documents(text)))


def read(path: Path) -> ExperimentDocument:
    """The experiment of the manifest at *path*."""
    return read_manifest(path).experiment
