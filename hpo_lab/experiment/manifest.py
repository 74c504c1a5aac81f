"""Manifests in and out: YAML or JSON text, or plain data, to the model and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hpo_lab.experiment.document import OPTIMIZATION_JOB
from hpo_lab.experiment.katib_warnings import experiment_warnings
from hpo_lab.experiment.model import KATIB_API_VERSION, ExperimentDocument, TrialTemplate
from hpo_lab.experiment.older import brought_up_to_date
from hpo_lab.experiment.resource_range import with_resource_range
from hpo_lab.experiment.rules import experiment_problems
from hpo_lab.experiment.structure import rules_of_sound_part, shown, structure_problems
from hpo_lab.experiment.yaml_text import MOST_BYTES, read_documents, write_document
from hpo_lab.masking import MASK, masked_places
from hpo_lab.problems import InvalidInput, Problem

__all__ = [
    "Manifest",
    "described",
    "dump",
    "dump_document",
    "parse_manifest",
    "parse_template",
    "read_file",
    "read_manifest",
    "read_template",
    "with_template",
]

Rules = Callable[[ExperimentDocument], list[Problem]]
"""A function that returns every problem of an experiment whose structure is sound."""

_TEMPLATE_FIELDS = ("trialSpec", "configMap", "goTemplate", "trialParameters")


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest that was read.

    Attributes:
        experiment: What it describes.
        warnings: Fields that Katib would refuse or ignore, and spellings that were replaced.
        kind: What it is written as, an `Experiment` or an `OptimizationJob`.
    """

    experiment: ExperimentDocument
    warnings: tuple[Problem, ...] = ()
    kind: str = "Experiment"


def read_manifest(path: str | Path) -> Manifest:
    """Read the manifest at *path* (YAML or JSON, UTF-8, at most 1.5 MiB) and check it.

    A trial template may be missing; `rules.run_problems` tells what is needed to run.

    Raises:
        InvalidInput: The manifest has problems.
    """
    document = described(read_file(path), source=str(path))
    return parse_manifest(document, source=str(path))


def read_file(path: str | Path) -> list[Any]:
    """The documents in the file at *path* (YAML or JSON, UTF-8, at most 1.5 MiB), plain data.

    Raises:
        InvalidInput: It cannot be read.
    """
    return read_documents(_text(Path(path)), source=str(path))


def parse_manifest(
    document: Any, *, source: str = "", rules: Rules = experiment_problems
) -> Manifest:
    """The experiment described by plain data.

    Args:
        document: The data.
        source: Names the data in messages.
        rules: Checks the experiment once its structure is sound.

    Raises:
        InvalidInput: The manifest has problems.
    """
    if not isinstance(document, Mapping):
        raise _invalid("", f"found {shown(document)}; a manifest is a mapping", source)
    kind = document.get("kind", "Experiment")
    if kind == OPTIMIZATION_JOB:
        # Its models take a while to be made, and few manifests are one.
        from hpo_lab.experiment.optimization_reading import read_optimization_job

        _refuse_masked(document, source)
        return Manifest(*read_optimization_job(document, rules, source), kind)
    if kind != "Experiment":
        message = (
            f"found {shown(kind)}; a manifest describes an Experiment or an {OPTIMIZATION_JOB}"
        )
        raise _invalid("kind", message, source)
    if "spec" not in document and "trialTemplate" in document:
        message = "stands alone; give it beside the manifest of an Experiment"
        raise _invalid("trialTemplate", message, source)
    _refuse_masked(document, source)
    current, warnings = brought_up_to_date(document)
    try:
        experiment = ExperimentDocument.model_validate(current)
    except ValidationError as error:
        problems, broken = structure_problems(error, ExperimentDocument)
        raise InvalidInput([*problems, *rules_of_sound_part(current, broken)], source) from None
    if experiment.api_version == KATIB_API_VERSION:
        spec, changed = with_resource_range(experiment.spec)
        experiment = experiment.model_copy(update={"spec": spec})
        warnings += changed
    if problems := rules(experiment):
        raise InvalidInput(problems, source)
    return Manifest(experiment, (*warnings, *experiment_warnings(experiment)))


