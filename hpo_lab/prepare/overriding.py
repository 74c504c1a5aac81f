"""Options that take the place of what a manifest says."""

from __future__ import annotations

from dataclasses import replace

from hpo_lab.experiment.model import API_VERSION, ExperimentDocument
from hpo_lab.options import Option, TuneOptions
from hpo_lab.prepare.checking import every_problem
from hpo_lab.prepare.prepared import PreparedManifest
from hpo_lab.prepare.wording import Dialect, worded
from hpo_lab.problems import InvalidInput, Problem

__all__ = ["overridden"]

_TRIAL = "spec.trialTemplate."


def overridden(
    prepared: PreparedManifest, options: TuneOptions, dialect: Dialect = Dialect.LINE
) -> PreparedManifest:
    """The experiment of a manifest with *options* in place of what the manifest says.

    Args:
        prepared: From `prepare_manifest`.
        options: What was said beside the manifest.
        dialect: How an option is written, for messages.

    Raises:
        InvalidInput: with each option that the trials of the manifest do not know, and every
            problem of the experiment as it is then.
    """
    document, notes = _with_objective(prepared.experiment, options)
    template = document.spec.trial_template
    kind = template.kind if template is not None and template.trial_spec is not None else ("", "")
    problems = []
    lowered = options.lowered(document)
    fitted: list[str] = []
    for option, value in {**options.said, **lowered}.items():
        name = dialect.option(option)
        if option.path.startswith(_TRIAL) and kind != (API_VERSION, "NotebookTrial"):
            problems.append(Problem(name, f"is for notebooks; the trials of this are {kind[1]!r}"))
            continue
        before = _written(option, document, dialect)
        if option.field == "algorithm" and value != option.of(document) and not options.setting:
            spec = document.spec.algorithm.model_copy(update={"algorithm_settings": ()})
            changed = document.spec.model_copy(update={"algorithm": spec})
            document = document.model_copy(update={"spec": changed})
        document = option.into(document, value)
        if before != _written(option, document, dialect):
            note = dialect.said(option, value) + (f" instead of {before}" if before else "")
            (fitted if option in lowered else notes).append(note)
    if fitted:
        notes.append(f"so {', '.join(fitted)}")
    places = [f"spec.parameters[{index}]" for index in range(len(document.spec.parameters))]
    wrong = [worded(problem, dialect, places, "spec") for problem in every_problem(document)]
    problems += map(prepared.in_its_words, wrong)
    if problems:
        raise InvalidInput(problems)
    stops = prepared.stops and options.trials is None
    return replace(prepared, experiment=document, stops=stops, overridden=", ".join(notes))


def _with_objective(
    document: ExperimentDocument, options: TuneOptions
) -> tuple[ExperimentDocument, list[str]]:
    """*document* with the objectives of *options*, and what they replace."""
    if options.direction is None or options.metric is None:
        return document, []
    before = document.spec.objective
    objective = before.model_copy(
        update={
            "type": options.direction,
            "objective_metric_name": options.metric,
            "additional_objectives": options.additional_objectives,
        }
    )
    if objective.objectives == before.objectives:
        return document, []
    words, own = (
        ", ".join(f"{direction.value} {name}" for name, direction in each.objectives)
        for each in (objective, before)
    )
    spec = document.spec.model_copy(update={"objective": objective})
    return document.model_copy(update={"spec": spec}), [f"{words} instead of {own}"]


def _written(option: Option, document: ExperimentDocument, dialect: Dialect) -> str:
    """The value of *option* in *document* as it is written; empty where there is none."""
    try:
        return dialect.text(option, option.of(document))
    except ValueError:
        return "what the manifest says"
