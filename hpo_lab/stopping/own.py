"""Rules that look at the trial alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.problems import Problem
from hpo_lab.search.setting import Setting, read_settings
from hpo_lab.stopping.rule import EarlyStoppingRule, Question

__all__ = ["Patience", "Threshold"]


class Threshold(EarlyStoppingRule):
    """Stops a trial that leaves the allowed range, or reports NaN."""

    name = "threshold"
    settings: ClassVar[Mapping[str, Setting]] = {
        "lower": Setting(float, "The lowest allowed value."),
        "upper": Setting(float, "The highest allowed value."),
        "start_step": Setting(int, "Values before this step are not looked at.", default=0),
    }

    def should_stop(self, question: Question) -> str | None:
        """Why the trial is to be stopped, if it is."""
        lower, upper = question.number_of("lower"), question.number_of("upper")
        for step, value in question.curve:
            if step < question.integer("start_step"):
                continue
            text = f"its value at step {step}, {value:.6g}, is"
            if math.isnan(value):
                return f"{text} no number"
            if lower is not None and value < lower:
                return f"{text} below {lower:g}"
            if upper is not None and value > upper:
                return f"{text} above {upper:g}"
        return None

    def problems(self, spec: ExperimentSpec) -> list[Problem]:
        """A problem where the range is empty."""
        assert spec.early_stopping is not None
        settings = read_settings(self, spec.early_stopping.settings)
        lower, upper = settings["lower"], settings["upper"]
        if isinstance(lower, float) and isinstance(upper, float) and lower > upper:
            path = "spec.earlyStopping.algorithmSettings"
            return [Problem(path, f"lower is {lower:g}; must not be above upper, {upper:g}")]
        return []


class Patience(EarlyStoppingRule):
    """Stops a trial that has not become better for some reports in a row."""

    name = "patience"
    settings: ClassVar[Mapping[str, Setting]] = {
        "rounds": Setting(int, "Reports without an improvement.", default=10, minimum=1),
        "min_delta": Setting(
            float, "By more than this a value has to be better.", default=0.0, minimum=0
        ),
    }

    def should_stop(self, question: Question) -> str | None:
        """Why the trial is to be stopped, if it is."""
        sign = 1.0 if question.minimize else -1.0
        rounds, delta = question.integer("rounds"), question.number_of("min_delta") or 0.0
        best, best_step, waited = math.inf, None, 0
        for step, value in question.curve:
            if sign * value < best - delta:
                best, best_step, waited = sign * value, step, 0
            else:
                waited += 1
        if waited < rounds:
            return None
        since = "" if best_step is None else f" than at step {best_step} ({sign * best:.6g})"
        return f"it was no better{since} in {waited} reports"
