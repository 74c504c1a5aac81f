"""Whether the modules that a recorded experiment used are still those of that time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hpo_lab.experiment.function_parts import ORDER
from hpo_lab.experiment.identity import differences
from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.notebook.source_meaning import READ
from hpo_lab.prepare.comparing import Recorded
from hpo_lab.prepare.notebook_modules import modules_used
from hpo_lab.prepare.project_modules import module_parts, names_in, project_file
from hpo_lab.problems import Problem

__all__ = ["edited_modules"]


def edited_modules(recorded: Recorded) -> list[Problem]:
    """How the project's modules that *recorded* used differ from those of today.

    What an earlier version recorded without its modules does not differ.
    """
    spec = recorded.document.spec
    job = spec.trial_template.trial_spec if spec.trial_template else None
    trial = job.get("spec") if job else None
    if job is None or not isinstance(trial, Mapping) or not isinstance(trial.get("uses"), Mapping):
        return []
    before: Mapping[str, str] = trial["uses"]
    if job.get("kind") == "FunctionTrial":
        now = _of_function(before, trial.get("path", ()))
    elif (notebook := recorded.notebook) is not None:
        folder = Path(str(trial.get("workingDirectory", ".")))
        now = modules_used(notebook.code.cells, folder)
    else:
        return []
    return [Problem(*each) for each in differences(spec, _with_uses(spec, now))]


def _of_function(before: Mapping[str, str], path: Sequence[str]) -> dict[str, str]:
    """The parts *before* of a function, with those of its modules as they are now."""
    files = {
        name: file
        for name in dict.fromkeys(map(_module_of, before))
        if name and (file := project_file(name, path)) is not None
    }
    names: set[str] = set()
    definitions: set[str] = set()
    for file in files.values():
        used, defined = names_in(file)
        names |= used
        definitions |= defined
    now = {name: text for name, text in before.items() if _module_of(name) not in files}
    for module, file in files.items():
        # What may be read of a module depends on all code; each reading that fits is taken.
        readings = [
            module_parts(module, file, read)
            for read in (names & (READ | definitions), frozenset[str](), READ | definitions)
        ]
        parts = readings[0]
        for part in parts:
            texts = [reading[part] for reading in readings if part in reading]
            now[part] = before[part] if before.get(part) in texts else texts[0]
    return now


def _module_of(part: str) -> str:
    """The module that the name of a part tells, empty for none."""
    name = part.removeprefix(ORDER)
    if name.startswith("module "):
        return name.removeprefix("module ")
    return "" if " " in name else name.rpartition(".")[0]


def _with_uses(spec: ExperimentSpec, uses: Mapping[str, str]) -> ExperimentSpec:
    template = spec.trial_template
    assert template is not None and template.trial_spec is not None
    trial: dict[str, Any] = {**template.trial_spec["spec"], "uses": dict(uses)}
    changed = template.model_copy(update={"trial_spec": {**template.trial_spec, "spec": trial}})
    return spec.model_copy(update={"trial_template": changed})
