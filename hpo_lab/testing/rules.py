"""The checks that every early stopping rule of hpo_lab passes, for rules of other packages."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from types import MappingProxyType

from hpo_lab.experiment.model import ExperimentSpec, MetricStrategyType
from hpo_lab.experiment.trial import TrialState
from hpo_lab.problems import Problem
from hpo_lab.stopping.curve import Curve
from hpo_lab.stopping.rule import Progress, Question, get_rule, settings_of, stopping_problems
from hpo_lab.testing.settings import check_settings

__all__ = ["check_early_stopping_rule"]

_NUMBERS = (math.nan, math.inf, -math.inf)


def check_early_stopping_rule(
    name: str, *, settings: Mapping[str, str] | None = None, examples: int = 40, seed: int = 0
) -> None:
    """Check a registered early stopping rule as those of hpo_lab are checked.

    It is told of trials that have ended in any state and is asked about running ones, whose
    reports have steps in any order, NaN and infinities among them. Checked is that

    - an answer is None, or a reason in words;
    - the same question has the same answer: asked again, by a rule that was told of the same
      trials in another order, and with the others that run in another order, the trial itself
      among them or not;
    - a rule remembers for itself: two of them do not influence each other;
    - settings are described, and wrong ones are refused.

    Args:
        name: The name that it is registered under.
        settings: Those that it needs.
        examples: How many histories it is asked about.
        seed: Of all that is random; a failure comes again with the same one.

    Raises:
        LookupError: There is no such rule.
        AssertionError: A check fails.
    """
    rule, texts = get_rule(name), settings or {}
    assert rule.name == name, f"{name!r} is registered, but the class says {rule.name!r}"

    def problems_with(texts: Mapping[str, str]) -> list[Problem]:
        return stopping_problems(_experiment(name, texts, "minimize", MetricStrategyType.MIN))

    check_settings(rule, texts, problems_with)
    rng = random.Random(f"{name}/{seed}")
    for _ in range(examples):
        type, strategy = rng.choice(["minimize", "maximize"]), rng.choice(list(MetricStrategyType))
        spec = _experiment(name, texts, type, strategy)
        _check_answer(spec, rng)


def _experiment(
    rule: str, settings: Mapping[str, str], type: str, strategy: MetricStrategyType
) -> ExperimentSpec:
    texts = [{"name": name, "value": value} for name, value in settings.items()]
    return ExperimentSpec.model_validate(
        {
            "objective": {
                "type": type,
                "objectiveMetricName": "score",
                "metricStrategies": [{"name": "score", "value": strategy.value}],
            },
            "algorithm": {"algorithmName": "random"},
            "earlyStopping": {"algorithmName": rule, "algorithmSettings": texts},
            "parameters": [
                {"name": "x", "parameterType": "double", "feasibleSpace": {"min": 0, "max": 1}}
            ],
        }
    )


def _check_answer(spec: ExperimentSpec, rng: random.Random) -> None:
    assert spec.early_stopping is not None
    name = spec.early_stopping.algorithm_name
    curves = {number: _curve(spec, rng) for number in range(rng.randint(1, 10))}
    running = {number for number in curves if rng.random() < 0.3} | {max(curves)}
    settings = settings_of(get_rule(name), spec)
    ends = [state for state in TrialState if state.is_final]
    ended = [
        Progress(spec, settings, number, rng.choice(ends), curve)
        for number, curve in curves.items()
        if number not in running
    ]
    number = max(curves)
    others = {other: curves[other] for other in running - {number}}
    answers = []
    for told, beside in (
        (ended, others),
        (rng.sample(ended, len(ended)), {number: curves[number], **dict(reversed(others.items()))}),
    ):
        rule = get_rule(name)
        for progress in told:
            rule.tell(progress)
        question = Question(
            spec, settings, number, TrialState.RUNNING, curves[number], MappingProxyType(beside)
        )
        answers += [rule.should_stop(question), rule.should_stop(question)]
        # What another rule is told of other trials is not to be seen the next time.
        unrelated = get_rule(name)
        for place, state in enumerate(ends, start=100):
            unrelated.tell(Progress(spec, settings, place, state, _curve(spec, rng)))
    assert len(set(answers)) == 1, (
        f"{name} has different answers to the same question: {sorted(set(map(str, answers)))}"
    )
    answer = answers[0]
    assert answer is None or (isinstance(answer, str) and answer.strip()), (
        f"{name} answers {answer!r}; must be a reason in words, or None"
    )


def _curve(spec: ExperimentSpec, rng: random.Random) -> Curve:
    """What a trial may have reported: at least one value."""
    reported = [
        (
            rng.choice([None, rng.randint(0, 12)]),
            rng.choice([rng.gauss(0, 1), rng.gauss(0, 1), rng.choice(_NUMBERS)]),
        )
        for _ in range(rng.randint(1, 8))
    ]
    return Curve(spec.objective.strategy("score")).then(reported)
