"""Notebooks, manifests and Optuna studies, turned into one another."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
import optuna
import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hpo_lab.cli import main
from hpo_lab.experiment.identity import identity
from hpo_lab.experiment.manifest import dump
from hpo_lab.experiment.trial import Metric, Trial, TrialState
from hpo_lab.facade.another import AnotherExperiment
from hpo_lab.facade.enrolling import enrol_prepared
from hpo_lab.options import TuneOptions, parse_line
from hpo_lab.prepare import Prepared, prepare_manifest, prepare_notebook
from hpo_lab.prepare.exchange import manifest_of, notebook_of
from hpo_lab.problems import InvalidInput
from hpo_lab.search.studies import copy_to_study, experiment_of_study
from hpo_lab.store import open_store
from tests.manifest_reading import parse

CELL = """%%tune maximize score --trials 4 --seed 3 --goal 0.5
x = 1.0  # tune: loguniform(0.5, 5)
depth = 3  # tune: int(1, 9, step=2)
opt = 'a'  # tune: choice("a", "b")
beta = 0.5  # tune: uniform(0, 1) when opt == "b"
score = base - x * depth  # better with less
"""


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    path = tmp_path / "cells.ipynb"
    write(path, "base = 3", "unused = 1", CELL)
    return path


def write(path: Path, *sources: str) -> None:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    metadata = {"kernelspec": {"name": "python3", "display_name": "P", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)


def cli(*words: str | Path) -> Result:
    return CliRunner(catch_exceptions=False).invoke(main, [str(word) for word in words])


def test_a_notebook_becomes_a_manifest_and_comes_back(notebook: Path, tmp_path: Path) -> None:
    manifest, back = tmp_path / "cells.yaml", tmp_path / "back.ipynb"
    assert cli("convert", notebook, "-o", manifest).exit_code == 0
    assert cli("convert", manifest, "--to", "notebook", "-o", back).exit_code == 0

    original = prepare_notebook(notebook, TuneOptions())
    carried = prepare_manifest(manifest)
    assert identity(carried.experiment.spec) == identity(original.experiment.spec)
    executed = json.loads(carried.files["notebook.ipynb"][1])
    assert [cell["source"] for cell in executed["cells"]] == [
        cell["source"]
        for cell in nbformat.reads(original.files["notebook.ipynb"][1].decode(), 4)["cells"]
    ]
    returned = prepare_notebook(back, TuneOptions())
    before, after = original.experiment.spec, returned.experiment.spec
    assert after.parameters == before.parameters
    assert after.objective == before.objective
    assert (after.max_trial_count, after.seed) == (before.max_trial_count, before.seed)
    assert returned.experiment.name == original.experiment.name


def test_code_that_is_edited_in_a_manifest_is_another_experiment(
    notebook: Path, tmp_path: Path
) -> None:
    manifest = tmp_path / "cells.yaml"
    cli("convert", notebook, "-o", manifest)
    with closing(open_store(tmp_path / "store.db")) as store:
        record = enrol_prepared(store, prepare_manifest(manifest)).record
        assert enrol_prepared(store, prepare_manifest(manifest)).record.uid == record.uid
        manifest.write_text(manifest.read_text().replace("base = 3", "base = 4"))
        with pytest.raises(
            AnotherExperiment, match=r"line 1: has changed\n +- base = 3\n"
        ) as error:
            enrol_prepared(store, prepare_manifest(manifest))
    assert len(error.value.problems) == 1


def test_a_manifest_that_holds_no_notebook_is_refused(notebook: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "cells.yaml"
    cli("convert", notebook, "-o", manifest)
    manifest.write_text(manifest.read_text().replace("cell_type:", "type:"))
    with pytest.raises(InvalidInput, match=r"spec\.notebook: no trial notebook"):
        prepare_manifest(manifest)


RULES = st.sampled_from(["medianstop", "medianstop:start_step=2,min_trials_required=4"])
LINES = {
    "algorithm": st.sampled_from(
        ["random", "tpe --setting gamma=0.2", "random --setting random_state=3"]
    ),
    "parallel": st.integers(1, 2),
    "trials": st.integers(2, 10**9),
    "constraint": st.sampled_from(["depth<=7", "depth<=7 --constraint 'depth >= 2.5'"]),
    "early-stopping": RULES,
    "goal": st.floats(allow_nan=False, allow_infinity=False),
    "seed": st.integers(0, 2**40),
    "warm-start": st.sampled_from(["before", "team/before --warm-start other"]),
    "name": st.sampled_from(["other-name"]),
    "timeout": st.sampled_from(["10m", "0.5", "2d", "0.0000001"]),
    "trial-timeout": st.sampled_from(["90s", "1.25"]),
    "trial-memory": st.sampled_from(["512M", "1000001", "2G"]),
    "trial-output": st.sampled_from(["1k", "3"]),
    "isolation": st.sampled_from(["auto", "fork", "kernel"]),
    "keep": st.sampled_from(["all", "best", "failed", "none"]),
    "max-failed": st.integers(1, 2),
    "additional-metric": st.sampled_from(["base", "base --additional-metric x"]),
    "strategy": st.sampled_from(["score=latest", "score=min"]),
}
OBJECTIVES = st.sampled_from(["minimize score", "maximize score, minimize beta"])


@settings(max_examples=20)
@given(OBJECTIVES, st.fixed_dictionaries({}, optional=LINES))
def test_notebook_to_manifest_and_back_is_the_identity(
    objectives: str, said: dict[str, object]
) -> None:
    # Trials with several objectives cannot be stopped early.
    assume("early-stopping" not in said or "," not in objectives)
    options = " ".join(f"--{name} {value}" for name, value in said.items())
    body = CELL.partition("\n")[2]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "cells.ipynb"
        write(path, "base = 3", "unused = 1", f"%%tune {objectives} {options}\n{body}")
        first = manifest_of(path)
        manifest = Path(folder) / "cells.yaml"
        manifest.write_text(dump(first))
        notebook, warnings = notebook_of(prepare_manifest(manifest))
        path.write_text(json.dumps(notebook))
        assert warnings == []
        # The cell that nothing needs is gone, so the tuned cell has another number.
        again = dump(manifest_of(path)).replace("name: cell 2", "name: cell 3")
        assert again == dump(first)


def test_a_line_that_loads_the_magics_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "cells.ipynb"
    write(path, "%load_ext hpo_lab\nbase = 3", CELL)
    prepared = prepare_notebook(path, TuneOptions())
    back, _ = notebook_of(prepared)
    assert "%load_ext hpo_lab" in "".join(back["cells"][0]["source"]).splitlines()


def test_what_a_cell_cannot_say_is_told(notebook: Path, tmp_path: Path) -> None:
    document = yaml.safe_load(dump(manifest_of(notebook)))
    spec = document["spec"]
    del spec["maxTrialCount"]
    spec["resumePolicy"] = "Never"
    spec["parameters"][0]["feasibleSpace"]["min"] = "0.25"
    manifest, back = tmp_path / "cells.yaml", tmp_path / "back.ipynb"
    manifest.write_text(yaml.safe_dump(document))
    converted = cli("convert", manifest, "--to", "notebook", "-o", back)
    assert converted.exit_code == 0
    assert "spec.maxTrialCount: is dropped" in converted.stderr
    assert "spec.resumePolicy: is dropped" in converted.stderr
    assert "x = 1.0  # tune: loguniform(0.25, 5)" in back.read_text()

    spec["algorithm"]["algorithmSettings"] = [{"name": "gamma", "value": "0.1\n0.2"}]
    spec["parameters"].append({**spec["parameters"][0], "name": "other"})
    manifest.write_text(yaml.safe_dump(document))
    with pytest.raises(InvalidInput) as error:
        notebook_of(Prepared(parse(document), prepare_notebook(notebook, TuneOptions()).files))
    assert [problem.where for problem in error.value.problems] == [
        "spec.parameters[4].name",
        "spec.algorithm.algorithmSettings",
    ]


def test_between_the_two_groups(tmp_path: Path) -> None:
    seeds = Path(__file__).parent.parent / "conformance"
    ours = cli("convert", seeds / "002-random-example.yaml")
    assert yaml.safe_load(ours.stdout)["apiVersion"] == "hpolab.dev/v1beta1"
    katib = cli("convert", seeds / "002-random-example.yaml", "--to", "katib")
    document = yaml.safe_load(katib.stdout)
    assert document["apiVersion"] == "kubeflow.org/v1beta1"
    assert "goTemplate" not in document["spec"]["trialTemplate"]
    assert parse(document).spec.parameters == parse(yaml.safe_load(ours.stdout)).spec.parameters


def test_what_has_no_notebook_cannot_become_one() -> None:
    seeds = Path(__file__).parent.parent / "conformance"
    result = cli("convert", seeds / "003-mnist-tuning.yaml", "--to", "notebook")
    assert result.exit_code == 2 and "NotebookTrial" in result.stderr


def test_a_study_has_all_objectives_and_constraints(notebook: Path, tmp_path: Path) -> None:
    options, _, _ = parse_line("minimize score, maximize beta --constraint depth<=7", where="")
    experiment = prepare_notebook(notebook, options).experiment
    storage = f"sqlite:///{tmp_path / 'optuna.db'}"
    values = {"x": 0.5, "depth": 3, "opt": "b", "beta": 0.25}
    trials = [
        Trial(
            number,
            values,
            TrialState.SUCCEEDED,
            {
                "score": Metric.single(float(number)),
                "beta": Metric.single(1.0),
                "depth": Metric.single(5.0 + 4 * number),
            },
        )
        for number in range(2)
    ]
    copy_to_study(experiment, trials, storage)
    study = optuna.load_study(study_name="cells", storage=storage)
    assert [direction.name for direction in study.directions] == ["MINIMIZE", "MAXIMIZE"]
    assert [trial.values for trial in study.trials] == [[0.0, 1.0], [1.0, 1.0]]
    assert [trial.constraints for trial in study.trials] == [{"depth": 0.0}, {"depth": 2.0}]


def test_a_study_and_back(notebook: Path, tmp_path: Path) -> None:
    experiment = prepare_notebook(notebook, TuneOptions()).experiment
    storage = f"sqlite:///{tmp_path / 'optuna.db'}"
    trials = [
        Trial(
            number=number,
            assignments={"x": 0.5 + number, "depth": 3, "opt": "b", "beta": 0.25},
            state=state,
            metrics={} if value is None else {"score": Metric.single(value)},
            started_at=1e9,
            completed_at=1e9 + 5,
            parent=number - 1 if number else None,
            labels={"generation": str(number)},
        )
        for number, (state, value) in enumerate(
            [
                (TrialState.SUCCEEDED, 0.25),
                (TrialState.FAILED, None),
                (TrialState.SUCCEEDED, 0.75),
                (TrialState.RUNNING, 0.5),
            ]
        )
    ]
    assert copy_to_study(experiment, trials, storage) == 3
    study = optuna.load_study(study_name="cells", storage=storage)
    assert study.best_value == 0.75 and study.metric_names == ["score"]
    assert study.best_params == trials[2].assignments
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "FAIL", "COMPLETE"]
    attributes = {"trial": "cells-2", "generation": "2", "parent": "cells-1", "score": 0.75}
    assert study.trials[2].user_attrs == attributes
    assert study.trials[0].duration is not None and study.trials[0].duration.total_seconds() == 5

    found = experiment_of_study(storage, "cells")
    spaces = {one.name: one.feasible_space for one in found.spec.parameters}
    assert (spaces["depth"].min, spaces["depth"].max, spaces["depth"].step) == (1, 9, 2)
    assert spaces["x"].distribution == "logUniform" and spaces["opt"].list == ("a", "b")
    assert found.spec.initial_points == (trials[2].assignments,)
    assert found.spec.objective.type == "maximize"

    with pytest.raises(InvalidInput, match="has a study called 'cells' already"):
        copy_to_study(experiment, trials, storage)
    with pytest.raises(InvalidInput, match="did you mean 'cells'"):
        experiment_of_study(storage, "cell")
