"""Whole trials, as processes of this machine."""

from __future__ import annotations

import itertools
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hpo_lab.experiment.trial import TrialState
from hpo_lab.store import ExperimentRecord, Store
from hpo_lab.workload.devices import gpus, hold_ports

from .conftest import RunJob, job, kubeflow_job

LogOf = Callable[..., str]


def shell(script: str, **container: Any) -> dict[str, Any]:
    return job("sh", "-c", script, **container)


def test_a_failing_command_says_how_and_what_it_printed_last(run_job: RunJob, store: Store) -> None:
    record = run_job(shell("echo acc=1; echo trouble >&2; exit 3"))
    (trial,) = store.trials(record.uid)
    assert trial.state is TrialState.FAILED
    assert trial.message == "pod-0: sh ended with code 3"
    details = store.trial(record.uid, 0)
    assert details is not None and details.traceback.endswith("trouble")


def test_a_job_runs_again_as_often_as_its_back_off_limit_says(
    run_job: RunJob, store: Store, log_of: LogOf, tmp_path: Path
) -> None:
    once = shell(f"echo acc=0.5; mkdir {tmp_path}/a || exit 0; exit 1")
    once["spec"]["backoffLimit"] = 1
    record = run_job(once)
    assert store.trials(record.uid)[0].state is TrialState.SUCCEEDED
    assert "running again, 1 times at most" in log_of(record)


def test_trials_at_a_time_collect_from_files_of_their_own(run_job: RunJob, store: Store) -> None:
    script = "mkdir -p /metrics && echo acc=$X > /metrics/a.log && sleep 0.3"
    path = {"path": "/metrics/a.log", "kind": "File"}
    record = run_job(
        shell(script, env=[{"name": "X", "value": "${trialParameters.x}"}]),
        trials=4,
        parallel=4,
        collector={"collector": {"kind": "File"}, "source": {"fileSystemPath": path}},
    )
    trials = store.trials(record.uid)
    assert [trial.metrics["acc"].latest for trial in trials] == [
        trial.assignments["x"] for trial in trials
    ]
    assert not Path("/metrics").exists()


def test_what_is_no_number_leaves_one_trial_without_a_metric(run_job: RunJob, store: Store) -> None:
    script = "case $(basename $KATIB_TRIAL_NAME) in *-1) echo acc=nan;; *) echo acc=0.5;; esac"
    record = run_job(shell(script), trials=3)
    states = [trial.state for trial in store.trials(record.uid)]
    unavailable = TrialState.METRICS_UNAVAILABLE
    assert states == [TrialState.SUCCEEDED, unavailable, TrialState.SUCCEEDED]
    (seen,) = store.observations(record.uid, 1)
    assert math.isnan(seen.value) and seen.text == "nan"


def test_a_value_that_is_text_is_kept_as_text(run_job: RunJob, store: Store) -> None:
    form = {"filter": {"metricsFormat": [r"([\w-]+)=(Genotype.*)"]}}
    record = run_job(
        shell("echo 'acc=Genotype(normal=[])'"),
        collector={"collector": {"kind": "StdOut"}, "source": form},
    )
    (seen,) = store.observations(record.uid)
    assert seen.text == "Genotype(normal=[])"
    assert "Genotype" in store.trials(record.uid)[0].message or math.isnan(seen.value)


def test_code_arrives_as_it_is_written(run_job: RunJob, store: Store, log_of: LogOf) -> None:
    code = r"""import sys; print(sys.argv[1]); print("acc=1")"""
    awkward = r"""$HOME `id` \n "quoted" 'single' \\ ${HOME} é"""
    record = run_job(
        job(sys.executable, "-c", code, awkward), collector={"collector": {"kind": "Push"}}
    )
    assert log_of(record).splitlines()[0] == awkward


