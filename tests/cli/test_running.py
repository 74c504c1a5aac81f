from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest

import hpo_lab
from hpo_lab.experiment.trial import TrialState
from hpo_lab.facade.experiments import Experiments
from hpo_lab.local.launch import launch
from hpo_lab.local.place import trial_folder
from hpo_lab.problems import InvalidInput
from hpo_lab.trial.folder import METRICS


def quick(x: float) -> float:
    return -((x - 2) ** 2)


def slow(x: float) -> float:
    time.sleep(30)
    return x


def stubborn(x: float) -> float:
    """Outlive the first request to end, and tell when that can be tried."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    hpo_lab.report(score=x)
    time.sleep(30)
    return x


def waiting(x: float) -> float:
    """Wait for the file that says so, so that a test decides when trials end."""
    while not (Path(os.environ["HOME"]) / "go").exists():
        time.sleep(0.02)
    return x


def states(store: Any, uid: str) -> list[TrialState]:
    return [trial.state for trial in store.trials(uid)]


def is_running(store: Any, uid: str) -> bool:
    return TrialState.RUNNING in states(store, uid)


def test_run_and_resume_in_the_foreground(cli: Any, enrolled: Any, store: Any) -> None:
    record = enrolled(quick, name="quick", trials=2)
    first = cli("resume", "quick")
    assert first.exit_code == 0
    assert "Finished (2/2 trials)" in first.stdout
    assert "new best: score" in first.stderr
    complete = cli("resume", "quick")
    assert complete.exit_code == 2
    assert "raise a budget to continue, for example --trials above 2" in complete.stderr
    unfit = cli("resume", "quick", "--trials", "3", "--parallel", "4")
    assert unfit.exit_code == 2
    assert "--parallel: is 4; must be less than or equal to --trials, 3" in unfit.stderr
    more = cli("resume", "quick", "--trials", "3", "--json")
    assert more.exit_code == 0
    document = json.loads(more.stdout)
    assert (document["state"], document["trials"]) == ("Succeeded", {"Succeeded": 3})
    assert "continues after 2 trials" in more.stderr
    assert states(store, record.uid) == [TrialState.SUCCEEDED] * 3


def test_no_result_is_a_failure(cli: Any, enrolled: Any) -> None:
    def fails(x: float) -> float:
        raise ValueError("out of luck")

    enrolled(fails, name="fails", trials=5, max_failed=1, parallel=1)
    result = cli("resume", "fails", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["state"] == "Failed"
    assert "trial 0 failed: ValueError: out of luck" in result.stderr


@pytest.mark.parametrize("signum, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_cleanly(
    enrolled: Any, store: Any, hpo_lab_process: Any, wait_until: Any, signum: int, code: int
) -> None:
    record = enrolled(slow, name="slow", trials=3, parallel=1)
    process = hpo_lab_process("resume", "slow", "--store", store.location, "--json")
    wait_until(lambda: is_running(store, record.uid))
    process.send(signum)
    assert process.wait() == code
    assert json.loads(process.stdout)["state"] == "Stopped"
    assert store.command("resume slow") in process.stderr
    assert states(store, record.uid) == [TrialState.CREATED]
    assert not store.named("slow")[0].is_active(time.time())


def test_a_second_signal_leaves_at_once(
    enrolled: Any, store: Any, hpo_lab_process: Any, wait_until: Any
) -> None:
    record = enrolled(stubborn, name="stubborn", trials=1)
    process = hpo_lab_process("resume", "stubborn")
    wait_until(lambda: (trial_folder(store.folder(record.uid), 0) / METRICS).exists())
    process.send(signal.SIGINT)
    wait_until(lambda: "Stopping" in process.stderr)
    process.send(signal.SIGINT)
    assert process.wait() == 130
    assert "will run again when it is resumed" in process.stderr
    assert states(store, record.uid) == [TrialState.RUNNING]


def test_a_running_experiment_is_followed(
    enrolled: Any, store: Any, hpo_lab_process: Any, wait_until: Any
) -> None:
    record = enrolled(waiting, name="waiting", trials=1)
    launch(store, record)
    wait_until(lambda: is_running(store, record.uid))
    interrupted = hpo_lab_process("resume", "waiting")
    wait_until(lambda: "following" in interrupted.stderr)
    interrupted.send(signal.SIGINT)
    assert interrupted.wait() == 130
    assert "the experiment runs on" in interrupted.stderr
    assert is_running(store, record.uid)
    process = hpo_lab_process("resume", "waiting")
    wait_until(lambda: "following" in process.stderr)
    (Path(os.environ["HOME"]) / "go").touch()
    assert process.wait() == 0
    assert "Finished (1/1 trial)" in process.stdout


def test_stop_and_delete_from_elsewhere(
    cli: Any, enrolled: Any, store: Any, hpo_lab_process: Any, wait_until: Any
) -> None:
    record = enrolled(slow, name="slow", trials=1)
    process = hpo_lab_process("resume", "slow")
    wait_until(lambda: is_running(store, record.uid))
    assert json.loads(cli("stop", "slow", "--wait", "--json").stdout)["state"] == "Stopped"
    assert process.wait() == 130
    again = hpo_lab_process("resume", "slow")
    wait_until(lambda: is_running(store, record.uid))
    assert cli("delete", "slow", "--yes").exit_code == 0
    assert again.wait() in (1, 130)
    assert store.experiments() == []
    assert "Traceback" not in again.stderr


CELL = """%%tune maximize accuracy --trials 2 --parallel 1
import time
lr = 0.1  # tune: uniform(0, 1)
time.sleep(pause)
accuracy = 1 - lr
"""


def test_a_notebook_survives_interrupts_and_kills(
    cli: Any, notebook: Any, store: Any, hpo_lab_process: Any, wait_until: Any
) -> None:
    path = notebook("pause = 0.3", CELL)
    first = hpo_lab_process("run", path)
    wait_until(lambda: (records := store.named("cells")) and is_running(store, records[0].uid))
    uid = store.named("cells")[0].uid
    first.send(signal.SIGINT)
    assert first.wait() == 130
    assert "To continue: hpo-lab resume cells" in first.stderr

    second = hpo_lab_process("resume", "cells")
    wait_until(lambda: is_running(store, uid))
    second.send(signal.SIGKILL)
    second.wait()

    last = hpo_lab_process("run", path)
    assert last.wait() == 0
    assert states(store, uid) == [TrialState.SUCCEEDED] * 2
    best = json.loads(cli("best", "cells", "--json").stdout)["best"]
    assert best["notebook"] in last.stdout
    assert Path(best["notebook"]).exists()
    row = next(line.split() for line in last.stdout.splitlines() if line.startswith("lr"))
    assert row[:2] == ["lr", "0.1"]

    complete = cli("run", path, "--json")
    assert complete.exit_code == 0
    assert json.loads(complete.stdout)["best"]["trial"] == best["trial"]
    assert "is complete" in complete.stderr


MANIFEST = """
apiVersion: hpolab.dev/v1beta1
kind: Experiment
metadata: {name: manifest, namespace: lab}
spec:
  objective: {type: maximize, objectiveMetricName: accuracy}
  algorithm: {algorithmName: random}
  maxTrialCount: 3
  parameters:
  - {name: lr, parameterType: double, feasibleSpace: {min: "0.1", max: "0.2"}}
  trialTemplate:
    trialSpec: {apiVersion: hpolab.dev/v1beta1, kind: Identity}
