"""The table of options, and what was said by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from hpo_lab.experiment.model import (
    AdditionalObjective,
    AlgorithmSpec,
    EarlyStopping,
    ExperimentDocument,
    ExperimentSpec,
    Metadata,
    MetricConstraint,
    Objective,
    ObjectiveType,
    Parameter,
    ResumePolicy,
    TrialTemplate,
)
from hpo_lab.options.kinds import (
    Bound,
    Choice,
    Count,
    ExperimentName,
    Kind,
    Memory,
    Number,
    Rule,
    Seconds,
    Strategy,
    Text,
    TextSetting,
)
from hpo_lab.options.option import Option
from hpo_lab.problems import Problem

__all__ = ["BUDGETS", "OPTIONS", "TuneOptions", "options_of"]

DEFAULT_TRIALS = 20
_ENDING = ("grid", "hyperband", "bohb", "successivehalving")
"""Algorithms that end by themselves, when all they have to try was tried."""
_TRIAL = "spec.trialTemplate.trialSpec.spec"


def _option(form: str, help: str, kind: Kind, path: str, **rest: Any) -> Any:
    """A field of `TuneOptions` that is an `Option`; *rest* are further attributes of that."""
    said = {"form": form, "help": help, "kind": kind, "path": path, **rest}
    return field(default=() if rest.get("repeatable") else None, metadata=said)


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneOptions:
    """What to optimise and how much; None where nothing was said.

    Times are in seconds, amounts of memory and output in bytes.
    """

    direction: ObjectiveType | None = None
    metric: str | None = None
    additional_objectives: tuple[AdditionalObjective, ...] = ()

    trials: int | None = _option(
        "N",
        f"how many trials to run [default: {DEFAULT_TRIALS}]",
        Count(1),
        "spec.maxTrialCount",
        is_budget=True,
    )
    parallel: int | None = _option(
        "N",
        "how many trials run at a time [default: 2]",
        Count(1),
        "spec.parallelTrialCount",
        is_budget=True,
    )
    algorithm: str | None = _option(
        "NAME", "search algorithm [default: tpe]", Text(), "spec.algorithm.algorithmName"
    )
    setting: tuple[tuple[str, str], ...] = _option(
        "K=V",
        "a setting of the algorithm; may be repeated",
        TextSetting(),
        "spec.algorithm.algorithmSettings",
        argument="settings",
        repeatable=True,
    )
    constraint: tuple[MetricConstraint, ...] = _option(
        "METRIC<=VALUE",
        "a bound that a trial must keep (also >=) to be best; may be repeated",
        Bound(),
        "spec.objective.constraints",
        argument="constraints",
        repeatable=True,
    )
    early_stopping: EarlyStopping | None = _option(  # noqa: RUF009
        "RULE[:K=V,...]",
        "rule that stops bad trials early, with its settings",
        Rule(),
        "spec.earlyStopping",
    )
    goal: float | None = _option(
        "VALUE",
        "end as soon as the objective is this good",
        Number(),
        "spec.objective.goal",
        is_budget=True,
    )
    seed: int | None = _option("N", "make the search reproducible", Count(0), "spec.seed")
    warm_start: tuple[str, ...] = _option(
        "NAME",
        "learn from this experiment's trials; may be repeated",
        Text(),
        "spec.warmStart",
        repeatable=True,
    )
    name: str | None = _option("NAME", "the experiment's name", ExperimentName(), "metadata.name")
    timeout: float | None = _option(
        "TIME",
        "time budget of the experiment: seconds, or 10m, 2h",
        Seconds(),
        "spec.activeDeadlineSeconds",
        is_budget=True,
    )
    trial_timeout: float | None = _option(
        "TIME",
        "time limit of one trial: seconds, or 10m, 2h",
        Seconds(),
        "spec.trialActiveDeadlineSeconds",
    )
    trial_memory: int | None = _option(
        "SIZE", "memory limit of one trial: bytes, or 512M, 2G", Memory(), f"{_TRIAL}.memoryLimit"
    )
    trial_output: int | None = _option(
        "SIZE",
        "how much output of a trial its notebook keeps [default: 16M]",
        Memory(),
        f"{_TRIAL}.outputLimit",
        for_notebooks=True,
    )
    kernel: str | None = _option(
        "NAME",
        "the Jupyter kernel of the trials [default: the notebook's]",
        Text(),
        f"{_TRIAL}.kernelName",
        for_notebooks=True,
    )
    isolation: str | None = _option(
        "auto|fork|kernel",
        "whether trials share the set-up cells and fork [default: auto]",
        Choice("auto", "fork", "kernel"),
        f"{_TRIAL}.isolation",
    )
    keep: str | None = _option(
        "all|best|failed|none",
        "whose executed notebooks are kept [default: all]",
        Choice("all", "best", "failed", "none"),
        f"{_TRIAL}.keep",
    )
    max_failed: int | None = _option(
        "N",
        "give up after so many failed trials",
        Count(1),
        "spec.maxFailedTrialCount",
        is_budget=True,
    )
    additional_metric: tuple[str, ...] = _option(
        "NAME",
        "also record this metric; may be repeated",
        Text(),
        "spec.objective.additionalMetricNames",
        argument="additional_metrics",
        repeatable=True,
    )
    strategy: tuple[tuple[str, str], ...] = _option(
        "METRIC=min|max|latest",
        "which of a metric's values counts; may be repeated",
        Strategy(),
        "spec.objective.metricStrategies",
        argument="strategies",
        repeatable=True,
    )

    @property
    def said(self) -> dict[Option, Any]:
        """The options of which a value was said, and that."""
        values = {option: getattr(self, option.field) for option in OPTIONS}
        return {option: value for option, value in values.items() if value not in (None, ())}

    @property
    def budgets(self) -> dict[str, Any]:
        """The arguments of `resume` that were said."""
        return {option.argument: value for option, value in self.said.items() if option.is_budget}

    def over(self, base: TuneOptions) -> TuneOptions:
        """These options, and those of *base* where nothing was said here."""
        merged = {}
        for option in fields(self):
            mine = getattr(self, option.name)
            merged[option.name] = getattr(base, option.name) if mine in (None, ()) else mine
        if self.metric is not None:
            # Objectives are said all together.
            merged["additional_objectives"] = self.additional_objectives
        if self.trials and base.parallel and self.parallel is None:
            merged["parallel"] = min(self.trials, base.parallel)
        return TuneOptions(**merged)

    def onto(self, document: ExperimentDocument) -> ExperimentDocument:
        """*document* with the options that were said, each in its place."""
        for option, value in {**self.said, **self.lowered(document)}.items():
            document = option.into(document, value)
        return document

    def lowered(self, document: ExperimentDocument) -> dict[Option, int]:
        """The counts of *document* that do not fit the said number of trials, as they must be.

        A count that was said, too, stays for the rules to refuse.
        """
        template = document.spec.trial_template
        is_ours = template is not None and template.is_ours
        fields = ("parallel",) if is_ours else ("parallel", "max_failed")
        options = [option for option in BUDGETS if option.field in fields]
        return {
            option: self.trials
            for option in options
            if self.trials
            and getattr(self, option.field) is None
            and (option.of(document) or 0) > self.trials >= 1
        }

    def experiment(
        self, name: str, parameters: Sequence[Parameter], trial_template: TrialTemplate
    ) -> ExperimentDocument:
        """The experiment, defaults filled in.

        Args:
            name: What it is called unless the options say it.
            parameters: The search space.
            trial_template: What a trial runs.
        """
        trials = self.trials
        # A time budget is a budget, too.
        if trials is None and self.algorithm not in _ENDING and self.timeout is None:
            trials = DEFAULT_TRIALS
        spec = ExperimentSpec(
            parameters=tuple(parameters),
            objective=Objective(
                type=self.direction or ObjectiveType.MAXIMIZE,
                objective_metric_name=self.metric or "",
                additional_objectives=self.additional_objectives,
            ),
            algorithm=AlgorithmSpec(algorithm_name="tpe"),
            parallel_trial_count=2 if trials is None else min(2, max(trials, 1)),
            max_trial_count=trials,
            resume_policy=ResumePolicy.LONG_RUNNING,
            trial_template=trial_template,
        )
        return self.onto(ExperimentDocument(metadata=Metadata(name=name), spec=spec))

    def spec(
        self, parameters: Sequence[Parameter], trial_template: TrialTemplate
    ) -> ExperimentSpec:
        """The specification of `experiment`."""
        return self.experiment("", parameters, trial_template).spec


def options_of(document: ExperimentDocument) -> tuple[TuneOptions, list[Problem]]:
    """The options that *document* says, and what it says in another way than they could."""
    values: dict[str, Any] = {}
    problems = []
    for option in OPTIONS:
        try:
            values[option.field] = option.of(document)
        except ValueError as error:
            problems.append(Problem(option.path, str(error)))
    objective = document.spec.objective
    options = TuneOptions(
        direction=objective.type,
        metric=objective.objective_metric_name,
        additional_objectives=objective.additional_objectives,
        **values,
    )
    return options, problems


OPTIONS: tuple[Option, ...] = tuple(
    Option(field=entry.name, **{"argument": entry.name, **entry.metadata})
    for entry in fields(TuneOptions)
    if entry.metadata
)
BUDGETS: tuple[Option, ...] = tuple(option for option in OPTIONS if option.is_budget)
