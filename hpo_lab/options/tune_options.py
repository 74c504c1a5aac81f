"""The options of a tuning run, the same for `%%tune`, `hpo-lab run` and `hpo_lab.tune`.

One table describes them all; the magic parses its line with it, the command line makes its
flags from it.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from hpo_lab.experiment.model import (
    AdditionalObjective,
    AlgorithmSetting,
    AlgorithmSpec,
    EarlyStopping,
    ExperimentSpec,
    MetricConstraint,
    MetricStrategy,
    MetricStrategyType,
    Objective,
    ObjectiveType,
    Parameter,
    ResumePolicy,
    TrialTemplate,
)
from hpo_lab.option_values import (
    amount_of_memory,
    constraint,
    count,
    early_stopping,
    experiment_name,
    number,
    one_of,
    pair,
    seconds,
    strategy,
)
from hpo_lab.problems import Problem, nearest

__all__ = [
    "OPTIONS",
    "Arguments",
    "Option",
    "TuneOptions",
    "objectives_of",
    "parse_line",
    "parse_values",
    "split_arguments",
]

DEFAULT_TRIALS = 20
_ENDING = ("grid", "hyperband", "bohb", "successivehalving")
"""Algorithms that end by themselves, when all they have to try was tried."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its name without dashes, its value's form, and what it means."""

    name: str
    form: str
    help: str
    parse: Callable[[str], Any]
    repeatable: bool = False

    @property
    def flag(self) -> str:
        """As it is written, `--trial-timeout`."""
        return f"--{self.name}"

    @property
    def field(self) -> str:
        """Its field in `TuneOptions`."""
        return self.name.replace("-", "_")


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneOptions:
    """What to optimise and how much; None where nothing was said.

    Times are in seconds.
    """

    direction: ObjectiveType | None = None
    metric: str | None = None
    additional_objectives: tuple[AdditionalObjective, ...] = ()
    constraint: tuple[MetricConstraint, ...] = ()
    trials: int | None = None
    parallel: int | None = None
    algorithm: str | None = None
    setting: tuple[tuple[str, str], ...] = ()
    early_stopping: EarlyStopping | None = None
    goal: float | None = None
    seed: int | None = None
    warm_start: tuple[str, ...] = ()
    name: str | None = None
    timeout: float | None = None
    trial_timeout: float | None = None
    max_failed: int | None = None
    additional_metric: tuple[str, ...] = ()
    strategy: tuple[tuple[str, str], ...] = ()
    isolation: str | None = None
    trial_memory: int | None = None
    trial_output: int | None = None
    keep: str | None = None

    @property
    def notebook_trial(self) -> dict[str, Any]:
        """What is said about running notebooks, as fields of the `NotebookTrial`."""
        said = {
            "isolation": self.isolation,
            "memoryLimit": self.trial_memory,
            "outputLimit": self.trial_output,
            "keep": self.keep,
        }
        return {name: value for name, value in said.items() if value is not None}

    def over(self, base: TuneOptions) -> TuneOptions:
        """These options, and those of *base* where nothing was said here."""
        merged = {}
        for option in fields(self):
            mine = getattr(self, option.name)
            merged[option.name] = getattr(base, option.name) if mine in (None, ()) else mine
        if self.metric is not None:
            # Objectives are said all together.
            merged["additional_objectives"] = self.additional_objectives
        return TuneOptions(**merged)

    def spec(
        self, parameters: Sequence[Parameter], trial_template: TrialTemplate
    ) -> ExperimentSpec:
        """The experiment's specification, defaults filled in.

        Args:
            parameters: The search space.
            trial_template: What a trial runs.
        """
        algorithm = self.algorithm or "tpe"
        trials = self.trials
        # A time budget is a budget, too.
        if trials is None and algorithm not in _ENDING and self.timeout is None:
            trials = DEFAULT_TRIALS
        parallel = self.parallel or 2
        if trials is not None and self.parallel is None:
            parallel = min(parallel, max(trials, 1))
        return ExperimentSpec(
            parameters=tuple(parameters),
            objective=Objective(
                type=self.direction or ObjectiveType.MAXIMIZE,
                goal=self.goal,
                objective_metric_name=self.metric or "",
                additional_objectives=self.additional_objectives,
                additional_metric_names=self.additional_metric,
                constraints=_merged(self.constraint),
                metric_strategies=tuple(
                    MetricStrategy(name=name, value=MetricStrategyType(value))
                    for name, value in self.strategy
                ),
            ),
            algorithm=AlgorithmSpec(
                algorithm_name=algorithm,
                algorithm_settings=tuple(
                    AlgorithmSetting(name=name, value=value) for name, value in self.setting
                ),
            ),
            early_stopping=self.early_stopping,
            parallel_trial_count=parallel,
            max_trial_count=trials,
            max_failed_trial_count=self.max_failed,
            resume_policy=ResumePolicy.LONG_RUNNING,
            trial_template=trial_template,
            seed=self.seed,
            warm_start=self.warm_start,
            active_deadline_seconds=self.timeout,
            trial_active_deadline_seconds=self.trial_timeout,
        )