"""

KIND = """
from hpo_lab import report
def run(task, folder):
    report(accuracy=task.assignments["lr"])
"""


def test_a_manifest_with_a_kind_of_somebody_else(
    cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hpo_lab_process: Any
) -> None:
    (tmp_path / "identity_kind.py").write_text(KIND)
    metadata = tmp_path / "identity_kind-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: identity_kind\n")
    (metadata / "entry_points.txt").write_text(
        "[hpo_lab.trial_kinds]\nIdentity = identity_kind:run\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    path = tmp_path / "manifest.yaml"
    path.write_text(MANIFEST)
    process = hpo_lab_process("run", path, "--json")
    assert process.wait() == 0, process.stderr
    document = json.loads(process.stdout)
    assert document["trials"] == {"Succeeded": 3}
    assert document["best"]["value"] == document["best"]["parameters"]["lr"]
    assert json.loads(cli("best", "lab/manifest", "--json").stdout)["name"] == "manifest"


def test_a_file_and_the_name_of_its_experiment_mean_the_same(
    cli: Any, notebook: Any, store: Any, tmp_path: Path
) -> None:
    path = notebook("pause = 0", CELL)
    assert "cells: no such experiment" in cli("show", path).stderr
    assert cli("run", path).exit_code == 0
    uid = store.named("cells")[0].uid
    assert json.loads(cli("show", path, "--json").stdout)["uid"] == uid
    assert cli("trials", path).stdout == cli("trials", "cells").stdout
    more = cli("run", "cells", "--trials", "3")
    assert (more.exit_code, "Finished (3/3 trials)" in more.stdout) == (0, True)
    assert len(store.trials(uid)) == 3
    assert cli("resume", path, "--trials", "4").exit_code == 0
    assert cli("delete", path, "--yes").exit_code == 0
    assert store.experiments() == []
    assert path.exists()


JOB = """
apiVersion: hpolab.dev/v1beta1
kind: Experiment
metadata: {name: manifest}
spec:
  objective: {type: maximize, objectiveMetricName: score}
  algorithm: {algorithmName: tpe, algorithmSettings: [{name: gamma, value: "0.2"}]}
  maxTrialCount: 3
  parallelTrialCount: 1
  parameters:
  - {name: x, parameterType: double, feasibleSpace: {min: "0.1", max: "0.2"}}
  trialTemplate:
    primaryContainerName: main
    trialParameters: [{name: x, reference: x}]
    trialSpec:
      apiVersion: batch/v1
      kind: Job
      spec:
        template:
          spec:
            restartPolicy: Never
            containers:
            - {name: main, image: any, command: [echo, "score=${trialParameters.x}"]}
