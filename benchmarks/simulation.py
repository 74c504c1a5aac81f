"""Whole experiments in virtual time: `python benchmarks/simulation.py [--write]`.

    [--trials N ...]  sizes; by default 1000, 10 000 and 100 000

A real driver and a real SQLite store run random search at the simulated place, 1000 trials at
once, with messages lost, late and repeated, trials preempted, and the driver killed. Each size
runs in a process of its own. What the store holds in the end is compared with what the trials
reported; CPU time, memory and the size of the store show how the running core grows.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tables import publish, setting, table

PARALLEL = 1000
KILLS = 3


def simulate(trials: int) -> dict[str, float]:
    """Run one size here; what it cost."""
    from hpo_lab.experiment.manifest import parse_manifest
    from hpo_lab.facade.enrolling import enrol_prepared
    from hpo_lab.prepare import Prepared
    from hpo_lab.running.driver import Driver
    from hpo_lab.store import LEASE_SECONDS, Runner, open_store
    from hpo_lab.testing.simulation import Faults, SimulatedPlace, World

    space = {"parameterType": "double", "feasibleSpace": {"min": "-1", "max": "1"}}
    document = {
        "apiVersion": "hpolab.dev/v1beta1",
        "kind": "Experiment",
        "metadata": {"name": "simulated"},
        "spec": {
            "objective": {"type": "maximize", "objectiveMetricName": "score"},
            "algorithm": {"algorithmName": "random"},
            "seed": 1,
            "maxTrialCount": trials,
            "parallelTrialCount": PARALLEL,
            "parameters": [{"name": "x", **space}, {"name": "y", **space}],
            "trialTemplate": {
                "trialSpec": {
                    "apiVersion": "hpolab.dev/v1beta1",
                    "kind": "FunctionTrial",
                    "spec": {},
                }
            },
        },
    }
    faults = Faults(lost=0.05, late=0.05, repeated=0.05, preempted=0.02, died=0.01, failed=0.02)
    world = World(seed=1, faults=faults)
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "hpo_lab.db")
        experiment = parse_manifest(document).experiment
        uid = enrol_prepared(store, Prepared(experiment, {})).record.uid
        begun = time.process_time()
        for life in range(KILLS + 1):
            killed_at = trials / PARALLEL * 10 * (life + 1) / (KILLS + 1)

            class Place(SimulatedPlace):
                def events(
                    self, timeout: float, until: float = killed_at, last: bool = life == KILLS
                ) -> list:
                    if not last and world.now >= until:
                        raise SystemExit
                    return super().events(timeout)

            runner = Runner(id=f"driver-{life}", host="simulated", pid=life + 1, started=0.0)
            place = Place(world)
            try:
                Driver(store, uid, place, clock=world.clock, runner=runner, at_once=True).run()
            except SystemExit:
                world.now += LEASE_SECONDS + 1
        cpu = time.process_time() - begun
        recorded = store.trials(uid)
        for trial in recorded:
            assert trial.is_final
            reports = world.reports(trial.number, trial.attempt)
            assert ("score" in trial.metrics) == bool(reports)
            assert not reports or trial.metrics["score"].count == len(reports)
        assert [trial.number for trial in recorded] == list(range(trials))
        assert max(world.starts.values()) == 1
        size = sum(path.stat().st_size for path in Path(folder).iterdir() if path.is_file())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"cpu": cpu, "memory": memory, "store": size, "virtual": world.now}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, nargs="*", default=[1000, 10_000, 100_000])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(simulate(options.one)))
        return
    rows = []
    for trials in options.trials:
        run = subprocess.run(
            [sys.executable, __file__, "--one", str(trials)], capture_output=True, text=True
        )
        if run.returncode:
            raise SystemExit(run.stderr)
        cost = json.loads(run.stdout)
        rows.append(
            [
                f"{trials}",
                f"{cost['virtual']:.0f}",
                f"{cost['cpu']:.1f}",
                f"{cost['cpu'] / trials * 1000:.2f}",
                f"{cost['memory'] / 2**20:.0f}",
                f"{cost['store'] / 2**20:.1f}",
            ]
        )
    header = [
        "trials",
        "virtual s",
        "CPU s",
        "CPU ms a trial",
        "memory MiB",
        "store MiB",
    ]
    lines = [*table(header, rows), "", setting("hpo_lab", "sqlalchemy")]
    publish("simulation", lines, write=options.write)


if __name__ == "__main__":
    main()
