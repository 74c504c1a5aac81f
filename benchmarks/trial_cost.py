"""The cost of a further trial, compared: `python benchmarks/trial_cost.py [--rounds N]`.

    [--ray PYTHON]  an interpreter with Ray Tune; may be another interpreter than this

Every case runs the same code twice in a process of its own, with few trials and with many.
The difference in time, divided by the difference in the number of trials, is the cost of a
trial without the cost of the start. The cases take turns, so that changes in the speed of
the machine affect all of them, and the medians over the rounds are printed as a Markdown
table.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hpo_lab.options import TuneOptions
    from hpo_lab.prepare import Prepared

PARALLEL = 2
TUNED = "score = base - (x - 0.3) ** 2\nprint(score)"
SET_UPS = {
    "trivial": "base = 3",
    "libraries": (
        "import numpy as np\nimport torch\nfrom sklearn.datasets import load_digits\n"
        "from sklearn.linear_model import Ridge\ndata, target = load_digits(return_X_y=True)\n"
        "base = float(Ridge().fit(data, target).score(data, target))"
    ),
}


def hpo_lab(
    set_up: str,
    trials: int,
    folder: Path,
    *,
    tuned: str = TUNED,
    algorithm: str = "random",
    isolation: str | None = None,
) -> None:
    """The runner, its store and all, as `hpo-lab run` uses it."""
    from hpo_lab.notebook.parsed_cell import ParsedCell
    from hpo_lab.prepare.notebook import prepare_cell

    prepared = prepare_cell(
        f"x = 0.5  # tune: uniform(0, 1)\n{tuned}",
        [ParsedCell(set_up)],
        _options(trials, algorithm, isolation),
        where="cell",
        name="cost",
        working_directory=folder,
    )
    _run(prepared, trials, folder)


def _options(trials: int, algorithm: str = "random", isolation: str | None = None) -> TuneOptions:
    from hpo_lab.experiment.model import ObjectiveType
    from hpo_lab.options import TuneOptions

    return TuneOptions(
        direction=ObjectiveType.MAXIMIZE,
        metric="score",
        trials=trials,
        parallel=PARALLEL,
        algorithm=algorithm,
        isolation=isolation,
    )


def _run(prepared: Prepared, trials: int, folder: Path) -> None:
    """Run what was prepared to its end, in this process."""
    from hpo_lab.facade.enrolling import enrol_prepared
    from hpo_lab.local.runner import local_runner
    from hpo_lab.prepare import Prepared
    from hpo_lab.store import open_store

    store = open_store(folder / "hpo_lab.db")
    record = enrol_prepared(store, Prepared(prepared.experiment, prepared.files)).record
    local_runner(store, record.uid).run()
    done = sum(trial.state.value == "Succeeded" for trial in store.trials(record.uid))
    store.close()
    assert done == trials, f"{done} of {trials} succeeded"


def hpo_lab_kernels(set_up: str, trials: int, folder: Path) -> None:
    """The same with a kernel of its own for every trial, as for notebooks in other languages."""
    hpo_lab(set_up, trials, folder, isolation="kernel")


def hpo_lab_function(set_up: str, trials: int, folder: Path) -> None:
    """The same code as a Python function, as `hpo_lab.tune` runs it."""
    from hpo_lab.experiment.space import uniform
    from hpo_lab.prepare import prepare_function

    names: dict[str, Any] = {"__name__": "__main__"}
    exec(f"{set_up}\n{_function()}", names)
    prepared = prepare_function(names["objective"], {"x": uniform(0, 1)}, _options(trials))
    _run(prepared, trials, folder)


def _function() -> str:
    body = "\n".join(f"    {line}" for line in TUNED.splitlines())
    return f"def objective(x):\n{body}\n    return score"


def hpo_lab_manifest(set_up: str, trials: int, folder: Path) -> None:
    """The same code as a program that a Kubernetes job runs: set-up and all in every trial."""
    import yaml

    from hpo_lab.options import TuneOptions
    from hpo_lab.prepare import prepare_file, runs_here

    program, manifest = folder / "program.py", folder / "cost.yaml"
    lines = ["import sys", "x = float(sys.argv[1])", set_up, TUNED, "print(f'score={score}')"]
    program.write_text("\n".join(lines))
    command = [sys.executable, str(program), "${trialParameters.x}"]
    container = {"name": "main", "image": "none", "command": command}
    spec = {
        "maxTrialCount": trials,
        "parallelTrialCount": PARALLEL,
        "objective": {"type": "maximize", "objectiveMetricName": "score"},
        "algorithm": {"algorithmName": "random"},
        "parameters": [
            {
                "name": "x",
                "parameterType": "double",
                "feasibleSpace": {"min": "0", "max": "1"},
            }
        ],
        "trialTemplate": {
            "primaryContainerName": "main",
            "trialParameters": [{"name": "x", "reference": "x"}],
            "trialSpec": {
                "apiVersion": "batch/v1",
                "kind": "Job",
                "spec": {
                    "template": {"spec": {"restartPolicy": "Never", "containers": [container]}}
                },
            },
        },
    }
    kind = {"apiVersion": "kubeflow.org/v1beta1", "kind": "Experiment"}
    manifest.write_text(yaml.safe_dump({**kind, "metadata": {"name": "cost"}, "spec": spec}))
    _run(runs_here(prepare_file(manifest, TuneOptions(), None)), trials, folder)


def bare_fork(set_up: str, trials: int, folder: Path) -> None:
    """The least that an isolated trial can be: fork a warm IPython shell, run, collect.

    The same cells with the same shell's `run_cell`, their output captured and sent back
    through a pipe. Nothing is kept: no record, no notebook, no log.
    """
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    shell = InteractiveShell.instance()
    shell.run_cell(set_up)

    def start(number: int) -> int:
        reading, writing = os.pipe()
        if os.fork() == 0:
            with capture_output() as captured:
                for source in (f"x = {number / trials}", TUNED):
                    shell.run_cell(source)
            answer = {"score": shell.user_ns["score"], "output": captured.stdout}
            os.write(writing, json.dumps(answer).encode())
            os._exit(0)
        os.close(writing)
        return reading

    def collect(reading: int) -> None:
        json.loads(os.read(reading, 65536))
        os.close(reading)
        os.wait()

    running: list[int] = []
    for number in range(trials):
        if len(running) == PARALLEL:
            collect(running.pop(0))
        running.append(start(number))
    for reading in running:
        collect(reading)


def _notebook(set_up: str, folder: Path) -> Path:
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    path = folder / "notebook.ipynb"
    cells = [
        new_code_cell(set_up),
        new_code_cell("x = 0.5", metadata={"tags": ["parameters"]}),
        new_code_cell(TUNED),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path


def papermill_loop(set_up: str, trials: int, folder: Path) -> None:
    """`papermill.execute_notebook` in a loop; it changes the folder of the process."""
    import papermill

    path = str(_notebook(set_up, folder))
    for number in range(trials):
        output = str(folder / f"{number}.ipynb")
        values = {"x": number / trials}
        papermill.execute_notebook(path, output, parameters=values, progress_bar=False)


def papermill_command(set_up: str, trials: int, folder: Path) -> None:
    """The command `papermill`, two at a time."""
    path = _notebook(set_up, folder)

    def run(number: int) -> None:
        output = folder / f"{number}.ipynb"
        command = [sys.executable, "-m", "papermill", "--no-progress-bar", str(path), str(output)]
        subprocess.run(
            [*command, "-p", "x", str(number / trials)], check=True, stderr=subprocess.DEVNULL
        )

    with ThreadPoolExecutor(PARALLEL) as pool:
        list(pool.map(run, range(trials)))


def optuna_sqlite(set_up: str, trials: int, folder: Path) -> None:
    """Optuna with SQLite storage, the code run in two processes without isolation."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = f"sqlite:///{folder / 'optuna.db'}"
    optuna.create_study(storage=storage, study_name="cost", direction="maximize")
    names: dict[str, object] = {}
    exec(set_up, names)
    code = compile(TUNED, "cell", "exec")

    def objective(trial: optuna.Trial) -> float:
        scope = {**names, "x": trial.suggest_float("x", 0, 1)}
        exec(code, scope)
        return float(str(scope["score"]))

    for share in (trials // 2, trials - trials // 2):
        if os.fork() == 0:
            sampler = optuna.samplers.RandomSampler()
            study = optuna.load_study(storage=storage, study_name="cost", sampler=sampler)
            study.optimize(objective, n_trials=share)
            os._exit(0)
    os.wait()
    os.wait()


def optuna_in_process(set_up: str, trials: int, folder: Path) -> None:
    """Optuna in memory, the code called as a function: nothing is kept, nothing is isolated."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    names: dict[str, Any] = {}
    exec(f"{set_up}\n{_function()}", names)
    objective = names["objective"]
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler())
    study.optimize(lambda trial: objective(trial.suggest_float("x", 0, 1)), trials)


def optuna_joblib(set_up: str, trials: int, folder: Path) -> None:
    """A study that as many processes of joblib share, which call the code as a function."""
    import joblib
    import optuna
    from optuna.storages.journal import JournalFileBackend, JournalStorage

    def storage() -> JournalStorage:
        return JournalStorage(JournalFileBackend(str(folder / "journal.log")))

    def share(count: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        names: dict[str, Any] = {}
        exec(f"{set_up}\n{_function()}", names)
        sampler = optuna.samplers.RandomSampler()
        study = optuna.load_study(storage=storage(), study_name="cost", sampler=sampler)
        study.optimize(lambda t: names["objective"](t.suggest_float("x", 0, 1)), count)

    optuna.create_study(storage=storage(), study_name="cost", direction="maximize")
    joblib.Parallel(PARALLEL)(
        joblib.delayed(share)(count) for count in (trials // 2, trials - trials // 2)
    )


def ray_tune(set_up: str, trials: int, folder: Path) -> None:
    """Ray Tune, two at a time."""
    from ray import tune

    def trainable(config: dict[str, float]) -> None:
        scope: dict[str, object] = {"x": config["x"]}
        exec(set_up + "\n" + TUNED, scope)
        tune.report({"score": scope["score"]})

    tune.Tuner(
        trainable,
        param_space={"x": tune.uniform(0, 1)},
        tune_config=tune.TuneConfig(num_samples=trials, max_concurrent_trials=PARALLEL),
        run_config=tune.RunConfig(storage_path=str(folder)),
    ).fit()


Case = Callable[[str, int, Path], None]


@dataclass(frozen=True)
class Plan:
    """A case, and with how many trials its cost is taken."""

    run: Case
    few: int
    many: dict[str, int]


PLANS = {
    "hpo_lab": Plan(hpo_lab, 4, {"trivial": 204, "libraries": 204}),
    "hpo_lab, kernels": Plan(hpo_lab_kernels, 2, {"trivial": 12, "libraries": 6}),
    "hpo_lab, function": Plan(hpo_lab_function, 4, {"trivial": 204}),
    "hpo_lab, manifest": Plan(hpo_lab_manifest, 2, {"trivial": 22, "libraries": 6}),
    "bare fork": Plan(bare_fork, 4, {"trivial": 204, "libraries": 204}),
    "papermill, loop": Plan(papermill_loop, 1, {"trivial": 5, "libraries": 3}),
    "papermill, command": Plan(papermill_command, 2, {"trivial": 6, "libraries": 4}),
    "Optuna, in process": Plan(optuna_in_process, 4, {"trivial": 1004}),
    "Optuna, joblib": Plan(optuna_joblib, 4, {"trivial": 204}),
    "Optuna, SQLite": Plan(optuna_sqlite, 4, {"trivial": 54, "libraries": 54}),
}
RAY = "Ray Tune"
RAY_PLAN = Plan(ray_tune, 2, {"trivial": 22, "libraries": 10})


@dataclass(frozen=True)
class Cost:
    """Seconds of wall and CPU time, and bytes of memory of the largest process."""

    wall: float
    cpu: float
    memory: float


def _measured(python: str, name: str, kind: str, trials: int, place: str) -> Cost:
    """One run of a case in a process of its own, with everything below it."""
    folder = tempfile.mkdtemp(dir=place)
    command = [python, __file__, "--run", name, kind, str(trials), folder]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    if status:
        raise SystemExit(f"{name} failed")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def _per_trial(name: str, kind: str, python: str, place: str) -> Cost:
    plan = PLANS[name]
    few = _measured(python, name, kind, plan.few, place)
    many = _measured(python, name, kind, plan.many[kind], place)
    more = plan.many[kind] - plan.few
    return Cost((many.wall - few.wall) / more, (many.cpu - few.cpu) / more, many.memory)


def _rows(costs: dict[str, list[Cost]]) -> Iterator[tuple[str, ...]]:
    def median(name: str, field: str) -> float:
        return statistics.median(getattr(cost, field) for cost in costs[name])

    for name in costs:
        wall, cpu = median(name, "wall"), median(name, "cpu")
        yield (
            name,
            f"{1000 * wall:.1f}",
            f"{wall / median('hpo_lab', 'wall'):.2f}",
            f"{1000 * cpu:.1f}",
            f"{cpu / median('hpo_lab', 'cpu'):.2f}",
            f"{median(name, 'memory') / 1e6:.0f}",
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kind", choices=SET_UPS, action="append")
    parser.add_argument("--case", choices=[*PLANS, RAY], action="append")
    parser.add_argument("--ray", metavar="PYTHON", help="an interpreter that has Ray Tune")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    parser.add_argument("--run", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ray or (options.run and options.run[0] == RAY):
        PLANS[RAY] = RAY_PLAN
    if options.run:
        name, kind, trials, folder = options.run
        PLANS[name].run(SET_UPS[kind], int(trials), Path(folder))
        return
    # Here, because the interpreter that has Ray has not what this needs.
    from tables import publish, setting, table

    header = (
        *("", "wall ms a trial", "times hpo_lab"),
        *("CPU ms a trial", "times hpo_lab", "memory MB"),
    )
    for kind in options.kind or SET_UPS:
        costs: dict[str, list[Cost]] = {
            name: [] for name in options.case or PLANS if kind in PLANS[name].many
        }
        # Removed at the end: on ext4 whoever makes a file pays for those deleted before.
        with tempfile.TemporaryDirectory() as place:
            for _ in range(options.rounds):
                for name in costs:
                    python = options.ray if name == RAY else sys.executable
                    costs[name].append(_per_trial(name, kind, python, place))
        publish(
            f"trial-cost-{kind}",
            [
                *table(header, _rows(costs)),
                "",
                f"{PARALLEL} at a time, medians of {options.rounds} rounds. "
                + setting("hpo_lab", "ipython", "papermill", "optuna"),
            ],
            write=options.write,
        )


if __name__ == "__main__":
    main()