def _merged(constraints: Iterable[MetricConstraint]) -> tuple[MetricConstraint, ...]:
    """The *constraints* with a lower and an upper bound of one metric as one."""
    found: list[MetricConstraint] = []
    for one in constraints:
        bound = "min" if one.max is None else "max"
        for place, other in enumerate(found):
            if other.name == one.name and getattr(other, bound) is None:
                found[place] = other.model_copy(update={bound: getattr(one, bound)})
                break
        else:
            found.append(one)
    return tuple(found)


OPTIONS: tuple[Option, ...] = (
    Option("trials", "N", f"how many trials to run [default: {DEFAULT_TRIALS}]", count(1)),
    Option("parallel", "N", "how many trials run at a time [default: 2]", count(1)),
    Option("algorithm", "NAME", "search algorithm [default: tpe]", str),
    Option("setting", "K=V", "a setting of the algorithm; may be repeated", pair, True),
    Option(
        "constraint",
        "METRIC<=VALUE",
        "a bound that a trial must keep (also >=) to be best; may be repeated",
        constraint,
        True,
    ),
    Option(
        "early-stopping",
        "RULE[:K=V,...]",
        "rule that stops bad trials early, with its settings",
        early_stopping,
    ),
    Option("goal", "VALUE", "end as soon as the objective is this good", number),
    Option("seed", "N", "make the search reproducible", count(0)),
    Option("warm-start", "NAME", "learn from this experiment's trials; may be repeated", str, True),
    Option("name", "NAME", "the experiment's name", experiment_name),
    Option("timeout", "TIME", "time budget of the experiment: seconds, or 10m, 2h", seconds),
    Option("trial-timeout", "TIME", "time limit of one trial: seconds, or 10m, 2h", seconds),
    Option(
        "trial-memory",
        "SIZE",
        "memory limit of one trial: bytes, or 512M, 2G",
        amount_of_memory,
    ),
    Option(
        "trial-output",
        "SIZE",
        "how much output of a trial its notebook keeps [default: 16M]",
        amount_of_memory,
    ),
    Option(
        "isolation",
        "auto|fork|kernel",
        "whether trials share the set-up cells and fork [default: auto]",
        one_of("auto", "fork", "kernel"),
    ),
    Option(
        "keep",
        "all|best|failed|none",
        "whose executed notebooks are kept [default: all]",
        one_of("all", "best", "failed", "none"),
    ),
    Option("max-failed", "N", "give up after so many failed trials", count(1)),
    Option("additional-metric", "NAME", "also record this metric; may be repeated", str, True),
    Option(
        "strategy",
        "METRIC=min|max|latest",
        "which of a metric's values counts; may be repeated",
        strategy,
        True,
    ),
)

_BY_FLAG = {option.flag: option for option in OPTIONS}
_DIRECTIONS = [direction.value for direction in ObjectiveType]


@dataclass(slots=True)
class Arguments:
    """Arguments in parts.

    Attributes:
        words: What is no option, in order.
        values: Texts by flag; an empty one for a flag that takes no value.
        unclaimed: What stands behind unknown options and may be their value.
        problems: What is wrong with the options.
    """

    words: list[str] = field(default_factory=list)
    values: dict[str, list[str]] = field(default_factory=dict)
    unclaimed: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def parse_line(
    line: str, *, where: str, extra: Iterable[str] = (), needs_objective: bool = True
) -> tuple[TuneOptions, dict[str, str], list[Problem]]:
    """Parse the line of `%%tune`.

    Args:
        line: What stands behind `%%tune`.
        where: The place that problems name, such as `cell 3, line 1`.
        extra: Further options of the caller, such as `-o` (with a value) or
            `--dry-run!` (without one).
        needs_objective: Whether a line without direction and metric is a problem.

    Returns:
        The options, the values of the *extra* ones that were given, and every problem.
    """
    try:
        tokens = shlex.split(line, comments=True)
    except ValueError as error:
        return TuneOptions(), {}, [Problem(where, f"cannot be read: {error}")]
    taking = {flag for flag in extra if not flag.endswith("!")}
    bare = {flag[:-1] for flag in extra if flag.endswith("!")}
    parsed = split_arguments(tokens, where=where, taking=[*_BY_FLAG, *taking], bare=bare)
    named = TuneOptions()
    if parsed.words or needs_objective:
        named = objectives_of(_read_objectives(parsed, where))
    values = {name: parsed.values.pop(name)[-1] for name in taking | bare if name in parsed.values}
    options, problems = parse_values(parsed.values, where=where)
    return options.over(named), values, [*parsed.problems, *problems]