"""


def test_options_win_over_a_manifest_and_that_is_said(cli: Any, store: Any, tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(JOB)
    options = ["--trials", "2", "--name", "other", "--algorithm", "random", "--minimize", "score"]
    result = cli("run", path, *options, "--parallel", "1", "--json")
    assert result.exit_code == 0
    assert (
        "job.yaml is overridden: minimize score instead of maximize score, --trials 2 instead of "
        "3, --algorithm random instead of tpe, --name other instead of manifest.\n"
    ) in result.stderr
    (record,) = store.experiments()
    spec = record.document.spec
    assert (record.name, spec.max_trial_count, spec.algorithm.settings) == ("other", 2, {})
    values = [trial.assignments["x"] for trial in store.trials(record.uid)]
    assert json.loads(result.stdout)["best"]["value"] == min(values)


def test_fewer_trials_lower_the_counts_that_nobody_said(
    cli: Any, enrolled: Any, store: Any, tmp_path: Path
) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(JOB.replace("Count: 1", "Count: 2\n  maxFailedTrialCount: 3"))
    both = cli("run", path, "--trials", "1", "--parallel", "2")
    assert both.exit_code == 2
    assert "--parallel: is 2; must be less than or equal to --trials, 1" in both.stderr
    result = cli("run", path, "--trials", "1")
    assert result.exit_code == 0
    assert (
        "job.yaml is overridden: --trials 1 instead of 3, so --parallel 1 instead of 2, "
        "--max-failed 1 instead of 3.\n"
    ) in result.stderr
    record = enrolled(quick, name="quick", trials=4, parallel=3, max_failed=3)
    resumed = cli("resume", "quick", "--trials", "2")
    assert resumed.exit_code == 0 and "--trials 2 needs --parallel 2, too.\n" in resumed.stderr
    spec = store.experiment_by_uid(record.uid).document.spec
    assert (spec.max_trial_count, spec.parallel_trial_count) == (2, 2)
    assert spec.max_failed_trial_count == 3


def test_a_bare_name_means_the_only_experiment_of_it_in_any_namespace(
    cli: Any, store: Any, tmp_path: Path
) -> None:
    path = tmp_path / "job.yaml"
    job = JOB.replace("maxTrialCount: 3", "maxTrialCount: 1")
    for namespace in ("ml", "prod"):
        path.write_text(
            job.replace("{name: manifest}", f"{{name: manifest, namespace: {namespace}}}")
        )
        assert cli("run", path).exit_code == 0
        if namespace == "ml":
            logged = cli("logs", "manifest", "0")
            assert logged.stdout.startswith("score=0.1")
            assert logged.stderr.startswith("ml/manifest of ")
            assert Experiments(store).find("manifest").title == "ml/manifest"
            with pytest.raises(InvalidInput, match="no such experiment; known are ml/manifest"):
                Experiments(store).find("manifest", "prod")
    several = cli("logs", "manifest", "0")
    assert several.exit_code == 2
    assert "several namespaces have one; say which: ml/manifest, prod/manifest" in several.stderr
    assert cli("logs", "prod/manifest", "0").exit_code == 0


def test_validate_shows_space_and_decisions(cli: Any, notebook: Any, store: Any) -> None:
    path = notebook("pause = 0.3", "print('hello')", CELL)
    shown = cli("validate", path)
    assert shown.exit_code == 0
    lines = shown.stdout.splitlines()
    assert lines[:2] == ["ok", "maximize accuracy, algorithm tpe, 2 trials, 1 at a time"]
    assert any(line.split()[:1] == ["lr"] and "uniform(" in line for line in lines)
    document = json.loads(cli("validate", path, "--json").stdout)
    assert [decision["kept"] for decision in document["decisions"]] == [True, False]
    assert store.experiments() == []


def test_a_set_up_that_fails_is_given_up_and_says_which_cell(
    cli: Any, notebook: Any, store: Any
) -> None:
    path = notebook(
        "start = 1",
        "data = open('missing.csv').read()",
        "%%tune maximize accuracy --trials 30 --parallel 2\n"
        "x = 0.5  # tune: uniform(0, 1)\naccuracy = x + len(data) + start",
    )
    result = cli("run", path)
    assert result.exit_code == 1
    assert "trials failed with FileNotFoundError: [Errno 2]" in result.stdout
    assert "In the set-up, which all trials share, cell 2:" in result.stdout
    assert "Cell 2, line 1" in result.stdout
    assert "----> 1 data = open('missing.csv').read()" in result.stdout
    assert "More: hpo-lab logs cells" in result.stdout
    assert "To try again: hpo-lab resume cells; with --max-failed 30" in result.stdout
    uid = store.named("cells")[0].uid
    assert 4 <= len(store.trials(uid)) < 12
    (Path(path).parent / "missing.csv").write_text("")
    assert cli("resume", "cells").exit_code == 0
    assert len(store.trials(uid)) == 30
    status = cli("show", "cells", "-o", "json").stdout
    assert "ExperimentTrialsFailAlike" not in status


def test_validate_runs_the_notebook_whole_and_sliced(cli: Any, notebook: Any) -> None:
    path = notebook("xs = [1]", "accuracy = 0.1", "pause = 0.3", CELL)
    shown = cli("validate", path, "--execute")
    assert shown.exit_code == 0
    assert "the slice gives what the whole notebook gives" in shown.stdout
    assert "the metric accuracy" in shown.stdout


def test_an_interrupted_check_says_so_and_ends_its_kernel(
    notebook: Any, hpo_lab_process: Any, wait_until: Any
) -> None:
    path = notebook(
        "import os, time\nopen('pid', 'w').write(f'{os.getpid()}.')\ntime.sleep(600)",
        "%%tune minimize loss\nk = 1  # tune: int(1, 3)\nloss = k * time.time()",
    )
    pid = Path(path).parent / "pid"
    process = hpo_lab_process("validate", path, "--execute")
    wait_until(lambda: pid.exists() and pid.read_text().endswith("."))
    process.send(signal.SIGINT)
    assert process.wait() == 130
    said = "Stopped before the whole notebook and the slice had run to their end.\n"
    assert process.stderr == said
    assert not psutil.pid_exists(int(pid.read_text()[:-1]))


def test_validate_says_that_a_notebook_is_not_the_same_twice(cli: Any, notebook: Any) -> None:
    path = notebook(
        "import os\nx = [os.urandom(8)]",
        "%%tune minimize loss\nk = 1  # tune: int(1, 3)\nloss = k * len(x)",
    )
    shown = cli("validate", path, "--execute")
    assert shown.exit_code == 1
    said = "the notebook is not the same twice: x differs although no cell is left out"
    assert said in " ".join((shown.stdout + shown.stderr).split())


def test_validate_says_what_the_slice_gives_otherwise(cli: Any, tmp_path: Path) -> None:
    cells = [
        "xs = [1]",
        "xs.append(2)",
        "%%tune minimize loss\nk = 1  # tune: int(1, 3)\nloss = len(xs)",
    ]
    written = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    written.cells[1].metadata["tags"] = ["tune-skip"]
    path = tmp_path / "cells.ipynb"
    nbformat.write(written, path)
    compared = cli("validate", path, "--execute", "--json")
    assert compared.exit_code == 1
    assert json.loads(compared.stdout)["comparison"]["differing"] == ["xs", "the metric loss"]


def test_a_second_tuned_cell_reads_what_the_first_leaves(cli: Any, notebook: Any) -> None:
    path = notebook(
        "x = 2.0",
        "%%tune minimize loss --trials 2\nk = 1.0  # tune: uniform(0, 2)\nfitted = loss = k * x",
        "%%time\n%%tune minimize loss2 --trials 1 --seed 0\n"
        "m = 1.0  # tune: uniform(0, 2)\nloss2 = m * fitted + k",
    )

    result = cli("run", path, "--cell", "3", "--json")

    assert json.loads(result.stdout)["best"]["value"] == 3.0


def test_a_kernel_that_is_gone_is_replaced_when_an_experiment_is_resumed(
    cli: Any, notebook: Any
) -> None:
    kernel = Path(os.environ["JUPYTER_DATA_DIR"]) / "kernels" / "ml" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel.write_text(json.dumps({"argv": argv, "display_name": "ML", "language": "python"}))
    path = notebook("%%tune minimize loss --trials 1\nk = 1.0  # tune: uniform(0, 2)\nloss = k")
    assert cli("run", path, "--kernel", "ml").exit_code == 0
    kernel.unlink()

    result = cli("resume", "cells", "--trials", "2", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["trials"]["Succeeded"] == 2
    assert (
        "warning: cells: this machine does not have its kernel 'ml'; the trials run in 'python3', "
        f"which is {sys.executable} (run its file with --kernel NAME to choose; there are python3)"
    ) in " ".join(result.stderr.split())


def test_an_open_pool_has_the_trials_run_in_kernels(cli: Any, notebook: Any) -> None:
    path = notebook(
        "from multiprocessing import Pool\ndef sq(x): return x * x\npool = Pool(2)",
        "%%tune minimize loss --trials 1 --seed 0\nk = 1.0  # tune: uniform(0, 2)\n"
        "loss = k * sum(pool.map(sq, range(3)))",
    )

    result = cli("run", path)

    assert result.exit_code == 0
    assert "itself, because the process pool 'pool' is open" in " ".join(result.stderr.split())


def test_a_set_up_that_never_ends_can_be_stopped(
    hpo_lab_process: Any, notebook: Any, tmp_path: Path, wait_until: Any
) -> None:
    path = notebook(
        f"import time\nopen({str(tmp_path / 'begun')!r}, 'w').close()\ntime.sleep(600)\nx = 1",
        "%%tune minimize loss --trials 1\nk = 1.0  # tune: uniform(0, 2)\nloss = k * x",
    )
    process = hpo_lab_process("run", path)
    wait_until((tmp_path / "begun").exists)

    process.send(signal.SIGTERM)

    assert process.wait(30) == 143


@pytest.mark.parametrize("option", [[], ["--store", "chosen.db"]])
def test_the_store_of_the_cell_is_obeyed_unless_another_is_chosen(
    cli: Any, notebook: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    line = "%%tune minimize loss --trials 1 --store own.db"
    path = notebook(f"{line}\nx = 1.0  # tune: uniform(0, 1)\nloss = x")
    assert cli("run", str(path), *option).exit_code == 0
    assert [*map(str, Path().glob("*.db"))] == [option[-1] if option else "own.db"]


def test_a_cell_that_is_only_to_be_shown_is_not_run(cli: Any, notebook: Any) -> None:
    line = "%%tune minimize loss --trials 1 --dry-run"
    path = notebook(f"{line}\nx = 1.0  # tune: uniform(0, 1)\nloss = x")
    refused = cli("run", str(path))
    assert refused.exit_code == 2
    assert (
        f"--dry-run on the line of %%tune: hpo-lab validate {Path(path).name} does it"
        in refused.stderr
    )
    assert cli("validate", path).exit_code == 0
