"""Experiments without processes: the engine's plans carried out, trials ending in any order."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from hpo_lab.engine.asking import SearchMemory, is_ordered
from hpo_lab.engine.ledger import Ledger
from hpo_lab.engine.plan import plan
from hpo_lab.experiment.model import ExperimentSpec
from hpo_lab.experiment.trial import Trial
from hpo_lab.search.algorithm import Wait

Ending = Callable[[Trial], Trial]


def run(spec: ExperimentSpec, end: Ending, order: random.Random, uid: str = "") -> list[Trial]:
    """The trials of an experiment that runs to its end.

    Args:
        spec: The experiment.
        end: What becomes of a trial.
        order: Which of the running trials ends next.
        uid: What tells the experiment from others.
    """
    ledger, memory = Ledger(spec.objective), SearchMemory()
    trials = ledger.trials
    exhausted = False
    while True:
        upcoming = plan(spec, ledger, exhausted=exhausted, ordered=is_ordered(spec))
        if upcoming.verdict is not None:
            return list(trials.values())
        for number in upcoming.start:
            if number in trials:
                continue
            new = memory.new_trial(spec, number, uid=uid)
            if new is None or isinstance(new, Wait):
                exhausted = new is None
                break
            ledger.put(new)
            memory.put(new)
        running = [number for number, trial in trials.items() if not trial.is_final]
        if running:
            ending = order.choice(running)
            ledger.put(end(replace(trials[ending])))
            memory.put(trials[ending])
        else:
            assert exhausted, "nothing runs and nothing can be started"