def parse_values(
    given: Mapping[str, Sequence[str]], *, where: str = ""
) -> tuple[TuneOptions, list[Problem]]:
    """The options from texts by flag (`--trials`), and every problem."""
    values: dict[str, Any] = {}
    problems = []
    for flag, texts in given.items():
        option = _BY_FLAG[flag]
        if len(texts) > 1 and not option.repeatable:
            problems.append(_of_option(flag, f"is given {len(texts)} times", where))
        parsed = []
        for text in texts:
            try:
                parsed.append(option.parse(text))
            except ValueError as error:
                problems.append(_of_option(flag, str(error), where))
        if parsed:
            values[option.field] = tuple(parsed) if option.repeatable else parsed[-1]
    return TuneOptions(**values), problems


def split_arguments(
    tokens: Iterable[str], *, taking: Iterable[str], bare: Iterable[str], where: str = ""
) -> Arguments:
    """Tell options from words, without stopping at the first problem.

    Args:
        tokens: The arguments.
        taking: Flags that take a value.
        bare: Flags that take none.
        where: The place that problems name; by default the flag itself.
    """
    parsed = Arguments()
    taking, bare = list(taking), list(bare)
    rest = list(tokens)
    while rest:
        token = rest.pop(0)
        if not token.startswith("-") or _is_number(token):
            parsed.words.append(token)
            continue
        flag, equals, value = token.partition("=")
        if flag in bare:
            parsed.values.setdefault(flag, []).append("")
            continue
        if flag not in taking:
            hint = nearest(flag, [*taking, *bare])
            parsed.problems.append(_of_option(flag, f"unknown option{hint}", where))
            # Its value is no word of the objective.
            if not equals and rest and not rest[0].startswith("-"):
                parsed.unclaimed.append(rest.pop(0))
            continue
        if not equals:
            if not rest or (rest[0].startswith("-") and not _is_number(rest[0])):
                parsed.problems.append(_of_option(flag, "needs a value", where))
                continue
            value = rest.pop(0)
        parsed.values.setdefault(flag, []).append(value)
    return parsed


def _of_option(flag: str, message: str, where: str) -> Problem:
    return Problem(where, f"{flag}: {message}") if where else Problem(flag, message)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def objectives_of(found: Sequence[tuple[ObjectiveType, str]]) -> TuneOptions:
    """The options that say what to optimise: directions and metrics, the first one first."""
    if not found:
        return TuneOptions()
    (direction, metric), *further = found
    additional = (
        AdditionalObjective(type=type, objective_metric_name=name) for type, name in further
    )
    return TuneOptions(direction=direction, metric=metric, additional_objectives=tuple(additional))


def _read_objectives(parsed: Arguments, where: str) -> list[tuple[ObjectiveType, str]]:
    """`minimize loss, maximize accuracy` in parts."""
    text = " ".join(parsed.words)
    parts = [part.split() for part in text.split(",")]
    usage = "write it as: maximize accuracy, or minimize loss"
    if any(len(words) != 2 for words in parts):
        message = f"no objective (found: {text or 'none'}); {usage}"
        parsed.problems.append(Problem(where, message))
        return []
    found = []
    for direction, metric in parts:
        if direction not in _DIRECTIONS:
            message = f"{direction!r} is no direction; allowed are maximize and minimize"
            parsed.problems.append(Problem(where, message + nearest(direction, _DIRECTIONS)))
            continue
        if not metric.isidentifier():
            parsed.problems.append(Problem(where, f"{metric!r} is no variable's name; {usage}"))
        found.append((ObjectiveType(direction), metric))
    return found
