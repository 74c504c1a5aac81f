"""`hpo_lab.tune` and `hpo_lab.get`, over the facade."""

from __future__ import annotations

from pathlib import Path

import pytest

import hpo_lab
from hpo_lab.store import Store
from tests.facade.conftest import Create

MANIFEST = """
apiVersion: kubeflow.org/v1beta1
kind: Experiment
metadata: {name: printed, namespace: team}
spec:
  maxTrialCount: 1
  parallelTrialCount: 1
  objective: {type: maximize, objectiveMetricName: score}
  algorithm: {algorithmName: random}
  parameters:
    - {name: x, parameterType: double, feasibleSpace: {min: "0", max: "1"}}
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
              - {name: main, image: none, command: [echo, "score=${trialParameters.x}"]}
"""


def test_a_manifest_is_tuned(location: Path, tmp_path: Path) -> None:
    path = tmp_path / "printed.yaml"
    path.write_text(MANIFEST)
    experiment = hpo_lab.tune(path, store=location).wait(timeout=60)
    assert experiment.title == "team/printed"
    assert experiment.best is not None
    assert hpo_lab.get("team/printed", store=location).uid == experiment.uid
    assert "score=" in experiment.log_of(0).read_text()


def test_a_manifest_has_a_space_and_no_cells(location: Path, tmp_path: Path) -> None:
    path = tmp_path / "printed.yaml"
    path.write_text(MANIFEST)
    with pytest.raises(hpo_lab.InvalidInput) as caught:
        hpo_lab.tune(path, trials=3, maximize="score", space={}, cell="1", store=location)
    places = [problem.where for problem in caught.value.problems]
    assert sorted(places) == ["cell", "space"]
    assert not location.parent.exists()


def test_get_takes_the_namespace_in_the_name_or_beside_it(
    store: Store, location: Path, create: Create
) -> None:
    uid = create("digits", "team")
    assert hpo_lab.get("team/digits", store=location).uid == uid
    assert hpo_lab.get("digits", namespace="team", store=location).uid == uid
    with pytest.raises(hpo_lab.InvalidInput, match="did you mean 'team/digits'"):
        hpo_lab.get("digits", store=location)
