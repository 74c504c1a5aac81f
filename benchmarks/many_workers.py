"""Trials recorded a second with 32 at a time: `python benchmarks/many_workers.py`.

    [--postgresql URL]  an empty database; without it, SQLite alone

The trials do nothing, so that only asking and recording are measured. In hpo_lab a single
runner asks for all trials and records them, those that end together in one transaction. With
Optuna each of 32 processes asks and records its own trials in the shared storage.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from pathlib import Path

from tables import publish, setting, table

WORKERS = 32


def hpo_lab(location: str, trials: int) -> float:
    """Trials a second, of which 32 are always running.

    The runner is the real one. At its place a trial reports its parameter and ends at once, so
    that all 32 have ended whenever the runner has recorded what came before.
    """
    from hpo_lab.engine.events import Ended, Reported
    from hpo_lab.experiment.model import (
        AlgorithmSpec,
        ExperimentDocument,
        ExperimentSpec,
        FeasibleSpace,
        Metadata,
        Objective,
        ObjectiveType,
        Parameter,
        ParameterType,
    )
    from hpo_lab.observation import Observation, Outcome
    from hpo_lab.running.driver import Driver
    from hpo_lab.store import open_store
    from hpo_lab.testing.simulation import SimulatedPlace, World

    class AtOnce(SimulatedPlace):
        def __init__(self) -> None:
            super().__init__(World())
            self.started: list = []

        def start(self, experiment, trial, seed) -> None:
            self.started.append(trial)

        def events(self, timeout: float) -> list:
            events: list = []
            for trial in self.started:
                seen = Observation("score", float(trial.assignments["x"]), time.time())
                key = trial.number, trial.attempt
                events.append(Reported(*key, 0, 1, (seen,)))
                events.append(Ended(*key, 1, Outcome(True, time.time())))
            self.started = []
            return events

    spec = ExperimentSpec(
        parameters=(
            Parameter(
                name="x",
                parameter_type=ParameterType.DOUBLE,
                feasible_space=FeasibleSpace(min=0, max=1),
            ),
        ),
        objective=Objective(type=ObjectiveType.MAXIMIZE, objective_metric_name="score"),
        algorithm=AlgorithmSpec(algorithm_name="random"),
        parallel_trial_count=WORKERS,
        max_trial_count=trials,
    )
    store = open_store(location)
    document = ExperimentDocument(metadata=Metadata(name="many"), spec=spec)
    uid = store.create_experiment(document, identity="many").uid
    start = time.perf_counter()
    Driver(store, uid, AtOnce(), at_once=True).run()
    seconds = time.perf_counter() - start
    done = sum(trial.is_final for trial in store.trials(uid))
    store.close()
    assert done == trials, f"{done} of {trials} trials were recorded"
    return trials / seconds


def _work(url: str, trials: int) -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.RandomSampler()
    study = optuna.load_study(storage=url, study_name="many", sampler=sampler)
    for _ in range(trials):
        trial = study.ask()
        study.tell(trial, trial.suggest_float("x", 0, 1))


def optuna(url: str, trials: int) -> tuple[float, int]:
    """Trials a second in 32 processes, and how many were lost with workers that failed."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    optuna.create_study(storage=url, study_name="many", direction="maximize")
    fork = multiprocessing.get_context("fork")
    start = time.perf_counter()
    workers = [fork.Process(target=_work, args=(url, trials // WORKERS)) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    seconds = time.perf_counter() - start
    ended = optuna.load_study(storage=url, study_name="many").trials
    done = sum(trial.state.is_finished() for trial in ended)
    return done / seconds, trials - done


def _own_schema(url: str) -> str:
    """Make a schema for Optuna, whose tables have names that ours have; its URL."""
    import psycopg

    with psycopg.connect(url) as connection:
        connection.execute("CREATE SCHEMA optuna")
    driver = url.replace("postgresql://", "postgresql+psycopg://")
    return f"{driver}?options=-csearch_path%3Doptuna"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=3200, help="for hpo_lab; Optuna a tenth")
    parser.add_argument("--postgresql", metavar="URL")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    options = parser.parse_args()
    fewer = options.trials // 10 // WORKERS * WORKERS
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        places = [("SQLite", str(Path(folder) / "a.db"), f"sqlite:///{folder}/b.db")]
        if options.postgresql:
            places.append(("PostgreSQL", options.postgresql, _own_schema(options.postgresql)))
        for name, location, url in places:
            mine = hpo_lab(location, options.trials)
            theirs, lost = optuna(url, fewer)
            rows.append(
                (
                    *(name, f"{mine:.0f}", f"{theirs:.1f}", f"{mine / theirs:.0f}"),
                    f"{lost} of {fewer}",
                )
            )
    publish(
        "many-workers",
        [
            *table(("trials a second", "hpo_lab", "Optuna", "ratio", "lost by Optuna"), rows),
            "",
            setting("hpo_lab", "optuna", "sqlalchemy", "psycopg"),
        ],
        write=options.write,
    )


if __name__ == "__main__":
    main()
