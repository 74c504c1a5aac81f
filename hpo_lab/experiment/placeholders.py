"""Placeholders, `${trialParameters.NAME}`, in a trial template, and their references."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hpo_lab.experiment.template import TrialTemplate

__all__ = ["META", "MISSPELT", "PLACEHOLDER", "meta_value", "places", "template_places"]

PLACEHOLDER: Final = re.compile(r"\$\{trialParameters\.([^{}]*)\}")
"""A placeholder in a template; group 1 is the trial parameter's name."""

MISSPELT: Final = re.compile(r"\$\{(?i:trial)(?!(?:Parameters|Spec)\.)[A-Za-z]*\.[^{}]*\}")
"""What looks like a placeholder, but has another prefix."""

META: Final = re.compile(
    r"\$\{trialSpec\.(?:(Name|Namespace|Kind|APIVersion)|(Labels|Annotations)\[([^\]]+)\])\}"
)
"""A reference to the trial itself."""


def places(
    value: Any, path: str, pattern: re.Pattern[str] = PLACEHOLDER
) -> Iterator[tuple[str, str]]:
    """Every placeholder in plain data: its path, its name, or what *pattern* finds instead."""
    if isinstance(value, str):
        for name in pattern.findall(value):
            yield path, name
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from places(key, path, pattern)
            yield from places(item, f"{path}.{key}", pattern)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, f"{path}[{index}]", pattern)


def template_places(
    template: TrialTemplate, path: str, pattern: re.Pattern[str] = PLACEHOLDER
) -> list[tuple[str, str]]:
    """The `places` of the trial object of *template*, which stands at *path*."""
    if template.go_template is not None:
        where = f"{path}.goTemplate.rawTemplate"
        return list(places(template.go_template.raw_template, where, pattern))
    return list(places(template.trial_spec, f"{path}.trialSpec", pattern))


def meta_value(
    reference: str, job: Mapping[str, Any], trial_name: str, namespace: str
) -> str | None:
    """The value of a reference to the trial itself.

    Args:
        reference: A text that `META` matches.
        job: The trial object; labels and annotations are its own.
        trial_name: Name of the trial.
        namespace: Namespace of the trial.

    Returns:
        The text; None when *job* has no such label or annotation.
    """
    match = META.fullmatch(reference)
    assert match is not None
    field, mapping, key = match.groups()
    if mapping:
        metadata = job.get("metadata")
        entries = metadata.get(mapping.lower()) if isinstance(metadata, Mapping) else None
        return str(entries[key]) if isinstance(entries, Mapping) and key in entries else None
    match field:
        case "Name":
            return trial_name
        case "Namespace":
            return namespace
        case "Kind":
            return str(job.get("kind", ""))
        case _:
            return str(job.get("apiVersion", ""))
