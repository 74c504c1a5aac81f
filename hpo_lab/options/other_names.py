"""What other tools call the arguments of `hpo_lab.tune`, for whoever comes from there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from hpo_lab.problems import Problem, nearest

__all__ = ["OTHERWISE", "SAME", "unknown_arguments"]

_DIRECTION = 'say it together with the metric: minimize="loss", or maximize="accuracy"'
_WAIT = "wait() has progress=True and False"
_PLACE = "trials run on this machine; parallel=... says how many at a time"

SAME: Final = {
    # Optuna
    "n_trials": "trials",
    "n_jobs": "parallel",
    "sampler": "algorithm",
    "pruner": "early_stopping",
    "storage": "store",
    "study_name": "name",
    # Ray Tune
    "num_samples": "trials",
    "max_concurrent_trials": "parallel",
    "max_concurrent": "parallel",
    "search_alg": "algorithm",
    "scheduler": "early_stopping",
    "time_budget_s": "timeout",
    "param_space": "space",
    "config": "space",
    "storage_path": "store",
    "local_dir": "store",
    "max_failures": "max_failed",
    "trainable": "objective",
    # Katib
    "max_trial_count": "trials",
    "parallel_trial_count": "parallel",
    "max_failed_trial_count": "max_failed",
    "algorithm_name": "algorithm",
    "algorithm_settings": "settings",
    "objective_goal": "goal",
    "additional_metric_names": "additional_metrics",
    "metric_strategies": "strategies",
    "parameters": "space",
    # Hyperopt, scikit-learn, Keras Tuner and others
    "fn": "objective",
    "func": "objective",
    "max_evals": "trials",
    "max_trials": "trials",
    "n_iter": "trials",
    "algo": "algorithm",
    "param_distributions": "space",
    "param_grid": "space",
    "search_space": "space",
    "distributions": "space",
    "random_state": "seed",
    "rstate": "seed",
    "patience": "early_stopping",
    "stopping": "early_stopping",
    "workers": "parallel",
    "time_limit": "timeout",
    "memory": "trial_memory",
    "count": "trials",
    "num_trials": "trials",
    "overwrite": "fresh",
    "project_name": "name",
    "function": "objective",
    "wait": "block",
    "blocking": "block",
}
"""By the name that another tool has for it, the argument here."""

OTHERWISE: Final = {
    "direction": _DIRECTION,
    "directions": _DIRECTION,
    "mode": _DIRECTION,
    "metric": _DIRECTION,
    "objective_type": _DIRECTION,
    "objective_metric_name": _DIRECTION,
    "scoring": _DIRECTION,
    "load_if_exists": "the same experiment is continued anyway",
    "resume": "the same experiment is continued anyway",
    "catch": "a trial that fails does not end the experiment; max_failed=... does",
    "raise_on_failed_trial": "a failed trial raises nothing; max_failed=... ends the experiment",
    "fail_fast": "max_failed=1 ends the experiment at the first failed trial",
    "project": "an experiment belongs to the folder in which it is made",
    "gc_after_trial": "each trial is a process of its own",
    "reuse_actors": "each trial is a process of its own",
    "show_progress_bar": _WAIT,
    "progress": _WAIT,
    "verbose": _WAIT,
    "points_to_evaluate": "enqueue() of the experiment gives points to try next",
    "initial_points": "enqueue() of the experiment gives points to try next",
    "resources_per_trial": _PLACE,
    "resources": _PLACE,
    "gpus_per_trial": _PLACE,
    "num_cpus": _PLACE,
    "namespace": "a manifest alone says it",
}
"""The same, for what is said here in another way."""


def unknown_arguments(
    names: Iterable[str], arguments: Sequence[str], function: str = "tune()"
) -> list[Problem]:
    """What is meant by each of *names*, which are no arguments.

    Args:
        names: As they were given.
        arguments: The arguments that there are.
        function: Whose arguments.
    """
    return [Problem(name, _meant(name, arguments, function)) for name in names]


def _meant(name: str, arguments: Sequence[str], function: str) -> str:
    if SAME.get(name) in arguments:
        return f"is no argument; it is called {SAME[name]} here"
    if name in OTHERWISE and function == "tune()":
        return f"is no argument; {OTHERWISE[name]}"
    return f"is no argument of {function}{nearest(name, arguments)}"
