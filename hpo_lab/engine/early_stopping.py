"""Asks the early stopping rule of an experiment about its running trials.

The curves of running trials are kept in memory as they grow, and of the ended trials what the
rule remembers; a new runner makes both from what the store holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.observation import Observation
from hpo_lab.stopping.curve import Curve
from hpo_lab.stopping.rule import EarlyStoppingRule, Progress, Question, get_rule, settings_of

__all__ = ["EarlyStopper"]


class EarlyStopper:
    """The trials of one experiment as its early stopping rule sees them."""

    def __init__(self, spec: ExperimentSpec) -> None:
        """Prepare for an experiment, which may be one without a rule."""
        self._spec = spec
        self._metric = spec.objective.objective_metric_name
        self._curves: dict[int, Curve] = {}
        self._rule: EarlyStoppingRule | None = None
        self._error = ""
        if spec.early_stopping is not None:
            self._rule = get_rule(spec.early_stopping.algorithm_name)
            self._settings = settings_of(self._rule, spec)

    @classmethod
    def recovered(
        cls,
        spec: ExperimentSpec,
        trials: Iterable[Trial],
        reports: Mapping[int, Sequence[Observation]],
    ) -> EarlyStopper:
        """What an earlier runner of the experiment would know now.

        Args:
            spec: The experiment.
            trials: Its trials.
            reports: What they have reported of the objective, by number.
        """
        stopping = cls(spec)
        for trial in trials:
            if trial.number in reports:
                stopping.report(trial.number, reports[trial.number])
                stopping.set_state(trial.number, trial.state)
        return stopping

    def report(self, number: int, observations: Iterable[Observation]) -> None:
        """Continue the curve of a trial."""
        if self._rule is None:
            return
        points = [(seen.step, seen.value) for seen in observations if seen.metric == self._metric]
        if points:
            curve = self._curves.get(number) or Curve(self._spec.objective.strategy(self._metric))
            self._curves[number] = curve.then(points)

    def set_state(self, number: int, state: TrialState) -> None:
        """A trial is in another state now; one that is to run again starts from nothing."""
        if state is TrialState.RUNNING:
            return
        curve = self._curves.pop(number, None)
        if curve is not None and self._rule is not None and state.is_final:
            try:
                self._rule.tell(Progress(self._spec, self._settings, number, state, curve))
            except Exception as error:
                self._fail(error)

    def take_error(self) -> str:
        """What the rule has raised, once; after that no trial is stopped any more."""
        error, self._error = self._error, ""
        return error

    def _fail(self, error: Exception) -> None:
        """A rule may be of another package: its fault ends no experiment."""
        self._rule, self._error = None, f"{type(error).__name__}: {error}"

    def reason(self, number: int) -> str | None:
        """Why a running trial is to be stopped, in words; None when it goes on."""
        curve = self._curves.get(number)
        if self._rule is None or curve is None:
            return None
        others = MappingProxyType(self._curves)
        running = TrialState.RUNNING
        try:
            return self._rule.should_stop(
                Question(self._spec, self._settings, number, running, curve, others)
            )
        except Exception as error:
            self._fail(error)
            return None
