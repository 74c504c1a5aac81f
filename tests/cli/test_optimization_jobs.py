"""OptimizationJobs of Kubeflow Trainer in commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hpo_lab.experiment.manifest import dump_document
from tests.experiment.optimization_jobs import changed_job, of_job, of_space, of_trainer
from tests.manifest_reading import read

SCRIPT = (
    "import os, hpo_lab; hpo_lab.report(val_loss=float(os.environ['KUBEFLOW_TRAINER_OPT_LAYERS']))"
)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    document = changed_job(of_job(numTrials=2, parallelTrials=1))
    of_trainer(command=["python", "-c", SCRIPT])(document)
    path = tmp_path / "job.yaml"
    path.write_text(dump_document(document))
    return path


def test_it_is_validated_run_and_shown(cli: Any, manifest: Path) -> None:
    checked = cli("validate", manifest)
    assert checked.exit_code == 0
    assert checked.stderr == ""
    assert "minimize val_loss, algorithm random, 2 trials, 1 at a time" in checked.stdout
    ran = cli("run", manifest)
    assert ran.exit_code == 0, ran.stderr
    shown = cli("show", "team/tuning", "-o", "yaml").stdout
    assert "environmentPrefix: KUBEFLOW_TRAINER_OPT_" in shown
    assert "trialsSucceeded: 2" in shown


def test_a_change_is_told_by_its_fields(cli: Any, manifest: Path) -> None:
    assert cli("run", manifest).exit_code == 0
    changed = changed_job(of_job(numTrials=2, parallelTrials=1))
    of_job(searchAlgorithm={"random": {"seed": 7}})(changed)
    of_trainer(command=["python", "-c", f"{SCRIPT} "])(changed)
    manifest.write_text(dump_document(changed))
    refused = cli("run", manifest)
    assert refused.exit_code == 2
    assert "spec.searchAlgorithm.random.seed: 7 now, 42 before" in refused.stderr
    assert "spec.trainJobTemplate.spec.trainer.command[2]:" in refused.stderr
    # What an OptimizationJob cannot say is an option.
    assert "another --name and --warm-start tuning " in refused.stderr


def test_what_is_wrong_is_told_at_once_in_its_words(cli: Any, tmp_path: Path) -> None:
    document = changed_job(of_job(numTrials=200))
    of_space(0, uniform={"min": "abc", "max": "1"})(document)
    path = tmp_path / "job.yaml"
    path.write_text(dump_document(document))
    for command in ("validate", "run", "convert"):
        refused = cli(command, path)
        assert refused.exit_code == 2
        _, *lines = refused.stderr.splitlines()
        assert lines == [
            "  spec.parameters[0].searchSpace.uniform.min: found 'abc'; a number is needed, "
            'such as "0.5", "-3" or "1e-4", of at most 64 characters',
            "  spec.numTrials: found 200; allowed are 1 to 100",
        ]


def test_it_is_converted_there_and_back(cli: Any, manifest: Path, tmp_path: Path) -> None:
    ours, back = tmp_path / "ours.yaml", tmp_path / "back.yaml"
    assert cli("convert", manifest, "-o", ours).exit_code == 0
    assert read(ours) == read(manifest)
    assert cli("convert", ours, "--to", "optimizationjob", "-o", back).exit_code == 0
    assert back.read_text() == manifest.read_text()
    katib = cli("convert", manifest, "--to", "katib")
    assert "value: ${trialParameters.learning_rate}" in katib.stdout
    assert "warning: spec.seed: is dropped; Katib does not know this field" in katib.stderr


def test_an_experiment_that_does_not_fit_is_refused_with_every_reason(cli: Any) -> None:
    seed = Path(__file__).parent.parent / "conformance" / "003-mnist-tuning.yaml"
    refused = cli("convert", seed, "--to", "optimizationjob")
    assert refused.exit_code == 2
    assert refused.stdout == ""
    lines = refused.stderr.splitlines()
    assert any("is a TrainJob of trainer.kubeflow.org/v1alpha1" in line for line in lines)
    assert len(lines) > 4
