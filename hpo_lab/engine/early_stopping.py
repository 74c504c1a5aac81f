"""Asks the early stopping rule of an experiment about its running trials.

The curves of running trials are kept in memory as they grow, and of the ended ones what the
rule remembers; a new runner makes both from the store.
"""

from __future__ import annotations

from collections.abc import Iterable

from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.trial import Trial, TrialState
from hpo_lab.observation import Observation
from hpo_lab.stopping.curve import Curve
from hpo_lab.stopping.rule import Progress, Question, get_rule, settings_of
from hpo_lab.store import Store

__all__ = ["Stopping"]


class Stopping:
    """The trials of one experiment as its early stopping rule sees them."""

    def __init__(self, spec: ExperimentSpec) -> None:
        """Prepare for an experiment, which may be one without a rule."""
        self._spec = spec
        self._metric = spec.objective.objective_metric_name
        self._running: dict[int, Curve] = {}
        self._rule = None
        if spec.early_stopping is not None:
            self._rule = get_rule(spec.early_stopping.algorithm_name)
            self._settings = settings_of(self._rule, spec)

    @classmethod
    def recovered(
        cls, spec: ExperimentSpec, trials: Iterable[Trial], store: Store, uid: str
    ) -> Stopping:
        """What an earlier runner of the experiment *uid* would know now."""
        stopping = cls(spec)
        if stopping._rule is None:
            return stopping
        reported: dict[int, list[Observation]] = {}
        for one in store.observations(uid, metric=stopping._metric):
            reported.setdefault(one.number, []).append(one)
        for trial in trials:
            if trial.number in reported:
                stopping.report(trial.number, reported[trial.number])
                stopping.set_state(trial.number, trial.state)
        return stopping

    def report(self, number: int, observations: Iterable[Observation]) -> None:
        """Continue the curve of a trial."""
        found = [(one.step, one.value) for one in observations if one.metric == self._metric]
        if self._rule is None or not found:
            return
        before = self._running.get(number) or Curve(self._spec.objective.strategy(self._metric))
        self._running[number] = before.then(found)

    def set_state(self, number: int, state: TrialState) -> None:
        """A trial is in another state now; one that is to run again starts from nothing."""
        if state is TrialState.RUNNING:
            return
        curve = self._running.pop(number, None)
        tell = getattr(self._rule, "tell", None)
        if curve is not None and tell is not None and state.is_final:
            tell(Progress(self._spec, self._settings, number, state, curve))

    def reason(self, number: int) -> str | None:
        """Why a running trial is to be stopped, in words; None when it goes on."""
        curve = self._running.get(number)
        if self._rule is None or curve is None:
            return None
        others = {other: one for other, one in self._running.items() if other != number}
        return self._rule.should_stop(
            Question(self._spec, self._settings, number, TrialState.RUNNING, curve, others)
        )
