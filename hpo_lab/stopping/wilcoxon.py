"""Stops a trial that is worse than the best one, step by step.

For objectives that are the mean over folds or instances, one a step; the steps of two trials
are pairs. The rule is that of Optuna's `WilcoxonPruner`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from hpo_lab.experiment.trial import TrialState
from hpo_lab.search.algorithm import Setting
from hpo_lab.stopping.curve import Curve
from hpo_lab.stopping.rule import Question

__all__ = ["Wilcoxon"]


class Wilcoxon:
    """Wilcoxon's signed-rank test against the best of the succeeded trials."""

    name = "wilcoxon"
    settings: ClassVar[Mapping[str, Setting]] = {
        "p_threshold": Setting(
            float,
            "Stops when the trial is worse with a p-value below this.",
            default=0.1,
            minimum=0,
            maximum=1,
            exclusive=True,
        ),
        "n_startup_steps": Setting(
            int, "Steps in common with the best trial before it is stopped.", default=2, minimum=2
        ),
    }

    def should_stop(self, question: Question) -> str | None:
        """Why the trial is to be stopped, if it is."""
        best = _best(question)
        if best is None:
            return None
        number, reference = best
        sign = 1.0 if question.minimize else -1.0
        known = dict(reference)
        pairs = [
            (sign * value, sign * known[step]) for step, value in question.curve if step in known
        ]
        if len(pairs) < question.integer("n_startup_steps") or not all(
            math.isfinite(mine) and math.isfinite(other) for mine, other in pairs
        ):
            return None
        mine, others = question.curve.mean(), reference.mean()
        # So far on average no worse than the best one in the end.
        if mine is None or others is None or sign * mine <= sign * others:
            return None
        from scipy.stats import wilcoxon

        differences = [mine - other for mine, other in pairs]
        test = wilcoxon(differences, alternative="greater", zero_method="zsplit")
        threshold, p = question.number_of("p_threshold"), float(test.pvalue)
        if threshold is None or not p < threshold:
            return None
        return (
            f"it is worse than trial {number}, the best, on {len(pairs)} steps (p = {p:.3g} in "
            "Wilcoxon's signed-rank test)"
        )


def _best(question: Question) -> tuple[int, Curve] | None:
    """The succeeded trial with the best value, and what it reported."""
    sign = 1.0 if question.minimize else -1.0
    ranked = [
        (sign * value, number)
        for number, one in question.trials.items()
        if one.state is TrialState.SUCCEEDED and (value := one.curve.value()) is not None
    ]
    if not ranked:
        return None
    number = min(ranked)[1]
    return number, question.trials[number].curve