def test_facts_about_the_trial_and_where_it_runs(
    run_job: RunJob, log_of: LogOf, tmp_path: Path
) -> None:
    fields = {
        "TRIAL": "metadata.labels['katib.kubeflow.org/trial']",
        "SPACE": "metadata.namespace",
    }
    env = [
        {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
        for name, path in fields.items()
    ]
    record = run_job(shell("echo $TRIAL $SPACE $PWD", env=env, workingDir=str(tmp_path)))
    assert log_of(record).split() == ["one-0", "default", str(tmp_path)]


def test_a_trial_that_reports_by_itself(run_job: RunJob, store: Store) -> None:
    code = "import hpo_lab; hpo_lab.report(step=2, acc=0.75); print('acc=0.1')"
    record = run_job(job("python", "-c", code), collector={"collector": {"kind": "Push"}})
    (seen,) = store.observations(record.uid)
    assert (seen.value, seen.step) == (0.75, 2)


def test_one_gpu_is_used_by_one_trial_after_the_other(
    run_job: RunJob, store: Store, log_of: LogOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HPO_LAB_GPUS", "3")
    limits = {"limits": {"nvidia.com/gpu": 1}}
    script = "echo gpu=$CUDA_VISIBLE_DEVICES; date +%s.%N; sleep 0.4; date +%s.%N; echo acc=1"
    record = run_job(shell(script, resources=limits), trials=3, parallel=3)
    spans = []
    for trial in store.trials(record.uid):
        assert trial.state is TrialState.SUCCEEDED
        lines = [
            line for line in log_of(record, trial.number).splitlines() if "hpo-lab" not in line
        ]
        assert lines[0] == "gpu=3"
        spans.append((float(lines[1]), float(lines[2])))
    spans.sort()
    assert all(end <= begin for (_, end), (begin, _) in itertools.pairwise(spans))
    logs = [log_of(record, number) for number in range(3)]
    assert sum("waiting until 1 of 1 GPUs are free" in log for log in logs) >= 1


def test_which_gpus_there_are() -> None:
    assert gpus({"HPO_LAB_GPUS": "0, 2", "CUDA_VISIBLE_DEVICES": "5"}) == ["0", "2"]
    assert gpus({"CUDA_VISIBLE_DEVICES": "GPU-a,GPU-b"}) == ["GPU-a", "GPU-b"]
    assert gpus({"HPO_LAB_GPUS": ""}) == []


def test_ports_are_held_by_one_trial_alone() -> None:
    with hold_ports(20) as first, hold_ports(20) as second:
        assert len({*first, *second}) == 40


def test_a_worker_that_fails_ends_the_job(run_job: RunJob, store: Store) -> None:
    spec = kubeflow_job(
        "PyTorchJob",
        "pytorchReplicaSpecs",
        Master=(1, ["sleep", "600"]),
        Worker=(2, ["sh", "-c", "echo acc=9; exit $((RANK - 1))"]),
    )
    record = run_job(spec)
    (trial,) = store.trials(record.uid)
    assert trial.state is TrialState.FAILED
    assert trial.message == "worker-1: sh ended with code 1"
    assert trial.metrics == {}


def test_an_mpi_launcher_starts_the_workers(
    run_job: RunJob, store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mpirun = tmp_path / "mpirun"
    mpirun.write_text('#!/bin/sh\ncat $OMPI_MCA_orte_default_hostfile\nshift 2\nexec "$@"\n')
    mpirun.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    spec = kubeflow_job(
        "MPIJob",
        "mpiReplicaSpecs",
        Launcher=(1, ["mpirun", "-np", "2", "echo", "acc=0.25"]),
        Worker=(2, ["/usr/sbin/sshd"]),
    )
    record = run_job(spec)
    assert store.trials(record.uid)[0].metrics["acc"].latest == 0.25


def test_init_containers_run_first(run_job: RunJob, store: Store, log_of: LogOf) -> None:
    spec = shell("echo second acc=1")
    spec["spec"]["template"]["spec"]["initContainers"] = [
        {"name": "init", "image": "x", "command": ["sh", "-c", "sleep 0.1; echo first"]}
    ]
    record = run_job(spec)
    assert log_of(record).split()[:2] == ["first", "second"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (job("no-such-program"), "there is no program 'no-such-program' on this machine"),
        (job(), "has no command"),
    ],
)
def test_what_cannot_run_here_fails_with_the_reason(
    run_job: RunJob, store: Store, spec: dict[str, Any], message: str
) -> None:
    record = run_job(spec)
    assert message in store.trials(record.uid)[0].message


def test_conditions_of_the_template_decide(run_job: RunJob, store: Store) -> None:
    template = {
        "successCondition": "status.[@this].#(succeeded==1)",
        "failureCondition": "status.[@this].#(failed==1)",
    }
    record = run_job(shell("echo acc=1"), template=template)
    assert store.trials(record.uid)[0].state is TrialState.SUCCEEDED


def test_namesakes_in_two_namespaces_keep_apart(run_job: RunJob, store: Store) -> None:
    first = run_job(shell("echo acc=1"), trials=2)
    document = first.document.model_copy(
        update={"metadata": first.document.metadata.model_copy(update={"namespace": "other"})}
    )
    from hpo_lab.facade.enrolling import enrol_prepared
    from hpo_lab.prepare import Prepared

    second = enrol_prepared(store, Prepared(document, {})).record
    assert second.uid != first.uid and store.trials(second.uid) == []


def test_a_reached_goal_stops_what_still_runs(run_job: RunJob, store: Store) -> None:
    script = "echo acc=0.9; case $KATIB_TRIAL_NAME in *-0) exit 0;; *) sleep 600;; esac"
    goal = {"type": "maximize", "objectiveMetricName": "acc", "goal": 0.8}
    record: ExperimentRecord = run_job(shell(script), trials=4, parallel=2, objective=goal)
    assert record.reason == "ExperimentGoalReached"
    states = {trial.number: trial.state for trial in store.trials(record.uid)}
    assert states[0] is TrialState.SUCCEEDED and TrialState.RUNNING not in states.values()


def test_a_job_finds_its_checkpoint_where_the_manifest_says(
    run_job: RunJob, store: Store, log_of: LogOf
) -> None:
    script = (
        "f=/var/log/katib/checkpoints/sum; test $f -ef $HPO_CHECKPOINT_DIR/sum && cat $f; "
        "echo $KATIB_TRIAL_NAME >> $f; echo acc=${trialParameters.x}"
    )
    given = {"suggestion_trial_dir": "/var/log/katib/checkpoints/", "n_population": "5"}
    record = run_job(
        shell(script),
        trials=8,
        parallel=4,
        algorithm={
            "algorithmName": "pbt",
            "algorithmSettings": [{"name": name, "value": text} for name, text in given.items()],
        },
    )
    trials = store.trials(record.uid)
    assert [trial.state for trial in trials] == [TrialState.SUCCEEDED] * 8
    ancestors: dict[int | None, list[str]] = {None: []}
    for trial in trials:
        found = [line for line in log_of(record, trial.number).splitlines() if "=" not in line]
        assert found == ancestors[trial.parent]
        ancestors[trial.number] = [*found, f"one-{trial.number}"]
    assert any(trial.parent is not None for trial in trials)
    assert not Path("/var/log/katib").exists()
