"""Stops a trial that is worse than the best one, step by step.

For objectives that are the mean over folds or instances, one a step; the steps of two trials
are pairs. The rule is that of Optuna's `WilcoxonPruner`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from hpo_lab.experiment.trial import TrialState
from hpo_lab.search.setting import Setting
from hpo_lab.stopping.curve import Curve
from hpo_lab.stopping.rule import EarlyStoppingRule, Progress, Question

__all__ = ["Wilcoxon"]


class Wilcoxon(EarlyStoppingRule):
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

    def __init__(self) -> None:
        self._best: tuple[float, int, Curve] | None = None

    def tell(self, ended: Progress) -> None:
        """Remember a trial if it is the best that has succeeded, of equal ones the first."""
        value = ended.curve.value()
        if ended.state is not TrialState.SUCCEEDED or value is None:
            return
        loss = value if ended.minimize else -value
        if self._best is None or (loss, ended.number) < self._best[:2]:
            self._best = loss, ended.number, ended.curve

    def should_stop(self, question: Question) -> str | None:
        """Why the trial is to be stopped, if it is."""
        if self._best is None:
            return None
        _, number, reference = self._best
        sign = 1.0 if question.minimize else -1.0
        best = dict(reference)
        pairs = [
            (sign * value, sign * best[step]) for step, value in question.curve if step in best
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