def read_template(path: str | Path) -> TrialTemplate:
    """Read the trial template at *path*, which accompanies a manifest.

    The file holds a `trialTemplate` as a manifest does, its content alone, or just the object
    that a trial runs.

    Raises:
        InvalidInput: when it holds none of these.
    """
    return parse_template(described(read_file(path), source=str(path)), source=str(path))


def parse_template(document: Any, *, source: str = "") -> TrialTemplate:
    """The trial template in plain data; see `read_template`.

    Raises:
        InvalidInput: when there is none, or its fields are wrong.
    """
    if not isinstance(document, Mapping):
        raise _invalid("", f"found {shown(document)}; a template is a mapping", source)
    _refuse_masked(document, source)
    if "trialTemplate" in document:
        template = document["trialTemplate"]
    elif any(field in document for field in _TEMPLATE_FIELDS):
        template = document
    elif "kind" in document and document["kind"] != "Experiment":
        template = {"trialSpec": document}
    else:
        fields = ", ".join(map(str, document)) or "nothing"
        message = f"found {fields}; a trialTemplate or the object a trial runs is needed"
        raise _invalid("", message, source)
    try:
        return TrialTemplate.model_validate(template)
    except ValidationError as error:
        problems, _ = structure_problems(error, TrialTemplate)
        raise InvalidInput(problems, source) from None


def with_template(experiment: ExperimentDocument, template: TrialTemplate) -> ExperimentDocument:
    """*experiment* with *template* in place of its own template.

    Raises:
        InvalidInput: when the template does not fit.
    """
    spec = experiment.spec.model_copy(update={"trial_template": template})
    changed = experiment.model_copy(update={"spec": spec})
    problems = experiment_problems(changed)
    if problems:
        raise InvalidInput(problems)
    return changed


def dump(experiment: ExperimentDocument, form: str = "yaml") -> str:
    """The manifest of *experiment*, its secrets included, as text, `"yaml"` or `"json"`."""
    return dump_document(experiment.to_document(), form)


def dump_document(document: Any, form: str = "yaml") -> str:
    """*document*, plain data, as text, `"yaml"` or `"json"`."""
    if form == "json":
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    return write_document(document)


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise _invalid(str(path), f"is {size} bytes large; a manifest has at most {MOST_BYTES}")
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _invalid(str(path), f"is not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise _invalid(str(path), f"cannot be read: {error.strerror or error}") from None


def described(documents: Sequence[Any], *, source: str = "") -> Any:
    """The only document of *documents* that is no ConfigMap and no Secret.

    Raises:
        InvalidInput: There is none, or there are several.
    """
    if len(documents) > 1:
        documents = [document for document in documents if not _is_beside(document)] or documents
    if len(documents) == 1:
        return documents[0]
    count = f"{len(documents)} documents" if documents else "nothing"
    kinds = [
        str(document["kind"])
        for document in documents
        if isinstance(document, Mapping) and "kind" in document
    ]
    kinds_found = f" ({', '.join(kinds)})" if kinds else ""
    message = f"a manifest holds one Experiment or {OPTIMIZATION_JOB}"
    message += ", and ConfigMaps and Secrets beside it"
    raise _invalid("", f"found {count}{kinds_found}; {message}", source)


def _refuse_masked(document: Any, source: str) -> None:
    """Refuse a manifest that was shown without its secrets."""
    message = (
        f"is masked ({MASK}); write the value, or print the manifest again with --show-secrets"
    )
    if problems := [Problem(place, message) for place in masked_places(document)]:
        raise InvalidInput(problems, source)


def _is_beside(document: Any) -> bool:
    return isinstance(document, Mapping) and document.get("kind") in ("ConfigMap", "Secret")


def _invalid(where: str, message: str, source: str = "") -> InvalidInput:
    return InvalidInput([Problem(where, message)], source)
