"""The words of a container as Katib's shell reads them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpo_lab.workload.replicas import replicas
from hpo_lab.workload.settings import WorkloadSettings
from hpo_lab.workload.shell_words import is_read_by_shell, reading_notes, shell_reading

from .conftest import RunJob, job, kubeflow_job

CODE = "import sys; print(f'acc={sys.argv[1]}')"


@pytest.mark.parametrize(
    ("words", "read"),
    [
        (["train", "--lr=0.1"], ["train", "--lr=0.1"]),
        (["train", '--lr="0.1"', "--opt='sgd'"], ["train", "--lr=0.1", "--opt=sgd"]),
        (["train", "--x=\"{'a': '1'}\""], ["train", "--x={'a': '1'}"]),
        (["python train.py", "--lr 0.1"], ["python", "train.py", "--lr", "0.1"]),
        (["train", "--out=$HOME"], ["sh", "-c", "train --out=$HOME"]),
        (["train", '--out="$HOME"'], ["sh", "-c", 'train --out="$HOME"']),
        (["train", "--out='$HOME'"], ["train", "--out=$HOME"]),
        (["prepare", "&&", "train"], ["sh", "-c", "prepare && train"]),
        (["SEED=1", "train"], ["sh", "-c", "SEED=1 train"]),
        (["sh", "-c", "echo a b"], ["sh", "-c", "echo a b"]),
        (["bash", "-c", "train", "--lr=0.1"], ["bash", "-c", "train --lr=0.1"]),
        (["sh", "-c", 'train "$1"', "x", "1"], ["sh", "-c", 'train "$1"', "x", "1"]),
        (["/bin/sh", "-c", "echo a b"], ["/bin/sh", "-c", "echo a b"]),
        (["python3", "-c", CODE, '"1"'], ["python3", "-c", CODE, "1"]),
        (["train", "--name=it's", '--lr="1"'], ["train", "--name=it's", "--lr=1"]),
    ],
)
def test_words_are_read_as_katibs_shell_reads_them(words: list[str], read: list[str]) -> None:
    assert shell_reading(words) == read


@given(st.lists(st.text("ab=-./\"' ", min_size=1, max_size=6), min_size=1, max_size=4))
@settings(deadline=None, max_examples=100)
def test_quotation_marks_are_read_as_by_the_shell(words: list[str]) -> None:
    line = " ".join(["printf", r"'%s\n'", "-", *words])
    shell = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    if shell.returncode == 0:
        printed = shell.stdout.splitlines()
        assert shell_reading(["program", "-", *words]) == ["program", *printed]


@pytest.mark.parametrize(
    ("words", "note"),
    [
        (["train", "--lr=0.1", "--layers=[64,32]", "{x}"], None),
        (["sh", "-c", "echo $HOME"], None),
        (["train", '--lr="1"'], "a shell reads the command, as in Katib, and changes '--lr=\"1\"'"),
        (["sh", "-c", "train", "x"], "a shell reads the command, as in Katib, and changes 'x'"),
        (["sh", "-c", "echo $1", "x"], "would add to the script 'x', which stays as it is here"),
        (["python", "-c", "import a; b()"], "would take apart 'import a; b()', which stays"),
    ],
)
def test_words_that_are_read_in_two_ways_are_told(words: list[str], note: str | None) -> None:
    notes = list(reading_notes(words))
    assert notes == [] if note is None else note in notes[0]


def test_only_the_primary_container_of_katibs_collectors_is_read_by_a_shell() -> None:
    (pod,) = replicas(job("a"))
    main, beside = pod.containers[0], {"name": "beside", "command": ["a"]}
    for collector, joins in {
        "StdOut": True,
        "File": True,
        "TensorFlowEvent": True,
        "Push": False,
        "PrometheusMetric": False,
        "Custom": False,
    }.items():
        given = WorkloadSettings(experiment="e", success="", failure="", collector=collector)
        assert is_read_by_shell(main, pod, given, is_primary=True) is joins
        assert not is_read_by_shell(beside, pod, given, is_primary=True)
    roles = kubeflow_job("PyTorchJob", "pytorchReplicaSpecs", Master=(1, ["a"]), Worker=(1, ["a"]))
    labels = {"training.kubeflow.org/job-role": "master"}
    given = WorkloadSettings(experiment="e", success="", failure="", pod_labels=labels)
    master, worker = replicas(roles)
    assert is_read_by_shell(master.containers[0], master, given, is_primary=False)
    assert not is_read_by_shell(worker.containers[0], worker, given, is_primary=False)


def test_a_trial_gets_the_words_of_the_shell(run_job: RunJob, log_of: Callable[..., str]) -> None:
    record = run_job(job("python", "-c", CODE, 'acc="${trialParameters.x}"'), name="read")
    assert "acc=acc=0." in log_of(record)
    pushed = run_job(
        job("python", "-c", CODE, '"1"'), name="unread", collector={"collector": {"kind": "Push"}}
    )
    assert 'acc="1"' in log_of(pushed)
