"""Whole experiments in virtual time, with lost, late and repeated events and killed drivers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hpo_lab.experiment.manifest import parse_manifest
from hpo_lab.experiment.model import ExperimentDocument
from hpo_lab.experiment.trial import Trial, TrialState, optimal_trial
from hpo_lab.facade.enrolling import enrol_prepared
from hpo_lab.prepare import Prepared
from hpo_lab.running.driver import Driver
from hpo_lab.running.enrol import Enrolment
from hpo_lab.store import LEASE_SECONDS, Runner, Store, open_store
from hpo_lab.testing.simulation import Faults, SimulatedPlace, TrialBehaviour, World

FAULTS = Faults(lost=0.1, late=0.1, repeated=0.1, preempted=0.1, died=0.03, failed=0.05)
MESSAGES = Faults(lost=0.15, late=0.15, repeated=0.15)
DOUBLE = {"parameterType": "double", "feasibleSpace": {"min": "-1", "max": "1"}}
SPACE = [{"name": "x", **DOUBLE}, {"name": "y", **DOUBLE}]
GRID = {
    "parameterType": "double",
    "feasibleSpace": {"min": "-1", "max": "1", "step": "0.25"},
}
RESOURCE = {"name": "epochs", "parameterType": "int", "feasibleSpace": {"min": "1", "max": "9"}}


def experiment(
    algorithm: str = "random",
    trials: int = 40,
    parallel: int = 4,
    name: str = "simulated",
    **spec: Any,
) -> ExperimentDocument:
    objective = {"type": "maximize", "objectiveMetricName": "score"}
    settings = spec.pop("settings", {})
    document = {
        "apiVersion": "hpolab.dev/v1beta1",
        "kind": "Experiment",
        "metadata": {"name": name},
        "spec": {
            "objective": objective,
            "algorithm": {
                "algorithmName": algorithm,
                "algorithmSettings": [{"name": n, "value": v} for n, v in settings.items()],
            },
            "maxTrialCount": trials,
            "maxFailedTrialCount": trials,
            "parallelTrialCount": parallel,
            "seed": 3,
            "parameters": SPACE,
            "trialTemplate": {
                "trialSpec": {
                    "apiVersion": "hpolab.dev/v1beta1",
                    "kind": "FunctionTrial",
                    "spec": {},
                }
            },
            **spec,
        },
    }
    return parse_manifest(document, source="test").experiment


class Killed(BaseException):
    """The driver was killed with SIGKILL, as far as its store can tell."""


class FragileStore:
    """A store whose process is killed at a random write, before or after it."""

    def __init__(self, store: Store, writes: int, *, before: bool) -> None:
        self._store = store
        self._writes = writes
        self._before = before

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name not in ("acquire_lease", "release_lease", "renew_lease", "set_condition"):
            return method

        def write(*args: Any, **kwargs: Any) -> Any:
            with self._write():
                return method(*args, **kwargs)

        return write

    @contextmanager
    def transaction(self, *args: Any) -> Iterator[Any]:
        with self._write(), self._store.transaction(*args) as transaction:
            yield transaction

    @contextmanager
    def _write(self) -> Iterator[None]:
        self._writes -= 1
        if self._writes < 0 or (self._writes == 0 and self._before):
            raise Killed
        yield
        if self._writes == 0:
            raise Killed


def simulate(store: Store, document: ExperimentDocument, world: World, kills: int = 0) -> str:
    """Run an experiment to its end, with drivers that are killed; its uid."""
    uid = enrol_prepared(store, Prepared(document, {})).record.uid
    chance = random.Random(f"{world.seed}/kills")
    for life in range(kills + 1):
        used: Any = store
        if life < kills:
            used = FragileStore(store, chance.randint(1, 25), before=chance.random() < 0.5)
        runner = Runner(id=f"driver-{life}", host="simulated", pid=life + 1, started=0.0)
        place = SimulatedPlace(world)
        try:
            Driver(used, uid, place, clock=world.clock, runner=runner, at_once=True).run()
        except Killed:
            # Until its lease is taken for lost, the world goes on without a driver.
            world.now += LEASE_SECONDS + 1
        else:
            break
    return uid


def check(store: Store, uid: str, world: World, document: ExperimentDocument) -> list[Trial]:
    """Nothing is lost, nothing is doubled, budgets are kept."""
    trials = store.trials(uid)
    assert [trial.number for trial in trials] == list(range(len(trials)))
    assert all(trial.is_final for trial in trials)
    assert len(trials) <= (document.spec.max_trial_count or len(trials))
    for trial in trials:
        stored = store.observations(uid, trial.number)
        if (trial.number, trial.attempt) not in world.starts:
            assert trial.state is TrialState.KILLED and not stored
            continue
        reported = world.reports(trial.number, trial.attempt)
        assert [(o.step, o.value) for o in stored] == [(o.step, o.value) for o in reported]
        assert {o.attempt for o in stored} <= {trial.attempt}
        if trial.state is TrialState.SUCCEEDED:
            assert trial.metrics["score"].count == len(reported) == world.behaviour.steps
    best = optimal_trial(document.spec.objective, trials)
    (overview,) = store.overviews()
    assert overview.best == best
    return trials


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "hpo_lab.db")
    yield opened
    opened.close()


HYPERBAND = {"resource_name": "epochs", "r_l": "9", "eta": "3"}
ALGORITHMS = {
    "random": {},
    "sobol": {},
    "halton": {},
    "tpe": {},
    "multivariate-tpe": {},
    "bayesianoptimization": {},
    "cmaes": {},
    "nsga2": {},
    "grid": {"parameters": [{"name": "x", **GRID}, {"name": "y", **GRID}]},
    "pbt": {"settings": {"suggestion_trial_dir": "/tmp", "n_population": "5"}},
    "asha": {"parameters": [*SPACE, RESOURCE], "settings": {"resource_name": "epochs"}},
    "successivehalving": {
        "parameters": [*SPACE, RESOURCE],
        "settings": {"resource_name": "epochs"},
    },
    "hyperband": {"parameters": [*SPACE, RESOURCE], "settings": HYPERBAND},
    "bohb": {"parameters": [*SPACE, RESOURCE], "settings": {"resource_name": "epochs"}},
}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_survives_faults_and_kills(store: Store, algorithm: str) -> None:
    document = experiment(algorithm, **ALGORITHMS[algorithm])
    world = World(seed=5, faults=FAULTS)
    uid = simulate(store, document, world, kills=3)
    trials = check(store, uid, world, document)
    if algorithm in ("bohb", "hyperband", "successivehalving"):
        # Their last rung is the end of the search.
        assert store.experiment_by_uid(uid).reason == "ExperimentSuggestionEndReached"
    else:
        assert len(trials) == 40
    assert world.most_running <= document.spec.parallel_trial_count


RULES = {
    "medianstop": {"min_trials_required": "3", "start_step": "2"},
    "asha": {"eta": "2", "max_resource": "8"},
    "hyperband": {"eta": "2", "max_resource": "8"},
    "wilcoxon": {"p_threshold": "0.5"},
    "threshold": {"lower": "-0.7"},
    "patience": {"rounds": "3"},
}


@pytest.mark.parametrize("rule", RULES)
def test_every_early_stopping_rule_survives_faults_and_kills(store: Store, rule: str) -> None:
    settings = [{"name": name, "value": value} for name, value in RULES[rule].items()]
    stopping = {"algorithmName": rule, "algorithmSettings": settings}
    document = experiment(trials=60, parallel=6, earlyStopping=stopping)
    behaviour = TrialBehaviour(steps=8, value=lambda a, step: -abs(float(a["x"])) + 0.1 / step)
    world = World(seed=7, faults=FAULTS, behaviour=behaviour)
    uid = simulate(store, document, world, kills=3)
    trials = check(store, uid, world, document)
    assert len(trials) == 60
    stopped = [trial for trial in trials if trial.state is TrialState.EARLY_STOPPED]
    assert stopped and all(trial.message for trial in stopped)


@pytest.mark.parametrize("algorithm", ["random", "tpe", "grid"])
def test_the_end_is_that_without_faults(tmp_path: Path, algorithm: str) -> None:
    ends = []
    for name, faults, kills in (("calm", Faults(), 0), ("wild", MESSAGES, 4)):
        store = open_store(tmp_path / f"{name}.db")
        document = experiment(algorithm, **ALGORITHMS[algorithm])
        world = World(seed=11, faults=faults)
        trials = check(store, simulate(store, document, world, kills), world, document)
        ends.append([(t.number, t.assignments, t.state, t.metrics) for t in trials])
        (record,) = store.experiments()
        ends.append([record.state, record.reason])
        store.close()
    assert ends[:2] == ends[2:]


def test_a_thousand_at_once(store: Store) -> None:
    document = experiment(trials=2500, parallel=1000)
    world = World(seed=13, faults=FAULTS)
    uid = simulate(store, document, world, kills=2)
    assert len(check(store, uid, world, document)) == 2500
    assert 900 <= world.most_running <= 1000


def test_one_thread_runs_several_experiments_a_turn_of_each_after_the_other(store: Store) -> None:
    documents = [experiment(trials=12, parallel=3, name=f"many-{place}") for place in range(4)]
    uids = [enrol_prepared(store, Prepared(each, {})).record.uid for each in documents]
    worlds = [World(seed=place, faults=MESSAGES) for place in range(4)]
    drivers = {
        uid: Driver(store, uid, SimulatedPlace(world), clock=world.clock, at_once=True)
        for uid, world in zip(uids, worlds, strict=True)
    }
    for driver in drivers.values():
        driver.begin()
    verdicts: dict[str, str] = {}
    overlaps = 0
    while drivers:
        overlaps += len(drivers) > 1
        for uid, driver in list(drivers.items()):
            verdict = driver.step(0.1)
            if verdict is not None:
                verdicts[uid] = verdict.reason
                drivers.pop(uid).end()

    assert verdicts == dict.fromkeys(uids, "ExperimentMaxTrialsReached")
    assert overlaps > 12
    for uid in uids:
        trials = store.trials(uid)
        assert [trial.number for trial in trials] == list(range(12))
        assert all(trial.is_final for trial in trials)


def test_a_stop_ends_all_and_a_resumed_experiment_finishes(store: Store) -> None:
    document = experiment(trials=30, parallel=5)
    world = World(seed=17, faults=MESSAGES)
    uid = enrol_prepared(store, Prepared(document, {})).record.uid
    driver = Driver(store, uid, SimulatedPlace(world), clock=world.clock, at_once=True)
    take = world.take

    def stopping(timeout: float) -> Any:
        if world.now > 20:
            driver.stop()
        return take(timeout)

    world.take = stopping  # type: ignore[method-assign]
    assert driver.run().reason == "ExperimentStopped"
    assert not [trial for trial in store.trials(uid) if trial.state is TrialState.RUNNING]
    done = {trial.number for trial in store.trials(uid) if trial.is_final}
    assert 0 < len(done) < 30
    world.take = take  # type: ignore[method-assign]
    again = Driver(store, uid, SimulatedPlace(world), clock=world.clock, at_once=True)
    assert again.run().reason == "ExperimentMaxTrialsReached"
    trials = check(store, uid, world, document)
    assert len(trials) == 30
    assert {trial.number for trial in trials if trial.attempt == 1} >= done


def test_a_deadline_ends_trials_and_the_experiment(store: Store) -> None:
    document = experiment(
        trials=500, parallel=5, activeDeadlineSeconds=100, trialActiveDeadlineSeconds=12
    )
    world = World(seed=19, faults=MESSAGES)
    uid = simulate(store, document, world)
    trials = check(store, uid, world, document)
    assert store.experiment_by_uid(uid).reason == "ExperimentDeadlineReached"
    late = [trial for trial in trials if trial.message == "ran longer than 12 seconds"]
    assert late and {trial.state for trial in late} == {TrialState.FAILED}
    assert {trial.state for trial in trials if trial.message == "the experiment ended"} == {
        TrialState.KILLED
    }


@pytest.mark.parametrize("kills", [0, 3])
def test_it_gives_up_where_every_trial_fails_alike_also_if_drivers_are_killed(
    store: Store, kills: int
) -> None:
    document = experiment(parallel=2, maxFailedTrialCount=None, resumePolicy="LongRunning")
    world = World(seed=19, faults=replace(MESSAGES, failed=1.0))
    uid = simulate(store, document, world, kills)
    trials = check(store, uid, world, document)
    record = store.experiment_by_uid(uid)
    assert record is not None and record.state == "Failed"
    assert record.message == "The first 4 trials failed with RuntimeError: simulated"
    failures = [trial for trial in trials if trial.state is TrialState.FAILED]
    assert 4 <= len(failures) <= len(trials) <= 6

    # Resumed, it tries again.
    assert enrol_prepared(store, Prepared(document, {})).how is Enrolment.CONTINUED
    world.faults = MESSAGES
    Driver(store, uid, SimulatedPlace(world), clock=world.clock, at_once=True).run()
    record = store.experiment_by_uid(uid)
    assert record is not None and record.state == "Succeeded"
    assert len(check(store, uid, world, document)) == 40
